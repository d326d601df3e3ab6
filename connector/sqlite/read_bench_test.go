package sqlite_test

import (
	"flag"
	"path/filepath"
	"testing"

	"github.com/actiongraph/actiongraph/connector/sqlite"
	"github.com/actiongraph/actiongraph/graph"
)

var kept = flag.String("store", "", "BenchmarkRead reads this store (BenchmarkApply keeps one in $KEEP_BENCH_STORE) instead of a small one")

// BenchmarkRead opens the store for each answer, as a command does.
func BenchmarkRead(b *testing.B) {
	path := *kept
	if path == "" {
		path = filepath.Join(b.TempDir(), "graph.db")
		s, err := sqlite.Open(path, sqlite.Options{})
		if err != nil {
			b.Fatal(err)
		}
		if err := s.Apply(ctx, newFeed(20).take(8000)); err != nil {
			b.Fatal(err)
		}
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
	id := newFeed(1).sessions[0].id
	find := func(q graph.SearchQuery) func(*sqlite.Store) error {
		q.Limit = 20
		return func(s *sqlite.Store) error { _, err := s.Search(ctx, q); return err }
	}
	for _, c := range []struct {
		name string
		ask  func(*sqlite.Store) error
	}{
		{"open", func(*sqlite.Store) error { return nil }},
		{"sessions", func(s *sqlite.Store) error { _, err := s.Sessions(ctx, graph.SessionFilter{Limit: 100}); return err }},
		{"actions", func(s *sqlite.Store) error {
			_, err := s.Actions(ctx, graph.ActionFilter{Session: id, Limit: 1000})
			return err
		}},
		{"content", func(s *sqlite.Store) error {
			_, err := s.Actions(ctx, graph.ActionFilter{Session: id, Limit: 1000, Content: true})
			return err
		}},
		{"load", func(s *sqlite.Store) error { _, err := s.Load(ctx, id); return err }},
		{"summary", func(s *sqlite.Store) error { _, err := s.Summary(ctx, id); return err }},
		{"search one frequent word", find(graph.SearchQuery{Words: "bash"})},
		{"search three", find(graph.SearchQuery{Words: "go bash test"})},
		{"search in a session", find(graph.SearchQuery{Words: "bash", Session: id})},
		{"search with a tool", find(graph.SearchQuery{Words: "test", Tool: "Edit"})},
		{"search nothing", find(graph.SearchQuery{Words: "toolu"})},
		{"tools of all", func(s *sqlite.Store) error { _, err := s.Tools(ctx, ""); return err }},
	} {
		b.Run(c.name, func(b *testing.B) {
			cpu := cpuTime()
			for range b.N {
				s, err := sqlite.Open(path, sqlite.Options{ReadOnly: true})
				if err != nil {
					b.Fatal(err)
				}
				if err := c.ask(s); err != nil {
					b.Fatal(err)
				}
				s.Close()
			}
			b.ReportMetric(float64((cpuTime()-cpu).Microseconds())/1000/float64(b.N), "cpu-ms/op")
		})
	}
}
