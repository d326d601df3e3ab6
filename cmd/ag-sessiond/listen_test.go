package main

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph"
	"github.com/actiongraph/actiongraph/api"
	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/journal"
)

// found is a Reader whose searches find one call.
type found struct{ connector.Reader }

func (found) Search(_ context.Context, q graph.SearchQuery) ([]graph.SearchHit, error) {
	if !q.Recall {
		return nil, errors.New("it is no recall")
	}
	return []graph.SearchHit{{Rank: 1}}, nil
}

// broken is a store that cannot be read.
type broken struct{ connector.Reader }

func (broken) Search(context.Context, graph.SearchQuery) ([]graph.SearchHit, error) {
	return nil, errors.New("disk I/O error")
}

// A recall waits for what was posted, but not for ever, nor for what nobody will finish.
func TestRecallWaitsForTheFold(t *testing.T) {
	home := t.TempDir()
	h, err := actiongraph.Open(home, actiongraph.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	j, err := journal.Open(home)
	if err != nil {
		t.Fatal(err)
	}
	p := &posted{Home: h, journal: j, reader: found{}, replica: &connector.Replica{}, patience: 300 * time.Millisecond} // one that folds nothing
	ask := func(ctx context.Context, session string) (time.Duration, error) {
		t.Helper()
		began := time.Now()
		hits, err := p.Recall(ctx, graph.SearchQuery{Session: session})
		if len(hits) != 1 {
			t.Errorf("session %s: %d hits", session, len(hits))
		}
		return time.Since(began), err
	}
	if _, err := ask(t.Context(), "ns-nobody"); err != nil {
		t.Errorf("nothing is recorded of it: %v", err)
	}
	if _, err := h.Add(actiongraph.Grain{ToolName: "web_search"}); err != nil {
		t.Fatal(err)
	}
	if took, err := ask(t.Context(), "ns-default"); !errors.Is(err, api.ErrBehind) || took < p.patience {
		t.Errorf("behind: %v after %v", err, took)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if took, err := ask(ctx, "ns-default"); !errors.Is(err, api.ErrBehind) || took >= p.patience {
		t.Errorf("who is gone: %v after %v", err, took)
	}
	if err := os.WriteFile(home+"/journal/torn.jsonl", []byte("\n{\"v\":1,"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ask(t.Context(), "torn"); err != nil {
		t.Errorf("a torn line: %v", err)
	}
	p.reader = broken{}
	if hits, err := p.Recall(t.Context(), graph.SearchQuery{Session: "ns-default"}); hits != nil || err == nil || errors.Is(err, api.ErrBehind) {
		t.Errorf("a store that failed: %v, %v", hits, err)
	}
}
