package storetest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/schema"
)

// Memory is the reference: a store that is as plain as its contract, and what the
// others are held against. It implements connector.Store and connector.Reader.
type Memory struct {
	mu        sync.Mutex
	positions map[[2]string]schema.Position // by journal and session
	continued map[[2]string]bool            // likewise: held as a continuation
	owners    map[string]string             // the journal that owns a session
	folds     map[string]*graph.Graph       // what each session's own fold has put
	shared    *graph.Graph                  // tools, tags and files
}

// NewMemory returns an empty store.
func NewMemory() *Memory {
	return &Memory{
		positions: map[[2]string]schema.Position{},
		continued: map[[2]string]bool{},
		owners:    map[string]string{},
		folds:     map[string]*graph.Graph{},
		shared:    graph.New(),
	}
}

// Positions returns the position of every session of one journal.
func (m *Memory) Positions(_ context.Context, journal string) (map[string]schema.Position, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := map[string]schema.Position{}
	for k, p := range m.positions {
		if k[0] == journal {
			out[k[1]] = p
		}
	}
	return out, nil
}

// Continued returns which of a journal's sessions are held as continuations.
func (m *Memory) Continued(_ context.Context, journal string) (map[string]bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := map[string]bool{}
	for k := range m.continued {
		if k[0] == journal {
			out[k[1]] = true
		}
	}
	return out, nil
}

// Apply writes all batches or none.
func (m *Memory) Apply(ctx context.Context, batches []graph.Batch) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	positions, owners := maps.Clone(m.positions), maps.Clone(m.owners)
	var owned graph.OwnedError
	for _, b := range batches {
		k := [2]string{b.Journal, b.Session}
		if positions[k] != b.From {
			return fmt.Errorf("session %s at %v, expected %v: %w", b.Session, positions[k], b.From, graph.ErrConflict)
		}
		positions[k] = b.To
		owner := owners[b.Session]
		switch {
		case owner == b.Journal && b.Continues:
			return fmt.Errorf("session %s is the journal's own, not a continuation: %w", b.Session, graph.ErrConflict)
		case owner == "" && !b.Continues, slices.Contains(b.Absorbs, owner):
			owners[b.Session] = b.Journal
		case owner != b.Journal && !b.Continues:
			owned.Sessions = append(owned.Sessions, b.Session)
		}
		for _, op := range b.Ops {
			if op.Kind == graph.DelNode && op.Node.Label.Shared() {
				return fmt.Errorf("%s %s is shared: a fold never deletes it", op.Node.Label, op.Node.Key)
			}
			if op.Kind < graph.DelEdge || op.Kind > graph.PutEdge {
				return fmt.Errorf("op of unknown kind %d", op.Kind)
			}
		}
	}
	if len(owned.Sessions) > 0 {
		return &owned
	}
	for _, b := range batches {
		m.absorb(b)
		m.positions[[2]string{b.Journal, b.Session}] = b.To
		m.fold(b)
	}
	return nil
}

// absorb drops what the journals that a batch has taken in wrote of its session.
func (m *Memory) absorb(b graph.Batch) {
	for _, other := range b.Absorbs {
		delete(m.positions, [2]string{other, b.Session})
		delete(m.continued, [2]string{other, b.Session})
		delete(m.folds, graph.ContinuationID(b.Session, other))
		if m.owners[b.Session] == other {
			delete(m.folds, b.Session)
			m.owners[b.Session] = b.Journal
		}
	}
	if m.owners[b.Session] == "" && !b.Continues {
		m.owners[b.Session] = b.Journal
	}
}

func (m *Memory) fold(b graph.Batch) {
	k := [2]string{b.Journal, b.Session}
	if b.Reset {
		delete(m.folds, b.Own())
		if m.continued[k] {
			delete(m.folds, graph.ContinuationID(b.Session, b.Journal))
		}
	}
	delete(m.continued, k)
	if b.Continues {
		m.continued[k] = true
	}
	g := m.folds[b.Own()]
	if g == nil {
		g = graph.New()
		m.folds[b.Own()] = g
	}
	g.Apply(b.Ops...)
	for _, op := range b.Ops {
		if op.Kind == graph.PutNode && op.Node.Label.Shared() {
			m.shared.Apply(op)
		}
	}
}

// Load returns the session's fold with the shared nodes that it points at, and the
// Sessions at the other ends of its edges as stubs.
func (m *Memory) Load(_ context.Context, session string) (*graph.Graph, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.load(session), nil
}

func (m *Memory) load(session string) *graph.Graph {
	out := graph.New()
	put := func(n *graph.Node) { out.Apply(graph.Op{Kind: graph.PutNode, Node: *n}) }
	if g := m.folds[session]; g != nil {
		for _, n := range g.Nodes() {
			if !n.Label.Shared() && (n.Label != graph.LabelSession || n.Key == session) {
				put(n)
			}
		}
		for _, e := range g.Edges() {
			out.Apply(graph.Op{Kind: graph.PutEdge, Edge: e})
			for _, end := range []graph.Ref{e.From, e.To} {
				if n := m.shared.Node(end); n != nil {
					put(n)
				} else if end.Label == graph.LabelSession && end.Key != session {
					put(&graph.Node{Ref: end})
				}
			}
		}
	}
	own := graph.Ref{Label: graph.LabelSession, Key: session}
	if out.Node(own) == nil && m.pointedAt(own) {
		put(&graph.Node{Ref: own})
	}
	return out
}

// pointedAt reports whether another session's edge ends at s.
func (m *Memory) pointedAt(s graph.Ref) bool {
	for id, g := range m.folds {
		if id == s.Key {
			continue
		}
		for _, e := range g.Edges() {
			if e.From == s || e.To == s {
				return true
			}
		}
	}
	return false
}

// Close does nothing.
func (m *Memory) Close() error { return nil }
