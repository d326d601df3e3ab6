package neo4j_test

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph/connector/neo4j"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/internal/neo4jtest"
)

// BenchmarkRead asks a database of 100,000 actions what people ask most. With
// AG_BENCH_KEEP=1 the database of an earlier run is used as it is.
func BenchmarkRead(b *testing.B) {
	url := os.Getenv("AG_TEST_BOLT_URL")
	if url == "" {
		url = neo4jtest.Start(b, neo4jtest.Options{HeapMB: 2048, PagesMB: 1024, Optimize: true}).URL
	}
	ctx := context.Background()
	s := open(b, neo4j.Options{URL: url})
	if os.Getenv("AG_BENCH_KEEP") == "" {
		s = empty(b, neo4j.Options{URL: url})
		newRecordings(b).feed(b, s, 100_000)
	}
	rows, err := s.Sessions(ctx, graph.SessionFilter{})
	if err != nil || len(rows) == 0 {
		b.Fatal("no sessions: ", err)
	}
	long := rows[0]
	for _, r := range rows {
		if r.ActionCount > long.ActionCount {
			long = r
		}
	}
	actions, err := s.Actions(ctx, graph.ActionFilter{Session: long.SessionID})
	if err != nil {
		b.Fatal(err)
	}
	b.Logf("%d sessions, the longest of %d actions", len(rows), len(actions))
	search := func(q graph.SearchQuery) func() (int, error) {
		return func() (int, error) { hits, err := s.Search(ctx, q); return len(hits), err }
	}
	for _, c := range []struct {
		name string
		ask  func() (int, error)
	}{
		{"sessions/20", func() (int, error) { r, err := s.Sessions(ctx, graph.SessionFilter{Limit: 20}); return len(r), err }},
		{"sessions/all", func() (int, error) { r, err := s.Sessions(ctx, graph.SessionFilter{}); return len(r), err }},
		{"sessions/tag", func() (int, error) {
			r, err := s.Sessions(ctx, graph.SessionFilter{Tag: "nonesuch"})
			return len(r) + 1, err
		}},
		{"sessions/id", func() (int, error) {
			r, err := s.Sessions(ctx, graph.SessionFilter{IDPrefix: long.SessionID[:8]})
			return len(r), err
		}},
		{"actions", func() (int, error) {
			r, err := s.Actions(ctx, graph.ActionFilter{Session: long.SessionID})
			return len(r), err
		}},
		{"actions/content", func() (int, error) {
			r, err := s.Actions(ctx, graph.ActionFilter{Session: long.SessionID, Content: true})
			return len(r), err
		}},
		{"actions/limit", func() (int, error) {
			r, err := s.Actions(ctx, graph.ActionFilter{Session: long.SessionID, Limit: 20})
			return len(r), err
		}},
		{"action", func() (int, error) { _, err := s.Action(ctx, actions[0].ActionID); return 1, err }},
		{"tools/session", func() (int, error) { r, err := s.Tools(ctx, long.SessionID); return len(r), err }},
		{"tools/all", func() (int, error) { r, err := s.Tools(ctx, ""); return len(r), err }},
		{"summary/session", func() (int, error) { r, err := s.Summary(ctx, long.SessionID); return int(r.ActionCount), err }},
		{"summary/all", func() (int, error) { r, err := s.Summary(ctx, ""); return int(r.ActionCount), err }},
		{"search/common", search(graph.SearchQuery{Words: "bash", Limit: 20})},
		{"search/common all", search(graph.SearchQuery{Words: "bash", All: true, Limit: 20})},
		{"search/two", search(graph.SearchQuery{Words: "bash echo", Limit: 20})},
		{"search/phrase", search(graph.SearchQuery{Words: "new.txt", Limit: 20})},
		{"search/prefix", search(graph.SearchQuery{Words: "ba*", Limit: 20})},
		{"search/session", search(graph.SearchQuery{Words: "bash", Session: long.SessionID, Limit: 20})},
		{"search/failed", search(graph.SearchQuery{Words: "bash", Failed: true, Limit: 20})},
	} {
		b.Run(c.name, func(b *testing.B) {
			for range 5 { // the JVM compiles what it has seen some times
				if _, err := c.ask(); err != nil {
					b.Fatal(err)
				}
			}
			answers, worst := 0, time.Duration(0)
			for b.Loop() {
				start := time.Now()
				n, err := c.ask()
				if err != nil || n == 0 {
					b.Fatal(n, err)
				}
				answers, worst = n, max(worst, time.Since(start))
			}
			b.ReportMetric(float64(answers), "rows")
			b.ReportMetric(float64(worst.Microseconds())/1000, "worst-ms")
		})
	}
}
