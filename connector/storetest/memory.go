package storetest

import (
	"context"
	"fmt"
	"maps"
	"sync"

	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/schema"
)

// Memory is the reference: a store that is as plain as its contract, and what the
// others are held against. It implements connector.Store and connector.Reader.
type Memory struct {
	mu        sync.Mutex
	positions map[[2]string]schema.Position // by journal and session
	standings map[[2]string]graph.Standing  // likewise, of those that are not simply its own
	owners    map[string]string             // the journal that owns a session
	folds     map[string]*graph.Graph       // what each session's own fold has put
	shared    *graph.Graph                  // tools, tags and files
	seals     map[string]schema.SealHead    // by journal
}

// NewMemory returns an empty store.
func NewMemory() *Memory {
	return &Memory{
		positions: map[[2]string]schema.Position{},
		standings: map[[2]string]graph.Standing{},
		owners:    map[string]string{},
		folds:     map[string]*graph.Graph{},
		shared:    graph.New(),
		seals:     map[string]schema.SealHead{},
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

// Standings returns how a journal's sessions are held that are not simply its own.
func (m *Memory) Standings(_ context.Context, journal string) (map[string]graph.Standing, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := map[string]graph.Standing{}
	for k, s := range m.standings {
		if k[0] == journal && s != (graph.Standing{}) {
			out[k[1]] = s
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
	before := Memory{positions: maps.Clone(m.positions), standings: maps.Clone(m.standings), owners: maps.Clone(m.owners),
		folds: maps.Clone(m.folds)}
	err := m.applyAll(batches)
	if err != nil {
		m.positions, m.standings, m.owners, m.folds = before.positions, before.standings, before.owners, before.folds
	}
	return err
}

func (m *Memory) applyAll(batches []graph.Batch) error {
	for _, b := range batches {
		if err := checkOps(b.Ops); err != nil {
			return err
		}
	}
	var owned graph.OwnedError
	for _, b := range batches {
		mine, err := m.claim(b)
		if err != nil {
			return err
		}
		if !mine {
			owned.Sessions = append(owned.Sessions, b.Session)
		}
	}
	if len(owned.Sessions) > 0 {
		return &owned
	}
	for _, b := range batches {
		m.fold(b)
	}
	return nil
}

func checkOps(ops []graph.Op) error {
	for _, op := range ops {
		if op.Kind == graph.DelNode && op.Node.Label.Shared() {
			return fmt.Errorf("%s %s is shared: a fold never deletes it", op.Node.Label, op.Node.Key)
		}
		if op.Kind < graph.DelEdge || op.Kind > graph.PutEdge {
			return fmt.Errorf("op of unknown kind %d", op.Kind)
		}
	}
	return nil
}

// claim moves the position of a batch's session, and drops what the journals that it has
// taken in put. It reports whether the batch may write as it says.
func (m *Memory) claim(b graph.Batch) (mine bool, err error) {
	k := [2]string{b.Journal, b.Session}
	if m.positions[k] != b.From {
		return false, fmt.Errorf("session %s at %v, expected %v: %w", b.Session, m.positions[k], b.From, graph.ErrConflict)
	}
	if m.positions[k] = b.To; b.Forget {
		return true, nil
	}
	if absorbed := m.standings[k].Absorbed; absorbed > 0 && !b.Reset {
		if len(b.Ops) > 0 || b.To.Offset > absorbed {
			return false, fmt.Errorf("session %s was absorbed: %w", b.Session, graph.ErrConflict)
		}
		return true, nil
	}
	m.standings[k] = graph.Standing{Continues: m.standings[k].Continues}
	for _, other := range b.Absorbs {
		m.absorb(b, other)
	}
	switch owner := m.owners[b.Session]; {
	case owner == b.Journal && b.Continues:
		return false, fmt.Errorf("session %s is the journal's own, not a continuation: %w", b.Session, graph.ErrConflict)
	case owner == "" && !b.Continues:
		m.owners[b.Session] = b.Journal
	case owner != b.Journal && !b.Continues:
		return false, nil
	}
	return true, nil
}

// absorb drops what another journal wrote of a batch's session, if all of it was
// imported.
func (m *Memory) absorb(b graph.Batch, other graph.Imported) {
	k := [2]string{other.Journal, b.Session}
	owns := m.owners[b.Session] == other.Journal
	if other.Journal == b.Journal || m.positions[k].Offset > other.Offset || owns && b.Continues {
		return
	}
	m.standings[k] = graph.Standing{Absorbed: max(other.Offset, m.standings[k].Absorbed)}
	delete(m.folds, graph.ContinuationID(b.Session, other.Journal))
	if owns {
		delete(m.folds, b.Session)
		m.owners[b.Session] = b.Journal
	}
}

func (m *Memory) fold(b graph.Batch) {
	k := [2]string{b.Journal, b.Session}
	if b.Forget {
		m.forget(k)
		return
	}
	if m.standings[k].Absorbed > 0 && !b.Reset {
		return
	}
	if b.Reset {
		delete(m.folds, b.Own())
		if m.standings[k].Continues {
			delete(m.folds, graph.ContinuationID(b.Session, b.Journal))
		}
	}
	m.standings[k] = graph.Standing{Continues: b.Continues}
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

// forget drops what a journal wrote of a session. What is in another journal's record stays.
func (m *Memory) forget(k [2]string) {
	delete(m.positions, k)
	delete(m.standings, k)
	delete(m.folds, graph.ContinuationID(k[1], k[0]))
	if m.owners[k[1]] == k[0] {
		delete(m.owners, k[1])
		delete(m.folds, k[1])
	}
}

// used returns the ends of all edges.
func (m *Memory) used() map[graph.Ref]bool {
	used := map[graph.Ref]bool{}
	for _, g := range m.folds {
		for _, e := range g.Edges() {
			used[e.From], used[e.To] = true, true
		}
	}
	return used
}

// SharedNodes returns the tools, tags and files that an edge ends at, sorted.
func (m *Memory) SharedNodes(context.Context) ([]graph.Ref, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var refs []graph.Ref
	used := m.used()
	for _, n := range m.shared.Nodes() {
		if used[n.Ref] {
			refs = append(refs, n.Ref)
		}
	}
	return refs, nil
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
