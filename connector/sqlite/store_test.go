package sqlite_test

import (
	"path/filepath"
	"testing"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/connector/sqlite"
	"github.com/actiongraph/actiongraph/connector/storetest"
	"github.com/actiongraph/actiongraph/graph"
)

var (
	_ connector.Store    = (*sqlite.Store)(nil)
	_ connector.Reader   = (*sqlite.Store)(nil)
	_ connector.Checker  = (*sqlite.Store)(nil)
	_ connector.Streamer = (*sqlite.Store)(nil)
	_ connector.Witness  = (*sqlite.Store)(nil)
)

func open(t *testing.T, path string, o sqlite.Options) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(path, o)
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

func TestConformance(t *testing.T) {
	storetest.Run(t, func(t *testing.T) connector.Store {
		return open(t, filepath.Join(t.TempDir(), "graph.db"), sqlite.Options{})
	})
}

// TestSearchInSession: of a session whose actions lie among those of others, and of
// one that lies alone.
func TestSearchInSession(t *testing.T) {
	s, m := open(t, filepath.Join(t.TempDir(), "graph.db"), sqlite.Options{}), storetest.NewMemory()
	many, alone := newFeed(12), newFeed(13)
	alone.sessions = alone.sessions[12:]
	var calls [][]graph.Batch
	for range 30 {
		calls = append(calls, many.take(12)) // one event of each
	}
	for _, batches := range append(calls, alone.take(40)) {
		if err := s.Apply(ctx, batches); err != nil {
			t.Fatal(err)
		}
		if err := m.Apply(ctx, batches); err != nil {
			t.Fatal(err)
		}
	}
	for _, id := range []string{many.sessions[0].id, many.sessions[5].id, alone.sessions[0].id} {
		q := graph.SearchQuery{Words: "go test", Session: id}
		want, _ := m.Search(ctx, q)
		got, err := s.Search(ctx, q)
		if err != nil || len(got) != len(want) || len(got) == 0 {
			t.Errorf("session %s: %d hits, want %d (%v)", id, len(got), len(want), err)
		}
		for _, h := range got {
			if h.Action.SessionID != id {
				t.Errorf("a hit of session %s", h.Action.SessionID)
			}
		}
	}
}
