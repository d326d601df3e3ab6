// Package storetest is what every store must do: a conformance suite, random op
// streams against a reference in memory, and that reference.
package storetest

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/schema"
)

// Run holds a store against its contract. open gives an empty store each time,
// which may be closed twice. A store that is a connector.Reader too is held
// against the reference's answers.
func Run(t *testing.T, open func(t *testing.T) connector.Store) {
	for _, c := range []struct {
		name string
		test func(*testing.T, *pair)
	}{
		{"empty", testEmpty},
		{"put twice", testPutTwice},
		{"suffix again", testSuffixAgain},
		{"delete what is absent", testDeleteAbsent},
		{"null removes", testNullRemoves},
		{"order inside a batch", testOrder},
		{"delete takes edges", testDeleteTakesEdges},
		{"session deleted", testSessionDeleted},
		{"moved in its lane", testMovedInLane},
		{"nothing on failure", testAtomic},
		{"nothing on conflict", testConflict},
		{"many sessions at once", testManySessions},
		{"reset", testReset},
		{"reset to a stub", testResetToStub},
		{"stub then fill", testStubThenFill},
		{"fill then stub", testFillThenStub},
		{"edge before its end", testEdgeBeforeEnd},
		{"shared nodes stay", testSharedStay},
		{"values", testValues},
		{"search", testSearch},
		{"read thoughts", testThoughts},
		{"newest first", testNewestFirst},
		{"tool statistics", testToolStats},
		{"profile", testProfile},
		{"usage", testUsage},
		{"files", testFiles},
		{"two journals", testTwoJournals},
		{"owner imported", testOwnerImported},
		{"continuation imported", testContinuationImported},
		{"imported first", testImportedFirst},
		{"nothing when owned", testNothingWhenOwned},
		{"seal head", testSealHead},
		{"forget", testForget},
		{"forget what is pointed at", testForgetPointed},
		{"forget a continuation", testForgetContinuation},
		{"forget what was absorbed", testForgetAbsorbed},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.test(t, &pair{t: t, store: open(t), memory: NewMemory()})
		})
	}
	for name, test := range map[string]func(*rapid.T, *pair){"random": testRandom, "random forget": testForgetRandom} {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) {
				p := &pair{t: rt, store: open(t), memory: NewMemory()}
				defer p.store.Close()
				test(rt, p)
			})
		})
	}
}

// failer is what a test and a random one have in common.
type failer interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// pair is a store and the reference, which get the same batches.
type pair struct {
	t         failer
	store     connector.Store
	memory    *Memory
	positions map[string]schema.Position
	asked     int // how often answers were compared
}

// apply applies ops to the session's fold and compares the session.
func (p *pair) apply(session string, ops ...graph.Op) {
	p.t.Helper()
	p.applyBatches(p.batch(session, ops...))
}

// batch is the next batch of a session.
func (p *pair) batch(session string, ops ...graph.Op) graph.Batch {
	if p.positions == nil {
		p.positions = map[string]schema.Position{}
	}
	from := p.positions[session]
	to := schema.Position{Offset: from.Offset + 100, Sum: ^uint64(from.Offset), First: 1<<63 + 1}
	p.positions[session] = to
	return graph.Batch{Journal: journal, Session: session, From: from, To: to, Ops: held(session, ops)}
}

func (p *pair) applyBatches(batches ...graph.Batch) {
	p.t.Helper()
	ctx := context.Background()
	if err := p.store.Apply(ctx, batches); err != nil {
		p.t.Fatalf("apply: %v", err)
	}
	if err := p.memory.Apply(ctx, batches); err != nil {
		p.t.Fatalf("apply to the reference: %v", err)
	}
	for _, b := range batches {
		p.compare(b.Session)
	}
	p.comparePositions()
}

// compare holds one session's graph against the reference's.
func (p *pair) compare(session string) {
	p.t.Helper()
	want, _ := p.memory.Load(context.Background(), session)
	got, err := p.store.Load(context.Background(), session)
	if err != nil {
		p.t.Fatalf("load %s: %v", session, err)
	}
	if d := Diff(want, got); d != "" {
		p.t.Fatalf("session %s (-reference +store):\n%s", session, d)
	}
}

func (p *pair) comparePositions() {
	p.t.Helper()
	want, _ := p.memory.Positions(context.Background(), journal)
	got, err := p.store.Positions(context.Background(), journal)
	if err != nil {
		p.t.Fatalf("positions: %v", err)
	}
	if d := cmp.Diff(want, got); d != "" {
		p.t.Fatalf("positions (-reference +store):\n%s", d)
	}
}

// Diff reports how two graphs differ, in every node, edge, property and type; ""
// is not at all. Unlike graph.Diff it compares shared nodes whole.
func Diff(want, got *graph.Graph) string {
	return cmp.Diff(want.Nodes(), got.Nodes(), cmpopts.EquateEmpty()) + cmp.Diff(want.Edges(), got.Edges(), cmpopts.EquateEmpty())
}

// applyQuietly is apply without the comparison.
func (p *pair) applyQuietly(session string, ops ...graph.Op) {
	p.t.Helper()
	b := []graph.Batch{p.batch(session, ops...)}
	if err := p.store.Apply(context.Background(), b); err != nil {
		p.t.Fatalf("apply: %v", err)
	}
	if err := p.memory.Apply(context.Background(), b); err != nil {
		p.t.Fatal(err)
	}
}
