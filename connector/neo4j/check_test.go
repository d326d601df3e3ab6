package neo4j_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/actiongraph/actiongraph/connector/neo4j"
	"github.com/actiongraph/actiongraph/graph"
)

// TestCheck: damage that Load's answer does not show.
func TestCheck(t *testing.T) {
	engines(t, func(t *testing.T, o neo4j.Options) {
		a, b := actionRef("s", "a"), actionRef("s", "b")
		for damage, want := range map[string][]string{
			"": nil,
			"MATCH (a:Action {action_id: $a})-[:FOLLOWED_BY]->(b) CREATE (a)-[:FOLLOWED_BY]->(b)": {"FOLLOWED_BY Action " + a.Key + " → Action " + b.Key + " edges 1 2"},
			"MATCH (s:Session)-[:HAS_ACTION]->(a {action_id: $a}) CREATE (s)-[:HAS_ACTION]->(a)":  {"HAS_ACTION Session s → Action " + a.Key + " edges 1 2"},
			"MATCH (a:Action {action_id: $a}) SET a:ToolResult":                                   {"Action " + a.Key + " labels ToolCall ToolCall:ToolResult"},
			"MATCH (a:Action {action_id: $a}) REMOVE a:ToolCall":                                  {"Action " + a.Key + " labels ToolCall "},
			"MATCH (a:Action {action_id: $a}) SET a:Mine":                                         nil,
			"MATCH (a:Action {action_id: $a}) SET a.timestamp_ms = 7":                             {"Action " + a.Key + " timestamp_ms 1500 7"},
			"MATCH (a:Action {action_id: $a}) REMOVE a.timestamp_ms":                              {"Action " + a.Key + " timestamp_ms 1500 <nil>"},
			"MATCH (a:Action {action_id: $a}) SET a.search = 'x'":                                 {"Action " + a.Key + " search SEARCH x"},
			"MATCH (a:Action {action_id: $a}) REMOVE a.search":                                    {"Action " + a.Key + " search SEARCH <nil>"},
		} {
			s := empty(t, o)
			props := []graph.Prop{prop("tool_name", "Bash"), prop("command", "make alpha"), prop("timestamp", graph.Time(1_500_000_000))}
			ops := append(putAction("s", a, graph.ToolCall, props...), putAction("s", b, graph.UserMessage, prop("text", "do it"))...)
			ops = append(ops, put(sessionRef("s"), prop("status", "active")), edge(graph.FollowedBy, a, b))
			apply(t, s, batch(journal, "s", 0, 1, ops...))
			words, _ := query(t, o, "MATCH (a:Action {action_id: $a}) RETURN a.search", map[string]any{"a": a.Key})[0][0].(string)
			if damage != "" {
				query(t, o, damage, map[string]any{"a": a.Key})
			}
			changes, err := s.Check(t.Context(), "s")
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, c := range changes {
				if c.A == words {
					c.A = "SEARCH"
				}
				got = append(got, fmt.Sprint(c.What, " ", c.Field, " ", c.A, " ", c.B))
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s:\n%q, want\n%q", damage, got, want)
			}
		}
	})
}
