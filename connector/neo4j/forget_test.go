package neo4j_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	driver "github.com/neo4j/neo4j-go-driver/v5/neo4j"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/connector/neo4j"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/internal/neo4jtest"
)

var _ connector.Compactor = (*neo4j.Store)(nil)

// forgets is the batch that forgets a session from where it is.
func forgets(journal, session string, from int64) graph.Batch {
	b := batch(journal, session, from, 0)
	b.Reset, b.Forget = true, true
	return b
}

// everything counts what is in the database of ours and of others.
func everything(t *testing.T, o neo4j.Options) any { return one(t, o, "MATCH (n) RETURN count(n)") }

// TestForgetLeavesNothing: no node is left of a session that was alone, its position and the
// stub of the session that it continued included, and nothing of other people's is touched.
func TestForgetLeavesNothing(t *testing.T) {
	engines(t, func(t *testing.T, o neo4j.Options) {
		s := empty(t, o)
		query(t, o, "MERGE (:Tool {name: 'theirs'})", nil)
		defer query(t, o, "MATCH (t:Tool {name: 'theirs'}) DELETE t", nil)
		before := everything(t, o)
		ops := append(many("s", "a"), put(sessionRef("base"), prop("name", "base")), edge(graph.ForkedFrom, sessionRef("s"), sessionRef("base")))
		apply(t, s, batch(journal, "s", 0, 5, ops...))
		apply(t, s, batch(journal, "s", 5, 6, put(graph.Ref{Label: graph.LabelTag, Key: "alone"})))
		apply(t, s, forgets(journal, "s", 6))
		if err := s.Compact(t.Context()); err != nil {
			t.Fatal(err)
		}
		if after := everything(t, o); after != before {
			t.Errorf("%v nodes, there were %v: %v", after, before, query(t, o, "MATCH (n) RETURN labels(n), properties(n)", nil))
		}
	})
}

// TestForgetCutOff: a session is forgotten in several transactions, and the program ends
// between two of them. Its position is there until nothing else is.
func TestForgetCutOff(t *testing.T) {
	o := neo4j.Options{URL: neo4jtest.URL(t)}
	o.User, o.Password = neo4jtest.Auth()
	for name, at := range map[string]struct {
		statement string
		times     int
	}{"before the first": {"row.taken", 1}, "between": {"row.taken", 2}, "after the last": {"MERGE (p:JournalPosition", 2}} {
		t.Run(name, func(t *testing.T) {
			s := empty(t, o)
			apply(t, s, batch(journal, "other", 0, 5, many("other", "kept")...))
			apply(t, s, batch(journal, "s", 0, 5, many("s", "old")...))
			cutOff(t, o, at.statement, at.times, forgets(journal, "s", 5))
			wantHeld(t, s, journal, []string{"other", "s"}, nil)
			s.DropAtOnce(3)
			apply(t, s, forgets(journal, "s", 5))
			wantHeld(t, s, journal, []string{"other"}, nil)
			if n := one(t, o, "MATCH (n) WHERE n.session_id = 's' RETURN count(n)"); n != int64(0) {
				t.Errorf("%v nodes are left", n)
			}
			wantMarks(t, s, "other", "kept")
		})
	}
}

// TestForgetBesideWriters: one machine forgets, and removes what nothing refers to, while
// others begin to refer to the same Tool and File. None of them loses an edge, nor finds a
// node without what was put on it.
func TestForgetBesideWriters(t *testing.T) {
	engines(t, func(t *testing.T, o neo4j.Options) {
		empty(t, o)
		const writers, rounds, actions = 3, 12, 2
		stop := make(chan struct{})
		var wg, removing sync.WaitGroup
		for range 2 {
			s := open(t, o)
			removing.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
						if err := s.Compact(context.Background()); err != nil {
							t.Errorf("compact: %v", err)
							return
						}
					}
				}
			})
		}
		for w := range writers {
			s := open(t, o)
			wg.Go(func() {
				for n := range rounds {
					b := hammer(w, n, actions)
					b.From, b.To = batch("", "", 0, 1).From, batch("", "", 0, 1).To
					if err := s.Apply(context.Background(), []graph.Batch{b}); err != nil {
						t.Errorf("writer %d, round %d: %v", w, n, err)
						return
					}
					if n == rounds-1 {
						return // the last one stays
					}
					if err := s.Apply(context.Background(), []graph.Batch{forgets(b.Journal, b.Session, 1)}); err != nil {
						t.Errorf("writer %d forgets, round %d: %v", w, n, err)
						return
					}
					time.Sleep(time.Duration(n%4) * time.Millisecond)
				}
			})
		}
		wg.Wait()
		close(stop)
		removing.Wait()
		for what, want := range map[string]int64{
			"MATCH (a:ToolCall) RETURN count(a)":                                          writers * actions,
			"MATCH (:Action)-[r:USED_TOOL]->(t:Tool {actiongraph: true}) RETURN count(r)": writers * actions,
			"MATCH (:Action)-[r:WROTE]->(f:File {path: '/shared'}) RETURN count(r)":       writers * actions,
			"MATCH (n) WHERE n.stub RETURN count(n)":                                      0,
			"MATCH (f:File) RETURN count(f)":                                              1,
		} {
			if got := one(t, o, what); got != want {
				t.Errorf("%s: %v, want %d", what, got, want)
			}
		}
		s := open(t, o)
		for w := range writers {
			apply(t, s, forgets(fmt.Sprintf("%016d", w), fmt.Sprintf("session-%d", w), 1))
		}
		if err := s.Compact(t.Context()); err != nil || everything(t, o) != int64(0) {
			t.Errorf("%v nodes are left, %v", everything(t, o), err)
		}
	})
}

// TestForgetAtThatMoment: of one who removes a Tool that nothing refers to, and one who begins
// to refer to it, either is first, and the other one finds out when it has the lock.
func TestForgetAtThatMoment(t *testing.T) {
	engines(t, func(t *testing.T, o neo4j.Options) {
		for first, other := range map[string]func(s *neo4j.Store) error{
			"MATCH (t:Tool {name: 'Bash'}) SET t.locked = true REMOVE t.locked DELETE t": func(s *neo4j.Store) error {
				return s.Apply(context.Background(), []graph.Batch{hammer(0, 0, 2)})
			},
			"MERGE (t:Tool {name: 'Bash'}) SET t += {is_mcp: false} CREATE (:Action {action_id: 'a'})-[:USED_TOOL]->(t)": func(s *neo4j.Store) error {
				return s.Compact(context.Background())
			},
		} {
			s := empty(t, o)
			apply(t, s, hammer(1, 0, 2))
			apply(t, s, forgets(fmt.Sprintf("%016d", 1), "session-1", 1)) // leaves the Tools, and knows the schema
			beside(t, o, func(session driver.SessionWithContext) {
				tx, err := session.BeginTransaction(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if _, err := tx.Run(t.Context(), first, nil); err != nil {
					t.Fatal(err)
				}
				done := make(chan error, 1)
				go func() { done <- other(s) }()
				select {
				case err := <-done:
					t.Errorf("did not wait for the other one: %v", err)
				case <-time.After(500 * time.Millisecond):
					if err := tx.Commit(t.Context()); err != nil {
						t.Fatal(err)
					}
					if err := <-done; err != nil {
						t.Error(err)
					}
				}
			})
			if n := one(t, o, "MATCH (:Action)-[r:USED_TOOL]->(t:Tool {name: 'Bash', actiongraph: true}) RETURN count(r)"); n != int64(1) {
				t.Errorf("%s: then the other one: %v edges, tools %v", first, n, query(t, o, "MATCH (t:Tool) RETURN properties(t), count{(t)--()}", nil))
			}
		}
	})
}
