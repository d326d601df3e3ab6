package neo4j_test

import (
	"context"
	"errors"
	"flag"
	"slices"
	"testing"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/connector/neo4j"
	"github.com/actiongraph/actiongraph/connector/storetest"
	"github.com/actiongraph/actiongraph/graph"
)

var (
	_ connector.Store      = (*neo4j.Store)(nil)
	_ connector.Shared     = (*neo4j.Store)(nil)
	_ connector.Maintainer = (*neo4j.Store)(nil)
	_ connector.Reader     = (*neo4j.Store)(nil)
	_ connector.Checker    = (*neo4j.Store)(nil)
	_ connector.Witness    = (*neo4j.Store)(nil)
	_ connector.Streamer   = (*neo4j.Store)(nil)
)

// TestConformance tries 20 random histories unless -rapid.checks says otherwise: each
// asks a server some 400 questions, and 100 of them would take half of all tests' time.
func TestConformance(t *testing.T) {
	randomly(t, "20")
	engines(t, func(t *testing.T, o neo4j.Options) {
		storetest.Run(t, func(t *testing.T) connector.Store { return empty(t, o) })
	})
}

// randomly sets how many random histories a test tries, unless -rapid.checks does.
func randomly(t *testing.T, histories string) {
	t.Helper()
	checks := flag.Lookup("rapid.checks")
	was := checks.Value.String()
	if was != checks.DefValue {
		return
	}
	if err := checks.Value.Set(histories); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := checks.Value.Set(was); err != nil {
			t.Error(err)
		}
	})
}

// TestLabels: an action has the labels of its type and no others, also after it turned
// out to be another one; what an edge put there is a stub until its own row comes.
func TestLabels(t *testing.T) {
	engines(t, func(t *testing.T, o neo4j.Options) {
		s := empty(t, o)
		a, b := actionRef("s", "a"), actionRef("s", "b")
		labels := func() (out []any) {
			for _, row := range query(t, o, "MATCH (a:Action {action_id: $id}) UNWIND labels(a) AS l RETURN l ORDER BY l", map[string]any{"id": a.Key}) {
				out = append(out, row[0])
			}
			return out
		}
		apply(t, s, batch(journal, "s", 0, 1, edge(graph.FollowedBy, a, b)))
		if got := labels(); !slices.Equal(got, []any{"Action"}) {
			t.Fatalf("a stub has labels %v", got)
		}
		if n := one(t, o, "MATCH (a:Action) WHERE a.stub AND a.session_id = 's' RETURN count(a)"); n != int64(2) {
			t.Fatalf("%v stubs that belong to the session, want 2", n)
		}
		for i, c := range []struct {
			typ  graph.ActionType
			want []any
		}{
			{graph.UserMessage, []any{"Action", "Message", "UserMessage"}},
			{graph.SystemMessage, []any{"Action", "Message", "SystemMessage"}},
			{graph.SubagentStart, []any{"Action", "SubagentEvent"}},
			{graph.ToolCall, []any{"Action", "ToolCall"}},
		} {
			apply(t, s, batch(journal, "s", int64(i+1), int64(i+2), putAction("s", a, c.typ)...))
			if got := labels(); !slices.Equal(got, c.want) {
				t.Errorf("%s: labels %v, want %v", c.typ, got, c.want)
			}
		}
		if n := one(t, o, "MATCH (a:Action) WHERE a.stub RETURN count(a)"); n != int64(1) {
			t.Errorf("%v stubs, want the other end alone", n)
		}
	})
}

// TestWords: the full-text index has the words of what changed and of what did not.
func TestWords(t *testing.T) {
	engines(t, func(t *testing.T, o neo4j.Options) {
		s := empty(t, o)
		a := actionRef("s", "a")
		words := func() any { return one(t, o, "MATCH (a:Action) RETURN a.search") }
		apply(t, s, batch(journal, "s", 0, 1, putAction("s", a, graph.ToolCall, prop("tool_name", "Bash"), prop("command", "Make alpha"))...))
		first := words()
		if first == nil {
			t.Fatal("no words")
		}
		change := put(a, prop("status", "failed"))
		change.Node.Type = graph.ToolCall
		apply(t, s, batch(journal, "s", 1, 2, change))
		if got := words(); got != first {
			t.Errorf("a change of the status made %q of %q", got, first)
		}
		change.Node.Props = []graph.Prop{prop("error_message", "no gamma")}
		apply(t, s, batch(journal, "s", 2, 3, change))
		both, _ := words().(string)
		change.Node.Props = []graph.Prop{prop("error_message", nil)}
		apply(t, s, batch(journal, "s", 3, 4, change))
		if got := words(); both == first || got != first {
			t.Errorf("with an error: %q, without: %q, before: %q", both, got, first)
		}
	})
}

// TestClear takes what is ours, and nothing else.
func TestClear(t *testing.T) {
	engines(t, func(t *testing.T, o neo4j.Options) {
		s := empty(t, o)
		query(t, o, "MATCH (n:Film) DETACH DELETE n", nil)
		query(t, o, "CREATE (:Film {name: 'Bash'}), (:Session)", nil)
		apply(t, s, batch(journal, "s", 0, 1, append(putAction("s", actionRef("s"), graph.ToolCall), put(toolRef("Bash")))...))
		for range 2 {
			if err := s.Clear(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
		if n := one(t, o, "MATCH (n) RETURN count(n)"); n != int64(2) {
			t.Errorf("%v nodes are left, want the two of other people", n)
		}
		query(t, o, "MATCH (n) WHERE n:Film OR n:Session DETACH DELETE n", nil)
		if positions, err := s.Positions(context.Background(), journal); len(positions) > 0 || err != nil {
			t.Errorf("positions %v, %v", positions, err)
		}
		apply(t, s, batch(journal, "s", 0, 1)) // and it works on
	})
}

// TestSetupAndDrop may be repeated, and what Drop takes Apply makes again.
func TestSetupAndDrop(t *testing.T) {
	engines(t, func(t *testing.T, o neo4j.Options) {
		s := empty(t, o)
		ctx := context.Background()
		for _, step := range []func(context.Context) error{s.Setup, s.Setup, s.Drop, s.Drop, s.Setup, s.Drop} {
			if err := step(ctx); err != nil {
				t.Fatal(err)
			}
		}
		apply(t, s, batch(journal, "s", 0, 1, put(toolRef("Bash"))))
		if o.URL == "" {
			return
		}
		info, err := s.Info(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if info.Product == "Neo4j" {
			n := one(t, o, "SHOW INDEXES YIELD name, state WHERE state = 'ONLINE' AND (name STARTS WITH 'action_' OR name ENDS WITH '_id') RETURN count(*)")
			if n.(int64) < 8 {
				t.Errorf("%d indexes are there after Apply", n)
			}
		}
	})
}

// TestReadOnly writes nothing.
func TestReadOnly(t *testing.T) {
	engines(t, func(t *testing.T, o neo4j.Options) {
		apply(t, empty(t, o), batch(journal, "s", 0, 1, putAction("s", actionRef("s"), graph.ToolCall)...))
		o.ReadOnly = true
		s := open(t, o)
		ctx := context.Background()
		for name, err := range map[string]error{
			"Apply": s.Apply(ctx, []graph.Batch{batch(journal, "s", 1, 2)}), "Clear": s.Clear(ctx), "Setup": s.Setup(ctx), "Drop": s.Drop(ctx),
		} {
			if err == nil {
				t.Errorf("%s is allowed", name)
			}
		}
		if len(load(t, s, "s").Edges()) != 1 {
			t.Error("it does not read")
		}
		if p, err := s.Positions(ctx, journal); len(p) != 1 || err != nil {
			t.Errorf("positions %v, %v", p, err)
		}
	})
}

// TestEdgeOfUnknownKind: a statement for it would have to be made from data.
func TestEdgeOfUnknownKind(t *testing.T) {
	s := open(t, neo4j.Options{URL: "bolt://127.0.0.1:1"}) // refused before it connects
	for _, op := range []graph.Op{
		edge("USED_TOOL]->() DETACH DELETE a //", actionRef("s"), toolRef("x")),
		edge(graph.UsedTool, toolRef("x"), actionRef("s")),
	} {
		err := s.Apply(context.Background(), []graph.Batch{batch(journal, "s", 0, 1, op)})
		if err == nil || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v: %v", op.Edge.EdgeKey, err)
		}
	}
}
