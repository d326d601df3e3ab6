package neo4j_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	driver "github.com/neo4j/neo4j-go-driver/v5/neo4j"

	"github.com/actiongraph/actiongraph/connector/neo4j"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/internal/neo4jtest"
)

// TestClearWhileWritten: whatever a daemon writes between the steps of a Clear is there
// with its position, or neither is: a position without its nodes would never be folded
// again.
func TestClearWhileWritten(t *testing.T) {
	o := neo4j.Options{URL: neo4jtest.URL(t)}
	o.User, o.Password = neo4jtest.Auth()
	for _, step := range []string{"JournalPosition", "Action", "Agent", "Session", "Tool", "File"} {
		t.Run(step, func(t *testing.T) {
			daemon := empty(t, o)
			apply(t, daemon, batch(journal, "old", 0, 1, putAction("old", actionRef("old"), graph.ToolCall)...))
			proxy := neo4jtest.NewProxy(t, o.URL)
			through := o
			through.URL = proxy.URL
			var once sync.Once
			proxy.Break(func(p neo4jtest.Piece) neo4jtest.Fate {
				if p.ToServer && p.Has("MATCH (n:"+step+")") {
					once.Do(func() {
						ops := append(putAction("new", actionRef("new"), graph.ToolCall), put(sessionRef("new"), prop("status", "active")),
							edge(graph.UsedTool, actionRef("new"), toolRef("Bash")))
						if err := daemon.Apply(context.Background(), []graph.Batch{batch(journal, "new", 0, 1, ops...)}); err != nil {
							t.Error(err)
						}
					})
				}
				return neo4jtest.Pass
			})
			if err := open(t, through).Clear(context.Background()); err != nil {
				t.Fatal(err)
			}
			positions, err := daemon.Positions(context.Background(), journal)
			if err != nil {
				t.Fatal(err)
			}
			if nodes := len(load(t, daemon, "new").Nodes()); len(positions) != 0 && nodes != 3 || len(positions) == 0 && nodes != 0 {
				t.Errorf("positions %v with %d nodes", positions, nodes)
			}
		})
	}
}

// TestClearMany: more than one transaction takes, with Tools that the first one's actions
// share with the last one's.
func TestClearMany(t *testing.T) {
	if testing.Short() {
		t.Skip("it writes 11,000 actions")
	}
	engines(t, func(t *testing.T, o neo4j.Options) {
		s := empty(t, o)
		for n := range 11 {
			b := hammer(0, n, 1000)
			apply(t, s, b)
		}
		if err := s.Clear(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := one(t, o, "MATCH (n) RETURN count(n)"); n != int64(0) {
			t.Errorf("%v nodes are left", n)
		}
	})
}

// TestClearLeavesOthers: a database that is shared has Tools, Tags and Files of its own.
func TestClearLeavesOthers(t *testing.T) {
	engines(t, func(t *testing.T, o neo4j.Options) {
		s := empty(t, o)
		defer query(t, o, "MATCH (n) DETACH DELETE n", nil)
		query(t, o, "MATCH (n) DETACH DELETE n", nil)
		query(t, o, "CREATE (:Tool {name: 'hammer'}), (:Tag {name: 'red'}), (:File {name: 'a.txt'}), (:Shed)-[:HOLDS]->(:Tool {name: 'Bash'})", nil)
		tag := func(name string) graph.Ref { return graph.Ref{Label: graph.LabelTag, Key: name} }
		file := graph.Ref{Label: graph.LabelFile, Key: graph.FileKey("host", "/x")}
		a := actionRef("s", "a")
		ops := append(putAction("s", a, graph.ToolCall), put(sessionRef("s"), prop("status", "active")), put(toolRef("Bash"), prop("is_mcp", false)),
			put(toolRef("Read"), prop("is_mcp", false)), put(tag("mine")), put(tag("taken off")), put(file, prop("path", "/x")),
			edge(graph.UsedTool, a, toolRef("Bash")), edge(graph.UsedTool, a, toolRef("Read")), edge(graph.Wrote, a, file),
			edge(graph.UsedTool, a, toolRef("a stub")), edge(graph.HasTag, sessionRef("s"), tag("mine")))
		apply(t, s, batch(journal, "s", 0, 1, ops...))
		want := neo4j.Contents{Journals: 1, Sessions: 1, Actions: 1, Tools: 3, Tags: 2, Files: 1}
		if got, err := s.Contents(t.Context()); err != nil || got != want {
			t.Errorf("contents %+v, %v, want %+v", got, err, want)
		}
		for range 2 {
			if err := s.Clear(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if left := one(t, o, "MATCH (n) WITH labels(n)[0] + coalesce(' ' + n.name, '') AS name ORDER BY name RETURN reduce(all = '', x IN collect(name) | all + x + ', ')"); left != "File a.txt, Shed, Tag red, Tool Bash, Tool hammer, " {
			t.Errorf("left: %v", left)
		}
	})
}

// TestDuplicates: a unique constraint that the database's own nodes break names their
// label, and what to do.
func TestDuplicates(t *testing.T) {
	engines(t, func(t *testing.T, o neo4j.Options) {
		s := empty(t, o)
		if err := s.Drop(t.Context()); err != nil {
			t.Fatal(err)
		}
		query(t, o, "CREATE (:Tool {name: 'saw'}), (:Tool {name: 'saw'})", nil)
		defer query(t, o, "MATCH (n:Tool {name: 'saw'}) DELETE n", nil)
		err := s.Apply(t.Context(), []graph.Batch{batch(journal, "s", 0, 1)})
		var named interface{ Reason() string }
		if !errors.As(err, &named) || named.Reason() != "store.duplicates" {
			t.Fatalf("%v", err)
		}
		for _, want := range []string{"nodes of the label Tool share their name, which has to be unique", "a database of its own", "MATCH (n:Tool) WITH n.name AS key"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%v: want %q", err, want)
			}
		}
		query(t, o, "MATCH (n:Tool {name: 'saw'}) DELETE n", nil)
		apply(t, s, batch(journal, "s", 0, 1))
	})
}

// TestDroppedConstraints: somebody drops the constraints under a daemon. Its next Apply
// after a look has them again.
func TestDroppedConstraints(t *testing.T) {
	engines(t, func(t *testing.T, o neo4j.Options) {
		o.CheckEvery = 1
		s := empty(t, o)
		if _, err := s.Positions(t.Context(), journal); err != nil {
			t.Fatal(err)
		}
		apply(t, s, batch(journal, "s", 0, 1))
		if err := open(t, o).Drop(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := s.Maintain(t.Context()); err != nil {
			t.Fatal(err)
		}
		apply(t, s, batch(journal, "s", 1, 2))
		query(t, o, "CREATE (:Tag {name: 'once'})", nil)
		beside(t, o, func(session driver.SessionWithContext) {
			result, err := session.Run(t.Context(), "CREATE (:Tag {name: 'once'})", nil)
			if err == nil {
				_, err = result.Consume(t.Context())
			}
			if err == nil {
				t.Error("there is no constraint")
			}
		})
		query(t, o, "MATCH (n:Tag {name: 'once'}) DELETE n", nil)
		if err := s.Maintain(t.Context()); err != nil {
			t.Errorf("in order again: %v", err)
		}
	})
}

// TestWaitsNoLonger: a call that waits for another one's write waits until its own
// deadline, not until that one's.
func TestWaitsNoLonger(t *testing.T) {
	o := neo4j.Options{URL: neo4jtest.URL(t)}
	empty(t, o)
	proxy := neo4jtest.NewProxy(t, o.URL)
	s := open(t, neo4j.Options{URL: proxy.URL})
	apply(t, s, batch(journal, "s", 0, 1))
	held := make(chan struct{})
	var once sync.Once
	proxy.Break(func(p neo4jtest.Piece) neo4jtest.Fate {
		if p.ToServer {
			once.Do(func() { close(held) })
			return neo4jtest.Hold
		}
		return neo4jtest.Pass
	})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Apply(ctx, []graph.Batch{batch(journal, "s", 1, 2)}) }()
	<-held
	for name, f := range calls(s) {
		if name == "Load" || name == "Info" || name == "Standings" {
			continue // they do not wait for it
		}
		short, stop := context.WithTimeout(t.Context(), 50*time.Millisecond)
		start := time.Now()
		err := f(short)
		stop()
		if took := time.Since(start); !errors.Is(err, context.DeadlineExceeded) || took > 2*time.Second {
			t.Errorf("%s after %v: %v", name, took, err)
		}
	}
	proxy.Break(nil)
	cancel()
	if err := <-done; err == nil {
		t.Error("the write that hung has ended well")
	}
}
