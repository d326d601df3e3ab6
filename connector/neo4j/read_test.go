package neo4j_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/actiongraph/actiongraph/connector/neo4j"
	"github.com/actiongraph/actiongraph/graph"
)

// TestReadGarbage: filters that are no UTF-8, or too long for an index, select nothing
// and are no errors.
func TestReadGarbage(t *testing.T) {
	engines(t, func(t *testing.T, o neo4j.Options) {
		s := empty(t, o)
		long := strings.Repeat("x", 10_000)
		own, tag := graph.Ref{Label: graph.LabelSession, Key: "s"}, graph.Ref{Label: graph.LabelTag, Key: long}
		write(t, []graph.Op{
			message("a", "alpha", graph.Prop{Name: "tool_name", Value: long}, graph.Prop{Name: "status", Value: "\xff"}),
			{Kind: graph.PutNode, Node: graph.Node{Ref: own}}, {Kind: graph.PutNode, Node: graph.Node{Ref: tag}},
			{Kind: graph.PutEdge, Edge: graph.Edge{EdgeKey: graph.EdgeKey{Type: graph.HasTag, From: own, To: tag}}},
		}, s)
		for _, bad := range []string{"\xff", "\x00", "\x1a", "\x1abAA==", long + "y", "' OR 1=1 //"} {
			rows, err := s.Sessions(t.Context(), graph.SessionFilter{IDPrefix: bad, Status: bad, Tag: bad, Dir: bad, User: bad, Host: bad})
			if err != nil || len(rows) > 0 {
				t.Errorf("sessions %.10q: %v %v", bad, rows, err)
			}
			actions, err := s.Actions(t.Context(), graph.ActionFilter{Session: bad, Type: graph.ActionType(bad), Tool: bad, Status: bad, Agent: &bad, Limit: 3})
			if err != nil || len(actions) > 0 {
				t.Errorf("actions %.10q: %v %v", bad, actions, err)
			}
			hits, err := s.Search(t.Context(), graph.SearchQuery{Words: "alpha", Tool: bad, Session: bad, Type: graph.ActionType(bad)})
			if err != nil || len(hits) > 0 {
				t.Errorf("search %.10q: %v %v", bad, hits, err)
			}
			if stats, err := s.Tools(t.Context(), bad); err != nil || len(stats) > 0 {
				t.Errorf("tools %.10q: %v %v", bad, stats, err)
			}
		}
		if rows, err := s.Sessions(t.Context(), graph.SessionFilter{Tag: long}); err != nil || len(rows) != 1 || !slices.Equal(rows[0].Tags, []string{long}) {
			t.Errorf("a tag of 10,000 letters: %d sessions, %v", len(rows), err)
		}
		for _, f := range []graph.ActionFilter{{Session: "s", Tool: long}, {Session: "s", Status: "\xff"}} {
			if rows, err := s.Actions(t.Context(), f); err != nil || len(rows) != 1 || rows[0].ToolName != long || rows[0].Status != "\xff" {
				t.Errorf("a tool of 10,000 letters: %d rows, %v", len(rows), err)
			}
		}
	})
}
