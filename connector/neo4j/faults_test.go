package neo4j_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph/connector/neo4j"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/internal/neo4jtest"
)

// TestHang: a server that takes connections and never says a word holds nobody longer
// than their deadline.
func TestHang(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	s := open(t, neo4j.Options{URL: "bolt://" + l.Addr().String()})
	for name, f := range calls(s) {
		ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
		start := time.Now()
		err := f(ctx)
		cancel()
		if err == nil || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v, want the deadline", name, err)
		}
		if d := time.Since(start); d > 3*time.Second {
			t.Errorf("%s took %v", name, d)
		}
	}
}

// calls are the ways to use a store.
func calls(s *neo4j.Store) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"Apply":     func(ctx context.Context) error { return s.Apply(ctx, []graph.Batch{batch(journal, "s", 0, 1)}) },
		"Positions": func(ctx context.Context) error { _, err := s.Positions(ctx, journal); return err },
		"Standings": func(ctx context.Context) error { _, err := s.Standings(ctx, journal); return err },
		"Load":      func(ctx context.Context) error { _, err := s.Load(ctx, "s"); return err },
		"Info":      func(ctx context.Context) error { _, err := s.Info(ctx); return err },
		"Setup":     s.Setup,
		"Clear":     s.Clear,
	}
}

// TestHangInTransaction: the same when the server falls silent half-way.
func TestHangInTransaction(t *testing.T) {
	server := neo4j.Options{URL: neo4jtest.URL(t)}
	empty(t, server)
	proxy := neo4jtest.NewProxy(t, server.URL)
	s := open(t, neo4j.Options{URL: proxy.URL})
	apply(t, s, batch(journal, "s", 0, 1))
	proxy.Break(func(p neo4jtest.Piece) neo4jtest.Fate {
		if p.ToServer {
			return neo4jtest.Hold
		}
		return neo4jtest.Pass
	})
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	start := time.Now()
	err := s.Apply(ctx, []graph.Batch{batch(journal, "s", 1, 2)})
	if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > 3*time.Second {
		t.Errorf("after %v: %v", time.Since(start), err)
	}
	proxy.Break(nil)
	proxy.Reset()
	eventually(t, s, batch(journal, "s", 1, 2))
}

// eventually applies a batch once the server is back. A batch that was written although
// its answer was lost is a conflict then.
func eventually(t *testing.T, s *neo4j.Store, b graph.Batch) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; {
		err := s.Apply(context.Background(), []graph.Batch{b})
		if err == nil || errors.Is(err, graph.ErrConflict) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
	positions, err := s.Positions(context.Background(), b.Journal)
	if positions[b.Session] != b.To || err != nil {
		t.Fatalf("at %v (%v), want %v", positions[b.Session], err, b.To)
	}
}

// TestCut: connections that break before the commit, while it is on its way, and while
// its answer is. Whatever happened, everything is there once in the end.
func TestCut(t *testing.T) {
	server := neo4j.Options{URL: neo4jtest.URL(t)}
	empty(t, server)
	proxy := neo4jtest.NewProxy(t, server.URL)
	s := open(t, neo4j.Options{URL: proxy.URL})
	apply(t, s, batch(journal, "s", 0, 1))
	commitSeen := false
	rules := map[string]func(neo4jtest.Piece) neo4jtest.Fate{
		"before the commit": func(p neo4jtest.Piece) neo4jtest.Fate {
			if p.ToServer && p.Has("PARENT_OF") {
				return neo4jtest.Cut
			}
			return neo4jtest.Pass
		},
		"the commit": func(p neo4jtest.Piece) neo4jtest.Fate {
			if p.ToServer && p.Has(neo4jtest.CommitMessage) {
				return neo4jtest.Cut
			}
			return neo4jtest.Pass
		},
		"its answer": func(p neo4jtest.Piece) neo4jtest.Fate {
			if commitSeen && !p.ToServer {
				return neo4jtest.Cut
			}
			commitSeen = commitSeen || p.ToServer && p.Has(neo4jtest.CommitMessage)
			return neo4jtest.Pass
		},
	}
	at := int64(1)
	for name, rule := range rules {
		t.Run(name, func(t *testing.T) {
			var mu sync.Mutex // the proxy asks from several goroutines
			broken := false
			proxy.Break(func(p neo4jtest.Piece) neo4jtest.Fate {
				mu.Lock()
				defer mu.Unlock()
				if broken || rule(p) == neo4jtest.Pass { // once: the driver's next attempt gets through
					return neo4jtest.Pass
				}
				broken = true
				return neo4jtest.Cut
			})
			a, b := actionRef("s", name, "a"), actionRef("s", name, "b")
			ops := append(putAction("s", a, graph.ToolCall), putAction("s", b, graph.ToolResult)...)
			next := batch(journal, "s", at, at+1, graph.Coalesce(append(ops, edge(graph.ParentOf, a, b)))...)
			err := s.Apply(context.Background(), []graph.Batch{next})
			proxy.Break(nil)
			mu.Lock()
			defer mu.Unlock()
			if !broken {
				t.Fatalf("nothing was broken: %v", err)
			}
			eventually(t, s, next)
			at++
		})
	}
	if n := one(t, server, "MATCH (:ToolCall)-[r:PARENT_OF]->(:ToolResult) RETURN count(r)"); n != int64(len(rules)) {
		t.Errorf("%v pairs, want %d", n, len(rules))
	}
	if n := one(t, server, "MATCH (a:Action) RETURN count(a)"); n != int64(2*len(rules)) {
		t.Errorf("%v actions, want %d", n, 2*len(rules))
	}
}

// TestWrongPassword says so, without the password.
func TestWrongPassword(t *testing.T) {
	server := neo4jtest.Start(t, neo4jtest.Options{Password: "a-good-password"})
	for name, o := range map[string]neo4j.Options{
		"wrong":    {URL: server.URL, User: "neo4j", Password: "guess"},
		"none":     {URL: server.URL},
		"database": {URL: server.URL, User: "neo4j", Password: "a-good-password", Database: "nonesuch"},
	} {
		want := map[string]string{"wrong": "user or password is wrong", "none": "no password was given", "database": "no such database"}[name]
		for call, f := range calls(open(t, o)) {
			if call != "Apply" && call != "Info" {
				continue
			}
			if err := f(context.Background()); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "guess") {
				t.Errorf("%s, %s: %v", name, call, err)
			}
		}
	}
	s := open(t, neo4j.Options{URL: server.URL, User: "neo4j", Password: "a-good-password"})
	apply(t, s, batch(journal, "s", 0, 1))
	info, err := s.Info(context.Background())
	if err != nil || info.Product != "Neo4j" || info.Version == "" || info.Edition != "community" {
		t.Errorf("info %+v, %v", info, err)
	}
}

// TestNoServer says what to look at, at once.
func TestNoServer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	s := open(t, neo4j.Options{URL: "bolt://" + l.Addr().String()})
	for name, f := range calls(s) {
		if err := f(context.Background()); err == nil || !strings.Contains(err.Error(), "is the database running") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestMaintainWithoutServer: a server that is gone, or does not answer any more, while
// nothing is written, is an error that says what to do.
func TestMaintainWithoutServer(t *testing.T) {
	for name, c := range map[string]struct {
		fate   neo4jtest.Fate
		reason string
	}{"gone": {neo4jtest.Cut, "store.unreachable"}, "silent": {neo4jtest.Hold, "store.timeout"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // each waits for seconds
			proxy := neo4jtest.NewProxy(t, neo4jtest.URL(t))
			s := open(t, neo4j.Options{URL: proxy.URL, CheckEvery: 1})
			if _, err := s.Positions(t.Context(), journal); err != nil {
				t.Fatal(err)
			}
			proxy.Break(func(neo4jtest.Piece) neo4jtest.Fate { return c.fate })
			proxy.Reset()
			start := time.Now()
			err := s.Maintain(t.Context())
			var named interface{ Reason() string }
			if !errors.As(err, &named) || named.Reason() != c.reason || !strings.Contains(err.Error(), "is the database running") {
				t.Errorf("%v", err)
			}
			if took := time.Since(start); took > 10*time.Second {
				t.Errorf("it took %v", took)
			}
			proxy.Break(nil)
			proxy.Reset()
			if err := s.Maintain(t.Context()); err != nil {
				t.Errorf("back: %v", err)
			}
		})
	}
}

// TestTLSToPlainServer: advice for the scheme that was used.
func TestTLSToPlainServer(t *testing.T) {
	s := open(t, neo4j.Options{URL: strings.Replace(neo4jtest.URL(t), "bolt://", "bolt+s://", 1)})
	if _, err := s.Info(t.Context()); err == nil || !strings.Contains(err.Error(), "the server takes no TLS there: bolt:// is without") {
		t.Error(err)
	}
}

// TestMaintain: a database that somebody empties, or puts an older backup of back, is
// noticed although nothing is written.
func TestMaintain(t *testing.T) {
	engines(t, func(t *testing.T, o neo4j.Options) {
		ctx := context.Background()
		for name, damage := range map[string]string{
			"emptied":  "MATCH (n) DETACH DELETE n",
			"restored": "MATCH (p:JournalPosition {session_id: 'b'}) SET p.offset = 1",
			"lost one": "MATCH (p:JournalPosition {session_id: 'a'}) DELETE p",
			"grown":    "CREATE (:JournalPosition {position_id: '" + journal + "/c', journal: '" + journal + "', session_id: 'c', offset: 1, sum: 1, first: 1})",
		} {
			o.CheckEvery = 1
			s := empty(t, o)
			if _, err := s.Positions(ctx, journal); err != nil {
				t.Fatal(err)
			}
			apply(t, s, batch(journal, "a", 0, 1), batch(journal, "b", 0, 7))
			apply(t, s, batch(journal, "a", 1, 2), batch(journal, "a", 2, 3))
			other := batch("fedcba9876543210", "z", 0, 1)
			apply(t, open(t, o), other) // of a journal that is not ours
			if err := s.Maintain(ctx); err != nil {
				t.Fatalf("%s: before it was: %v", name, err)
			}
			query(t, o, damage, nil)
			if err := s.Maintain(ctx); !errors.Is(err, graph.ErrConflict) {
				t.Errorf("%s: %v", name, err)
			}
			if _, err := s.Positions(ctx, journal); err != nil {
				t.Fatal(err)
			}
			if err := s.Maintain(ctx); err != nil {
				t.Errorf("%s: after it was noticed: %v", name, err)
			}
		}
	})
}
