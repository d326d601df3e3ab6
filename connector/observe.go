package connector

import (
	"context"
	"strings"
	"time"

	"github.com/actiongraph/actiongraph/failure"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/metrics"
	"github.com/actiongraph/actiongraph/schema"
)

// Observer learns what a store takes. It is asked by one goroutine at a time, on the way of
// what is being written.
type Observer interface {
	// Holds is called when the store has said what it holds of the journal; before is what
	// was known of that until then, nil the first time. It keeps neither.
	Holds(before, now map[string]schema.Position)
	// Takes is called before a transaction is written, and what it returns once the store has
	// taken all of it: what it did not take is folded again. folded says of each batch what
	// it is made of. Nothing of the batches' ops is kept.
	Takes(ctx context.Context, batches []graph.Batch, folded []Folded) (taken func())
}

// Folded is what a batch is made of.
type Folded struct {
	Events   map[Kind]*Count
	Last     []Noted     // the latest of them, in the order of the journal
	Hooks    []time.Time // when each of those that hooks tell of was received
	Failures []string    // the reasons of those that tell what failed in recording
	Torn     int         // lines that are no records
	Refused  int         // lines that are no events
}

// Kind is what an event is, and through which door it came.
type Kind struct {
	Type   schema.Type
	Origin schema.Origin
}

// Count is how many events there are of a kind.
type Count struct {
	Kind
	N int
}

// Noted is one event that was folded.
type Noted struct {
	EventID   string      `json:"event_id"`
	EventType schema.Type `json:"event_type"`
	SessionID string      `json:"session_id"`
	Timestamp time.Time   `json:"timestamp"`
}

// MaxNoted is how many events of a batch Folded.Last has at least, where there are as many.
const MaxNoted = 100

// note adds an event of a session. It keeps no text of the event's: they are those of a read
// buffer, and so must be no key of a map either, which an assignment would put there.
func (f *Folded) note(e *schema.Event, session string) {
	c := f.Events[Kind{e.EventType, e.Origin}]
	if c == nil {
		if f.Events == nil {
			f.Events = map[Kind]*Count{}
		}
		c = &Count{Kind: Kind{schema.Type(strings.Clone(string(e.EventType))), schema.Origin(strings.Clone(string(e.Origin)))}}
		f.Events[c.Kind] = c
	}
	c.N++
	if e.Origin == schema.OriginHook {
		f.Hooks = append(f.Hooks, e.Timestamp)
	}
	if e.EventType == schema.Error && e.Origin == schema.OriginAPI && e.Reason != "" {
		f.Failures = append(f.Failures, strings.Clone(e.Reason))
	}
	if len(f.Last) == 2*MaxNoted {
		f.Last = append(f.Last[:0], f.Last[MaxNoted:]...)
	}
	f.Last = append(f.Last, Noted{strings.Clone(e.EventID), c.Type, session, e.Timestamp})
}

// observe tells the observer what is about to be written.
func (p *pass) observe(ctx context.Context, tx *transaction) (taken func()) {
	if p.Observer == nil {
		return func() {}
	}
	return p.Observer.Takes(ctx, tx.batches, tx.folded)
}

// measure says how one transaction went.
func (p *pass) measure(batches []graph.Batch, took time.Duration, err error) {
	p.Metrics.Histogram(metrics.Writes, took.Seconds(), p.Name)
	if err != nil {
		p.failed(err)
		return
	}
	ops, resets := 0, 0
	for i := range batches {
		ops += len(batches[i].Ops)
		if batches[i].Reset && !batches[i].Forget {
			resets++
		}
	}
	p.Metrics.Counter(metrics.Batches, float64(len(batches)), p.Name)
	p.Metrics.Counter(metrics.Ops, float64(ops), p.Name)
	p.Metrics.Counter(metrics.Resets, float64(resets), p.Name)
}

// failed counts a failure of the store.
func (r *Replica) failed(err error) {
	reason, _ := reasonOf(err)
	r.Metrics.Counter(metrics.StoreFailures, 1, r.Name, knownReason(reason))
}

// clock measures one session's fold.
func (f *folding) clock(began time.Time) {
	f.Metrics.Histogram(metrics.Folds, time.Since(began).Seconds(), f.Name)
}

// knownReason is a reason of the taxonomy.
func knownReason(reason string) string {
	for _, r := range failure.Reasons() {
		if string(r) == reason {
			return reason
		}
	}
	return metrics.Other
}
