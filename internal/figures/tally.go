// Package figures makes figures of what a store takes: events, calls of tools and models, what
// they cost, and which sessions run.
//
// Each thing counts once, when the store has it. What is put into the store again is not
// counted again: a session that is folded from its beginning counts from where the store was,
// and what a journal holds when its store is empty is history (docs/metrics.md says so to
// people). A part of a session that is both, as when something was recorded while its store was
// lost, is not counted: too little is better than twice.
//
// What a call adds is a function of its node, so that an op's share is the difference of the
// node after it and before. The store itself is what remembers the node: a call that is not
// among the latest is read from it, before it changes.
package figures

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/failure"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/metrics"
	"github.com/actiongraph/actiongraph/schema"
	"github.com/actiongraph/actiongraph/usage"
)

// Tally is a connector.Observer.
type Tally struct {
	Journal *journal.Journal
	Reader  connector.Reader // of the store that is observed
	Metrics metrics.Metrics
	Now     func() time.Time // tests set it; else time.Now

	prices atomic.Pointer[usage.Table]
	tools  metrics.Tools
	models metrics.Names

	// Only who writes to the store uses these.
	known calls
	debts map[series]float64
	// marks are offsets of sessions up to which what is folded was counted, or is history.
	marks map[string]int64

	mu      sync.Mutex
	events  int64
	recent  []connector.Noted
	running map[string]Running
	shown   map[string]bool // sessions that have gauges
}

// SetPrices takes a table over; what was counted stays as it is.
func (t *Tally) SetPrices(prices *usage.Table) { t.prices.Store(prices) }

// Holds finds out what is history: all there is where the store is empty, and what it had
// already where it has less than it had.
func (t *Tally) Holds(before, now map[string]schema.Position) {
	t.begin(before == nil)
	if before == nil && len(now) == 0 {
		files, err := t.Journal.Files()
		if err != nil {
			return // the replica says so
		}
		for _, f := range files {
			t.marks[f.Session] = f.Size
		}
	}
	for session, at := range before {
		if now[session].Offset < at.Offset {
			t.mark(session, at.Offset)
		}
	}
}

// begin readies a Tally, the first time also for the sessions that run already.
func (t *Tally) begin(first bool) {
	if t.marks == nil {
		t.marks, t.debts, t.running = map[string]int64{}, map[series]float64{}, map[string]Running{}
	}
	if first {
		t.findRunning()
	}
}

// mark notes that a session is counted up to an offset, or up to where its file ends now: one
// that was replaced may be shorter, and continues with what is new.
func (t *Tally) mark(session string, offset int64) {
	info, err := t.Journal.Stat(session)
	if err != nil {
		delete(t.marks, session)
		return
	}
	t.marks[session] = min(max(offset, t.marks[session]), info.Size)
}

// Takes reckons what a transaction adds, and adds it once it is written.
func (t *Tally) Takes(ctx context.Context, batches []graph.Batch, folded []connector.Folded) (taken func()) {
	t.begin(false)
	s := share{Tally: t, ctx: ctx, changed: map[string]*call{}, adds: map[series]float64{}}
	prices := t.prices.Load()
	if prices == nil {
		prices = &usage.Table{}
	}
	s.prices = prices
	for i := range batches {
		b := &batches[i]
		begin := b.From.Offset
		if b.Reset {
			begin = 0
			t.mark(b.Session, b.From.Offset)
		}
		s.counts = !b.Forget && begin >= t.marks[b.Session]
		for k := range b.Ops {
			s.op(&b.Ops[k])
		}
		if s.counts {
			s.events(&folded[i])
		}
	}
	return func() {
		s.settle()
		t.took(batches, folded)
	}
}

// events adds what a batch is made of.
func (s *share) events(f *connector.Folded) {
	types := schema.Types()
	for kind, c := range f.Events {
		typ, origin := string(kind.Type), string(kind.Origin)
		if !slices.Contains(types, kind.Type) {
			typ = metrics.Other
		}
		switch kind.Origin {
		case schema.OriginHook, schema.OriginTranscript, schema.OriginAudit, schema.OriginAPI:
		default:
			origin = metrics.Other
		}
		s.adds[series{metrics.Events, typ, origin}] += float64(c.N)
	}
	for _, reason := range f.Failures {
		if slices.Contains(failure.Reasons(), failure.Reason(reason)) {
			s.adds[series{name: metrics.Failures, first: reason}]++
		}
	}
	s.adds[series{name: metrics.Torn}] += float64(f.Torn)
	s.adds[series{name: metrics.Refused}] += float64(f.Refused)
	s.received = append(s.received, f.Hooks...)
}

// took notes what the store has now.
func (t *Tally) took(batches []graph.Batch, folded []connector.Folded) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range batches {
		b := &batches[i]
		if b.To.Offset >= t.marks[b.Session] {
			delete(t.marks, b.Session)
		}
		if b.Forget {
			t.recent = slices.DeleteFunc(t.recent, func(n connector.Noted) bool { return n.SessionID == b.Session })
			delete(t.running, b.Session)
		}
		for k := range b.Ops {
			t.run(b, &b.Ops[k])
		}
		for _, c := range folded[i].Events {
			t.events += int64(c.N)
		}
		t.recent = append(t.recent, folded[i].Last...)
		if more := len(t.recent) - connector.MaxNoted; more > 0 {
			t.recent = append(t.recent[:0], t.recent[more:]...)
		}
	}
}

// Events is how many events the store took since the process began.
func (t *Tally) Events() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.events
}

// Recent are the latest events that the store took, at most n and connector.MaxNoted, the
// latest last.
func (t *Tally) Recent(n int) []connector.Noted {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := slices.Clone(t.recent[max(0, len(t.recent)-n):])
	for i := range out { // whoever writes to the journal by hand may write anything
		if !schema.ValidID(out[i].EventID) {
			out[i].EventID = metrics.Unknown
		}
		if !slices.Contains(schema.Types(), out[i].EventType) {
			out[i].EventType = schema.Unknown
		}
	}
	return out
}
