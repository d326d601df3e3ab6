package storetest

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/schema"
)

// Sharer is a store that tells which tools, tags and files it holds, sorted: its tests give
// it the method, so that the cases see what no edge ends at any more.
type Sharer interface {
	SharedNodes(ctx context.Context) ([]graph.Ref, error)
}

// forgets is the batch that makes a store forget what a journal recorded of a session.
func forgets(journal, session string, from schema.Position) graph.Batch {
	return graph.Batch{Journal: journal, Session: session, From: from, Reset: true, Forget: true}
}

// forget forgets a session of the first journal in both stores.
func (p *pair) forget(session string) {
	p.t.Helper()
	b := forgets(journal, session, p.positions[session])
	delete(p.positions, session)
	p.applyBatches(b)
	p.compact()
}

// compact has the store tidy up, and compares what is left of shared nodes.
func (p *pair) compact() {
	p.t.Helper()
	ctx := context.Background()
	if c, ok := p.store.(connector.Compactor); ok {
		if err := c.Compact(ctx); err != nil {
			p.t.Fatalf("compact: %v", err)
		}
	}
	s, ok := p.store.(Sharer)
	if !ok {
		return
	}
	want, _ := p.memory.SharedNodes(ctx)
	got, err := s.SharedNodes(ctx)
	if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" || err != nil {
		p.t.Fatalf("shared nodes: %v (-reference +store):\n%s", err, d)
	}
}

// testForget: a session that is forgotten leaves nothing, neither its position nor what only
// it referred to, and what others refer to as well stays.
func testForget(t *testing.T, p *pair) {
	ctx := context.Background()
	p.apply("a", own("a", small("a"))...)
	p.apply("b", own("b", small("b"))...)
	lone := ref(graph.LabelTag, "of a alone")
	p.apply("a", put(lone, ""), putEdge(graph.HasTag, ref(graph.LabelSession, "a"), lone))
	wrong := forgets(journal, "a", p.positions["b"])
	wrong.From.Offset++
	if err := p.store.Apply(ctx, []graph.Batch{wrong}); !errors.Is(err, graph.ErrConflict) {
		t.Fatalf("forgotten from where it is not: %v", err)
	}
	p.compare("a")
	p.forget("a")
	p.compare("b")
	p.compareAnswers("a", "b")
	if g, _ := p.store.Load(ctx, "a"); len(g.Nodes())+len(g.Edges()) > 0 {
		t.Errorf("of what was forgotten there is %v", g.Nodes())
	}
	p.forget("a") // again: there is nothing
	p.forget("b")
	p.compareAnswers("a", "b")
	if s, ok := p.store.(Sharer); ok {
		if refs, _ := s.SharedNodes(ctx); len(refs) > 0 {
			t.Errorf("nothing refers to %v", refs)
		}
	}
	p.apply("b", own("b", small("b"))...) // and what comes anew is whole
	p.compareAnswers("a", "b")
}

// testForgetPointed: another session points at the one that is forgotten: that is the
// other's to tell, until it is forgotten too.
func testForgetPointed(t *testing.T, p *pair) {
	a, fork := ref(graph.LabelSession, "a"), ref(graph.LabelSession, "fork")
	p.apply("a", own("a", small("a"))...)
	p.apply("fork", put(fork, ""), put(a, "", graph.Prop{Name: "name", Value: "a"}), putEdge(graph.ForkedFrom, fork, a))
	p.forget("a")
	p.compare("fork")
	p.compareAnswers("a", "fork")
	if g, _ := p.store.Load(context.Background(), "a"); len(g.Nodes()) != 1 || len(g.Nodes()[0].Props) > 0 {
		t.Errorf("want a stub, there is %v", g.Nodes())
	}
	p.apply("a", own("a", small("a"))...) // undone
	p.forget("fork")
	p.compare("a")
	p.forget("a")
	p.compare("fork")
}

// testForgetContinuation: of two journals' records of one session each is forgotten alone.
func testForgetContinuation(t *testing.T, p *pair) {
	if !p.shared(t) {
		return
	}
	id, ops := part()
	p.apply("s", small("s")...)
	p.applyOther(other(0, 10, id, ops...), "s", id)
	p.applyOther(forgets(second, "s", other(10, 20, id).From), "s", id)
	if g, _ := p.store.Load(context.Background(), id); len(g.Nodes()) > 0 {
		t.Fatalf("the continuation is still there: %v", g.Nodes())
	}
	p.compact()
	p.applyOther(other(0, 10, id, ops...), "s", id)
	p.forget("s") // the owner's: what continues it stays, and points at a stub
	p.compareAll("s", id)
	p.applyOther(other(10, 20, id, put(ref(graph.LabelSession, id), "", graph.Prop{Name: "status", Value: "completed"})), "s", id)
	p.applyOther(forgets(second, "s", other(20, 30, id).From), "s", id)
	p.compact()
	if g, _ := p.store.Load(context.Background(), "s"); len(g.Nodes()) > 0 {
		t.Fatalf("nothing points at the stub %v", g.Nodes())
	}
}

// testForgetAbsorbed: a record that was imported into another journal's. Who is in the
// other's forgets only that it is; what the other forgets takes all of it, and the imported
// journal at rest puts nothing back.
func testForgetAbsorbed(t *testing.T, p *pair) {
	if !p.shared(t) {
		return
	}
	id, ops := part()
	takeIn := func() {
		p.applyOther(other(0, 10, id, ops...), "s", id)
		b := p.batch("s", put(message, graph.UserMessage, graph.Prop{Name: "text", Value: "imported"}))
		b.Absorbs = []graph.Imported{{Journal: second, Offset: 15}}
		p.applyBatches(b)
		p.compareAll("s", id)
	}
	p.apply("s", small("s")...)
	takeIn()
	p.applyOther(forgets(second, "s", other(10, 20, id).From), "s", id)
	p.compact()
	takeIn()
	p.forget("s")
	p.compareAll("s", id)
	p.applyOther(other(10, 15, "s"), "s", id) // at rest
	if g, _ := p.store.Load(context.Background(), "s"); len(g.Nodes()) > 0 {
		t.Fatalf("what was forgotten is back: %v", g.Nodes())
	}
	whole := other(15, 20, id, ops...) // it records more: its own, whole
	whole.Reset = true
	p.applyOther(whole, "s", id)
}

// testForgetRandom: after any history in which sessions are forgotten the store is one that
// never saw them.
func testForgetRandom(rt *rapid.T, p *pair) {
	ctx := context.Background()
	w := newWorld(rt, 3)
	gone := map[*life]bool{}
	var history []graph.Batch
	for range rapid.IntRange(2, 6).Draw(rt, "calls") {
		l := pick(w, w.sessions)
		if l.pos != (schema.Position{}) && w.odds(3) {
			b := []graph.Batch{forgets(journal, l.id, l.pos)}
			l.forget()
			l.pos, gone[l] = schema.Position{}, true
			p.applyBatches(b...)
			p.compact()
		} else if !gone[l] {
			b := w.batch(l)
			history = append(history, b)
			p.applyBatches(b)
		}
	}
	never := NewMemory()
	for _, b := range history {
		kept := true
		for l := range gone {
			kept = kept && l.id != b.Session
		}
		if !kept {
			continue
		}
		if err := never.Apply(ctx, []graph.Batch{b}); err != nil {
			rt.Fatal(err)
		}
	}
	want, _ := never.SharedNodes(ctx)
	if got, _ := p.memory.SharedNodes(ctx); !slices.Equal(want, got) {
		rt.Fatalf("shared nodes %v, never seen: %v", got, want)
	}
	p.memory = never
	p.comparePositions()
	for _, l := range w.sessions {
		p.compare(l.id)
	}
	if len(gone) > 0 && w.odds(4) { // the reference and the store agree on all else already
		p.compareAnswers(w.sessions[0].id, w.sessions[1].id, w.sessions[2].id)
	}
}
