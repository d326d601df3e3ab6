package storetest

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/schema"
)

// second is the journal of another machine.
const second = "fedcba9876543210"

// other is the second journal's next batch of the session "s", of which the ops are
// for own, the id that it is held under.
func other(from, to int64, own string, ops ...graph.Op) graph.Batch {
	at := func(n int64) schema.Position {
		if n == 0 {
			return schema.Position{}
		}
		return schema.Position{Offset: n, Sum: uint64(n), First: 3}
	}
	b := graph.Batch{Journal: second, Session: "s", From: at(from), To: at(to), Ops: held(own, ops)}
	b.Continues = own != "s"
	return b
}

// part is the ops of the continuation of "s" in the second journal.
func part() (id string, ops []graph.Op) {
	id = graph.ContinuationID("s", second)
	self, s := ref(graph.LabelSession, id), ref(graph.LabelSession, "s")
	ops = own(id, small(id))
	return id, append(ops, put(s, "", graph.Prop{Name: "name", Value: "s"}), putEdge(graph.Continues, self, s))
}

// applyOther applies a batch of the second journal and compares the sessions.
func (p *pair) applyOther(b graph.Batch, sessions ...string) {
	p.t.Helper()
	for _, store := range []connector.Store{p.memory, p.store} {
		if err := store.Apply(context.Background(), []graph.Batch{b}); err != nil {
			p.t.Fatalf("%T: %v", store, err)
		}
	}
	p.compareAll(sessions...)
}

func (p *pair) compareAll(sessions ...string) {
	p.t.Helper()
	for _, s := range sessions {
		p.compare(s)
	}
	p.compareAnswers(sessions...)
	for _, j := range []string{journal, second} {
		want, _ := p.memory.Positions(context.Background(), j)
		got, err := p.store.Positions(context.Background(), j)
		if d := cmp.Diff(want, got); d != "" || err != nil {
			p.t.Fatalf("positions of journal %s: %v (-reference +store):\n%s", j, err, d)
		}
		standings, _ := p.memory.Standings(context.Background(), j)
		have, err := p.store.(connector.Shared).Standings(context.Background(), j)
		if d := cmp.Diff(standings, have); d != "" || err != nil {
			p.t.Fatalf("standings of journal %s: %v (-reference +store):\n%s", j, err, d)
		}
	}
}

// shared tells whether the store is one that several journals write.
func (p *pair) shared(t *testing.T) bool {
	_, ok := p.store.(connector.Shared)
	if !ok {
		t.Log("the store belongs to one journal")
	}
	return ok
}

func wantOwned(t *testing.T, err error) {
	t.Helper()
	var owned *graph.OwnedError
	if !errors.As(err, &owned) || !slices.Equal(owned.Sessions, []string{"s"}) {
		t.Fatalf("want an OwnedError of s, have %v", err)
	}
}

// testTwoJournals: what a second journal records of a session is one of its own, with
// a position of its own, and dropping the one leaves the other.
func testTwoJournals(t *testing.T, p *pair) {
	if !p.shared(t) {
		return
	}
	p.apply("s", small("s")...)
	id, ops := part()
	wantOwned(t, p.store.Apply(context.Background(), []graph.Batch{other(0, 10, "s", ops...)}))
	p.compareAll("s", id)
	p.applyOther(other(0, 10, id, ops...), "s", id)
	p.applyOther(other(10, 20, id, put(ref(graph.LabelSession, id), "", graph.Prop{Name: "status", Value: "completed"})), "s", id)
	b := p.batch("s", small("s")...)
	b.Reset = true
	p.applyBatches(b)
	p.compareAll("s", id)
	b = other(20, 30, id)
	b.Reset = true
	p.applyOther(b, "s", id)
	if g, _ := p.store.Load(context.Background(), id); len(g.Nodes()) > 0 {
		t.Fatalf("the continuation is still there: %v", g.Nodes())
	}
	// A journal does not continue what is its own.
	mine := p.batch("s")
	mine.Continues = true
	if err := p.store.Apply(context.Background(), []graph.Batch{mine}); !errors.Is(err, graph.ErrConflict) {
		t.Fatalf("a continuation of its own session: %v", err)
	}
	p.compareAll("s", id)
}

// testContinuationImported: the owner takes the second journal's record in. That one is
// at rest until it records more than was imported.
func testContinuationImported(t *testing.T, p *pair) {
	if !p.shared(t) {
		return
	}
	p.apply("s", small("s")...)
	id, ops := part()
	p.applyOther(other(0, 10, id, ops...), "s", id)
	early := p.batch("s")
	early.Absorbs = []graph.Imported{{Journal: second, Offset: 9}}
	p.applyBatches(early) // it had recorded more
	p.compareAll("s", id)
	b := p.batch("s", put(message, graph.UserMessage, graph.Prop{Name: "text", Value: "imported"}))
	b.Absorbs = []graph.Imported{{Journal: "0000000000000000", Offset: 5}, {Journal: second, Offset: 15}}
	p.applyBatches(b)
	p.compareAll("s", id)
	if g, _ := p.store.Load(context.Background(), id); len(g.Nodes()) > 0 {
		t.Fatalf("what was imported is there twice: %v", g.Nodes())
	}
	p.applyOther(other(10, 15, "s"), "s", id)
	for name, b := range map[string]graph.Batch{"beyond": other(15, 20, id), "ops": other(15, 15, id, ops[0])} {
		if err := p.store.Apply(context.Background(), []graph.Batch{b}); !errors.Is(err, graph.ErrConflict) {
			t.Fatalf("%s what was absorbed: %v", name, err)
		}
	}
	p.compareAll("s", id)
	whole := other(15, 20, id, ops...)
	whole.Reset = true
	p.applyOther(whole, "s", id)
}

// testOwnerImported: the second journal takes the owner's record in, and owns the
// session from then on.
func testOwnerImported(t *testing.T, p *pair) {
	if !p.shared(t) {
		return
	}
	p.apply("s", small("s")...)
	p.apply("fork", put(ref(graph.LabelSession, "fork"), ""), put(ref(graph.LabelSession, "s"), ""),
		putEdge(graph.ForkedFrom, ref(graph.LabelSession, "fork"), ref(graph.LabelSession, "s")))
	id, ops := part()
	p.applyOther(other(0, 10, id, ops...), "s", id)
	meanwhile := other(10, 12, id, ops[1])
	meanwhile.Absorbs = []graph.Imported{{Journal: journal, Offset: 100}}
	p.applyOther(meanwhile, "s", id) // who continues takes nothing over
	whole := other(12, 20, "s", small("s")[:7]...)
	whole.Reset, whole.Absorbs = true, []graph.Imported{{Journal: journal, Offset: 99}}
	wantOwned(t, p.store.Apply(context.Background(), []graph.Batch{whole})) // the owner is at 100
	p.compareAll("s", id, "fork")
	whole.Absorbs[0].Offset = 100
	p.applyOther(whole, "s", id, "fork")
	p.applyOther(other(20, 30, "s", put(message, graph.UserMessage)), "s", id, "fork")
	p.positions["s"] = schema.Position{Offset: 100, Sum: ^uint64(0), First: 1<<63 + 1}
	if err := p.store.Apply(context.Background(), []graph.Batch{p.batch("s", small("s")[1])}); !errors.Is(err, graph.ErrConflict) {
		t.Fatalf("the former owner goes on: %v", err)
	}
	p.compareAll("s", id, "fork")
}

// testImportedFirst: a record that was imported before its journal came to the store.
func testImportedFirst(t *testing.T, p *pair) {
	if !p.shared(t) {
		return
	}
	b := p.batch("s", small("s")...)
	b.Absorbs = []graph.Imported{{Journal: second, Offset: 15}}
	p.applyBatches(b)
	id, _ := part()
	p.compareAll("s", id)
	p.applyOther(other(0, 15, "s"), "s", id)
}

// testNothingWhenOwned: one session that another journal owns keeps all of a call
// from the store.
func testNothingWhenOwned(t *testing.T, p *pair) {
	if !p.shared(t) {
		return
	}
	p.apply("s", small("s")...)
	_, ops := part()
	good := graph.Batch{Journal: second, Session: "fine", To: schema.Position{Offset: 1}, Ops: held("fine", own("fine", small("fine")))}
	wantOwned(t, p.store.Apply(context.Background(), []graph.Batch{good, other(0, 10, "s", ops...)}))
	p.compareAll("s", "fine")
}
