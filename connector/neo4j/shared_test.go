package neo4j_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/actiongraph/actiongraph/connector/neo4j"
	"github.com/actiongraph/actiongraph/graph"
)

// TestManyWriters: eight programs with a journal each, all of whose actions use the same
// two Tools and one File, in either order. Nothing is lost, nothing is there twice.
func TestManyWriters(t *testing.T) {
	engines(t, func(t *testing.T, o neo4j.Options) {
		empty(t, o)
		const writers, batches, actions = 8, 10, 20
		var wg sync.WaitGroup
		for w := range writers {
			s := open(t, o)
			wg.Go(func() {
				for n := range batches {
					b := hammer(w, n, actions)
					if err := s.Apply(context.Background(), []graph.Batch{b}); err != nil {
						t.Errorf("writer %d, batch %d: %v", w, n, err)
						return
					}
				}
			})
		}
		wg.Wait()
		for what, want := range map[string]int64{
			"MATCH (a:ToolCall) RETURN count(a)":                                                     writers * batches * actions,
			"MATCH (:Session)-[r:HAS_ACTION]->(:Action) RETURN count(r)":                             writers * batches * actions,
			"MATCH (:Action)-[r:USED_TOOL]->(:Tool) RETURN count(r)":                                 writers * batches * actions,
			"MATCH (:Action)-[r:WROTE]->(:File) RETURN count(r)":                                     writers * batches * actions,
			"MATCH (t:Tool) RETURN count(t)":                                                         2,
			"MATCH (f:File) RETURN count(f)":                                                         1,
			"MATCH (s:Session) RETURN count(s)":                                                      writers,
			"MATCH (p:JournalPosition) RETURN count(p)":                                              writers,
			"MATCH (n) WHERE n.stub RETURN count(n)":                                                 0,
			"MATCH (p:JournalPosition) WHERE p.offset <> 10 RETURN count(p)":                         0,
			"MATCH (a:Action)-[r:USED_TOOL]->(t) WITH a, count(r) AS n WHERE n <> 1 RETURN count(a)": 0,
		} {
			if got := one(t, o, what); got != want {
				t.Errorf("%s: %v, want %d", what, got, want)
			}
		}
	})
}

// hammer is the n-th batch of writer w.
func hammer(w, n, actions int) graph.Batch {
	session, journal := fmt.Sprintf("session-%d", w), fmt.Sprintf("%016d", w)
	file := graph.Ref{Label: graph.LabelFile, Key: graph.FileKey("host", "/shared")}
	ops := []graph.Op{put(sessionRef(session), prop("status", "active")), put(toolRef("Bash"), prop("is_mcp", false)),
		put(toolRef("Read"), prop("is_mcp", false)), put(file, prop("path", "/shared"))}
	for i := range actions {
		a := actionRef(session, fmt.Sprint(n), fmt.Sprint(i))
		ops = append(ops, putAction(session, a, graph.ToolCall)...)
		ops = append(ops, edge(graph.UsedTool, a, toolRef([]string{"Bash", "Read"}[(i+w)%2])), edge(graph.Wrote, a, file))
	}
	b := batch(journal, session, int64(n), int64(n+1), graph.Coalesce(ops)...)
	return b
}

// TestTwoPrograms: two that write the same journal by mistake. Of two batches from the
// same place exactly one is written, and the other one is a conflict.
func TestTwoPrograms(t *testing.T) {
	engines(t, func(t *testing.T, o neo4j.Options) {
		stores := []*neo4j.Store{empty(t, o), open(t, o), open(t, o), open(t, o)}
		for n := range int64(10) {
			errs := make([]error, len(stores))
			var wg sync.WaitGroup
			for i, s := range stores {
				wg.Go(func() {
					a := actionRef("s", fmt.Sprint(n, i))
					errs[i] = s.Apply(context.Background(), []graph.Batch{batch(journal, "s", n, n+1, putAction("s", a, graph.ToolCall)...)})
				})
			}
			wg.Wait()
			written := 0
			for _, err := range errs {
				if err == nil {
					written++
				} else if !errors.Is(err, graph.ErrConflict) {
					t.Fatal(err)
				}
			}
			if got := one(t, o, "MATCH (a:Action) RETURN count(a)"); written != 1 || got != n+1 {
				t.Fatalf("round %d: %d of %d were told that they wrote; %v actions: %v", n, written, len(stores), got, errs)
			}
		}
	})
}

// TestFirstOwns: of two journals that meet a session for the first time at once, one
// owns it and the other one is told.
func TestFirstOwns(t *testing.T) {
	engines(t, func(t *testing.T, o neo4j.Options) {
		stores := []*neo4j.Store{empty(t, o), open(t, o)}
		for n := range 10 {
			session := fmt.Sprint("s", n)
			errs := make([]error, 2)
			var wg sync.WaitGroup
			for i, s := range stores {
				wg.Go(func() {
					errs[i] = s.Apply(context.Background(), []graph.Batch{batch(fmt.Sprintf("%016d", i), session, 0, 1, put(sessionRef(session), prop("status", "active")))})
				})
			}
			wg.Wait()
			var owned *graph.OwnedError
			if (errs[0] == nil) == (errs[1] == nil) || !errors.As(errors.Join(errs...), &owned) {
				t.Fatalf("round %d: %v", n, errs)
			}
			if err := errors.Join(errs...); !strings.Contains(err.Error(), session) {
				t.Errorf("the error does not name the session: %v", err)
			}
		}
	})
}

// TestSetupAtOnce: programs that start at the same moment on an empty database all make
// the schema.
func TestSetupAtOnce(t *testing.T) {
	engines(t, func(t *testing.T, o neo4j.Options) {
		if err := empty(t, o).Drop(context.Background()); err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for w := range 4 {
			s := open(t, o)
			wg.Go(func() {
				if err := s.Apply(context.Background(), []graph.Batch{hammer(w, 0, 3)}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if n := one(t, o, "MATCH (t:Tool) RETURN count(t)"); n != int64(2) {
			t.Errorf("%v tools, want 2", n)
		}
	})
}
