package sqlite_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/actiongraph/actiongraph/connector/sqlite"
	"github.com/actiongraph/actiongraph/connector/storetest"
	"github.com/actiongraph/actiongraph/graph"
)

func inMemory(t *testing.T) *sqlite.Store {
	t.Helper()
	s, err := sqlite.InMemory()
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

// A store in memory answers as one in a file does, forgetting included, and nothing of it is
// in another one.
func TestInMemory(t *testing.T) {
	s, reference, f := inMemory(t), storetest.NewMemory(), newFeed(3)
	for range 40 {
		batches := f.take(3)
		if err := s.Apply(ctx, batches); err != nil {
			t.Fatal(err)
		}
		if err := reference.Apply(ctx, batches); err != nil {
			t.Fatal(err)
		}
	}
	for _, session := range f.sessions {
		want, _ := reference.Load(ctx, session.id)
		got, err := s.Load(ctx, session.id)
		if err != nil || len(want.Nodes()) < 2 {
			t.Fatal(err, len(want.Nodes()))
		}
		if changes := graph.Diff(want, got); len(changes) > 0 {
			t.Errorf("session %s: %v", session.id, changes)
		}
		query := graph.SearchQuery{Words: "go test", Session: session.id}
		wantHits, _ := reference.Search(ctx, query)
		hits, err := s.Search(ctx, query)
		if err != nil || len(hits) != len(wantHits) {
			t.Errorf("session %s: %d hits, want %d (%v)", session.id, len(hits), len(wantHits), err)
		}
	}
	wantSum, _ := reference.Summary(ctx, "")
	sum, err := s.Summary(ctx, "")
	if diff := cmp.Diff(wantSum, sum); diff != "" || err != nil {
		t.Errorf("summary (-want +got, %v):\n%s", err, diff)
	}
	if err := s.Maintain(ctx); err != nil {
		t.Error(err)
	}
	if sum, err := inMemory(t).Summary(ctx, ""); err != nil || sum.ActionCount != 0 {
		t.Errorf("another store has %d actions (%v)", sum.ActionCount, err)
	}
}
