package figures

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/metrics"
	"github.com/actiongraph/actiongraph/schema"
)

// Running is a session that has begun and not ended.
type Running struct {
	SessionID   string    `json:"session_id"`
	StartedAt   time.Time `json:"started_at,omitzero"`
	LastEventAt time.Time `json:"last_event_at,omitzero"`
	// But for those of caches.
	InputTokens  int64 `json:"input_tokens"`
	OutputTokens int64 `json:"output_tokens"`
}

// of is what is kept of a session's row: none of its texts.
func of(row *graph.SessionRow) Running {
	return Running{row.SessionID, row.StartedAt, row.LastEventAt, row.TotalInputTokens, row.TotalOutputTokens}
}

func (r *Running) row() graph.SessionRow {
	return graph.SessionRow{SessionID: r.SessionID, Status: schema.StatusActive, StartedAt: r.StartedAt, LastEventAt: r.LastEventAt,
		TotalInputTokens: r.InputTokens, TotalOutputTokens: r.OutputTokens}
}

// maxShown is how many sessions have gauges of their own: those that did something last.
const maxShown = 100

// findRunning asks the store for the sessions that run. Where it cannot say so it is down, and
// asked again with its next answer.
func (t *Tally) findRunning() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	rows, err := t.Reader.Sessions(ctx, graph.SessionFilter{Status: schema.StatusActive})
	if err != nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.running = make(map[string]Running, len(rows))
	for _, row := range rows {
		t.running[row.SessionID] = of(&row)
	}
}

// run takes over what an op says of its session. The caller holds mu.
func (t *Tally) run(b *graph.Batch, op *graph.Op) {
	n := &op.Node
	if op.Kind != graph.PutNode || n.Ref != (graph.Ref{Label: graph.LabelSession, Key: b.Own()}) {
		return
	}
	r, runs := t.running[n.Key]
	row := r.row()
	if !runs {
		row = graph.SessionRow{SessionID: n.Key}
	}
	if row.Fill(n.Props); row.Status != schema.StatusActive {
		delete(t.running, n.Key)
		return
	}
	if !runs && n.Prop("started_at") == nil { // it was resumed: what it says is only what is new
		if rows, err := t.Reader.Sessions(context.Background(), graph.SessionFilter{IDPrefix: n.Key, Status: schema.StatusActive}); err == nil && len(rows) > 0 && rows[0].SessionID == n.Key {
			row = rows[0]
		}
	}
	t.running[n.Key] = of(&row)
}

// Running are the sessions that run, at most n, the one that did something last first; all is
// how many there are.
func (t *Tally) Running(n int) (some []Running, all int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.latest(n), len(t.running)
}

func (t *Tally) latest(n int) []Running {
	all := make([]Running, 0, len(t.running))
	for _, r := range t.running {
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b Running) int {
		return cmp.Or(b.LastEventAt.Compare(a.LastEventAt), cmp.Compare(a.SessionID, b.SessionID))
	})
	return all[:min(n, len(all))]
}

// Gauges sets the gauges of sessions, and removes those of sessions that run no more.
func (t *Tally) Gauges() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.Metrics.Gauge(metrics.SessionsRunning, float64(len(t.running)))
	shown := map[string]bool{}
	for _, r := range t.latest(maxShown) {
		id := r.SessionID
		shown[id] = true
		t.Metrics.Gauge(metrics.SessionLast, float64(r.LastEventAt.UnixNano())/1e9, id)
		t.Metrics.Gauge(metrics.SessionTokens, float64(r.InputTokens), id, "input")
		t.Metrics.Gauge(metrics.SessionTokens, float64(r.OutputTokens), id, "output")
	}
	for id := range t.shown {
		if !shown[id] {
			t.Metrics.Gauge(metrics.SessionLast, metrics.Gone(), id)
			t.Metrics.Gauge(metrics.SessionTokens, metrics.Gone(), id, "input")
			t.Metrics.Gauge(metrics.SessionTokens, metrics.Gone(), id, "output")
		}
	}
	t.shown = shown
}
