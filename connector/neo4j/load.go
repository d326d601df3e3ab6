package neo4j

import (
	"context"

	driver "github.com/neo4j/neo4j-go-driver/v5/neo4j"

	"github.com/actiongraph/actiongraph/cypher"
	"github.com/actiongraph/actiongraph/graph"
)

// Load returns what the database holds of one session: what its own fold put, and the
// Sessions at the other ends of its edges as stubs, without properties. A Session that
// only others point at is such a stub itself.
func (s *Store) Load(ctx context.Context, session string) (*graph.Graph, error) {
	var g *graph.Graph
	err := s.Stream(ctx, session, func() func(*graph.Op) error {
		g = graph.New()
		return func(op *graph.Op) error { g.Apply(*op); return nil }
	})
	if err != nil {
		return nil, err
	}
	return g, nil
}

// Stream puts what Load returns, one node and edge after the other: see
// connector.Streamer. What the driver tries again begins anew.
func (s *Store) Stream(ctx context.Context, session string, begin func() (put func(*graph.Op) error)) error {
	info, err := s.connect(ctx)
	if err != nil {
		return s.fail("load session "+session, err)
	}
	var failed error // put's own
	_, err = s.run(ctx, s.leader(), func(tx driver.ManagedTransaction) ([]*driver.Record, error) {
		put := begin()
		l := &loader{ctx: ctx, tx: tx, dialect: info.Dialect, session: session, whole: map[graph.Ref]string{}}
		l.yield = func(op *graph.Op) error { failed = put(op); return failed }
		return nil, l.load()
	})
	if failed != nil || err == nil {
		return failed
	}
	return s.fail("load session "+session, err)
}

// loader reads one session's graph in one transaction.
type loader struct {
	ctx     context.Context
	tx      driver.ManagedTransaction
	dialect cypher.Dialect
	session string
	yield   func(*graph.Op) error
	whole   map[graph.Ref]string // keys that were too long for an index, by what the index has
}

// load puts nodes before the edges that end at them: these have a node's key as the index
// has it.
func (l *loader) load() error {
	own := graph.Ref{Label: graph.LabelSession, Key: l.session}
	err := l.each(cypher.Read(l.dialect, "load_session"), func(r row) error {
		props, _ := r["props"].(map[string]any)
		pointed, _ := r["pointed"].(bool)
		switch {
		case props["stub"] == nil:
			return l.node(graph.LabelSession, props)
		case pointed:
			return l.put(graph.Node{Ref: own})
		}
		return nil
	})
	if err != nil {
		return err
	}
	for name, label := range map[string]graph.Label{"load_actions": graph.LabelAction, "load_agents": graph.LabelAgent} {
		err := l.each(cypher.Read(l.dialect, name), func(r row) error {
			props, _ := r["props"].(map[string]any)
			return l.node(label, props)
		})
		if err != nil {
			return err
		}
	}
	for _, k := range cypher.EdgeKinds() {
		if err := l.edges(k); err != nil {
			return err
		}
	}
	return nil
}

// edges puts the edges of one kind, and before them the nodes of other sessions, or of
// none, that they end at.
func (l *loader) edges(k cypher.EdgeKind) error {
	if k.To.Shared() {
		err := l.each(cypher.Loads(l.dialect, "load_shared", k), func(r row) error {
			props, _ := r["props"].(map[string]any)
			return l.node(k.To, props)
		})
		if err != nil {
			return err
		}
	}
	return l.each(cypher.Loads(l.dialect, "load_edges", k), func(r row) error {
		props, _ := r["props"].(map[string]any)
		e := graph.Edge{Props: decodeProps("", props)}
		e.Type = k.Type
		e.From = graph.Ref{Label: k.From, Key: decodeKey(r["from"])}
		e.To = graph.Ref{Label: k.To, Key: decodeKey(r["to"])}
		if k.To == graph.LabelSession && e.To.Key != l.session {
			if err := l.put(graph.Node{Ref: e.To}); err != nil {
				return err
			}
		}
		for _, end := range []*graph.Ref{&e.From, &e.To} {
			if key, ok := l.whole[*end]; ok {
				end.Key = key
			}
		}
		return l.yield(&graph.Op{Kind: graph.PutEdge, Edge: e})
	})
}

// each runs a statement about the session and hands every record to f.
func (l *loader) each(stmt string, f func(row) error) error {
	result, err := l.tx.Run(l.ctx, stmt, map[string]any{"session": encodeKey(l.session)})
	if err != nil {
		return err
	}
	for result.Next(l.ctx) {
		if err := f(result.Record().AsMap()); err != nil {
			return err
		}
	}
	return result.Err()
}

// node puts a node as the database has it.
func (l *loader) node(label graph.Label, props map[string]any) error {
	n := graph.Node{Ref: graph.Ref{Label: label, Key: keyOf(label, props)}, Props: decodeProps(label, props)}
	if stored := decodeKey(props[graph.KeyProperty(label)]); stored != n.Key {
		l.whole[graph.Ref{Label: label, Key: stored}] = n.Key
	}
	if label == graph.LabelAction {
		t, _ := props["action_type"].(string)
		n.Type = graph.ActionType(t)
	}
	return l.put(n)
}

func (l *loader) put(n graph.Node) error { return l.yield(&graph.Op{Kind: graph.PutNode, Node: n}) }

// keyOf is a node's key, also where it was too long for the index.
func keyOf(l graph.Label, props map[string]any) string {
	name := graph.KeyProperty(l)
	if whole, ok := props[name+wholeSuffix]; ok {
		return decodeKey(whole)
	}
	return decodeKey(props[name])
}
