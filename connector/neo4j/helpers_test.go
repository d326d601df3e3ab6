package neo4j_test

import (
	"context"
	"testing"

	driver "github.com/neo4j/neo4j-go-driver/v5/neo4j"

	"github.com/actiongraph/actiongraph/connector/neo4j"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/internal/neo4jtest"
	"github.com/actiongraph/actiongraph/schema"
)

const journal = "0123456789abcdef"

// engines runs a test against each engine that is there. That nothing ran on Memgraph is
// said once, by internal/maketest: no machine of ours has one.
func engines(t *testing.T, f func(t *testing.T, o neo4j.Options)) {
	t.Run("neo4j", func(t *testing.T) {
		user, password := neo4jtest.Auth()
		f(t, neo4j.Options{URL: neo4jtest.URL(t), User: user, Password: password})
	})
	if url := neo4jtest.MemgraphURL(t); url != "" {
		t.Run("memgraph", func(t *testing.T) { f(t, neo4j.Options{URL: url}) })
	}
}

// open opens the database.
func open(t testing.TB, o neo4j.Options) *neo4j.Store {
	t.Helper()
	s, err := neo4j.Open(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// empty opens the database and empties it.
func empty(t testing.TB, o neo4j.Options) *neo4j.Store {
	t.Helper()
	s := open(t, o)
	if err := s.Clear(context.Background()); err != nil {
		t.Fatal(err)
	}
	return s
}

// query runs a statement beside the store and returns its rows.
func query(t testing.TB, o neo4j.Options, stmt string, params map[string]any) (rows [][]any) {
	t.Helper()
	beside(t, o, func(session driver.SessionWithContext) {
		result, err := session.Run(t.Context(), stmt, params)
		if err != nil {
			t.Fatal(err)
		}
		records, err := result.Collect(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range records {
			rows = append(rows, r.Values)
		}
	})
	return rows
}

// beside opens a session of its own.
func beside(t testing.TB, o neo4j.Options, f func(driver.SessionWithContext)) {
	t.Helper()
	d, err := driver.NewDriverWithContext(o.URL, driver.BasicAuth(o.User, o.Password, ""))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close(context.Background())
	session := d.NewSession(t.Context(), driver.SessionConfig{})
	defer session.Close(context.Background())
	f(session)
}

// one is query for a single value.
func one(t testing.TB, o neo4j.Options, stmt string) any {
	t.Helper()
	return query(t, o, stmt, nil)[0][0]
}

func apply(t testing.TB, s *neo4j.Store, batches ...graph.Batch) {
	t.Helper()
	if err := s.Apply(context.Background(), batches); err != nil {
		t.Fatal(err)
	}
}

func load(t testing.TB, s *neo4j.Store, session string) *graph.Graph {
	t.Helper()
	g, err := s.Load(context.Background(), session)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// batch is a session's from one place to the next; 0 is the beginning.
func batch(journal, session string, from, to int64, ops ...graph.Op) graph.Batch {
	at := func(n int64) schema.Position {
		if n == 0 {
			return schema.Position{}
		}
		return schema.Position{Offset: n, Sum: uint64(n) * 0x9e3779b97f4a7c15, First: 1 << 63}
	}
	return graph.Batch{Journal: journal, Session: session, From: at(from), To: at(to), Ops: ops}
}

func sessionRef(id string) graph.Ref { return graph.Ref{Label: graph.LabelSession, Key: id} }
func toolRef(name string) graph.Ref  { return graph.Ref{Label: graph.LabelTool, Key: name} }

func actionRef(session string, n ...string) graph.Ref {
	return graph.Ref{Label: graph.LabelAction, Key: schema.NewID(append([]string{session}, n...)...)}
}

func put(r graph.Ref, props ...graph.Prop) graph.Op {
	return graph.Op{Kind: graph.PutNode, Node: graph.Node{Ref: r, Props: props}}
}

// putAction puts an action as a fold does, with its edge from the session.
func putAction(session string, r graph.Ref, t graph.ActionType, props ...graph.Prop) []graph.Op {
	op := put(r, append(props, prop("session_id", session), prop("action_type", string(t)))...)
	op.Node.Type = t
	return []graph.Op{op, edge(graph.HasAction, sessionRef(session), r)}
}

func edge(t graph.EdgeType, from, to graph.Ref) graph.Op {
	return graph.Op{Kind: graph.PutEdge, Edge: graph.Edge{EdgeKey: graph.EdgeKey{Type: t, From: from, To: to}}}
}

func prop(name string, value any) graph.Prop { return graph.Prop{Name: name, Value: value} }
