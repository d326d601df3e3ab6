package history

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/actiongraph/actiongraph/graph"
)

// Node is a node, and which events made it what it is.
type Node struct {
	graph.Ref
	Type graph.ActionType // of an Action
	// Version is how many events changed it: after which, in the logical order, it was there,
	// or had a type or a property, as it had not before. What arrived when does not matter.
	Version    int
	Properties []Property // by name
}

// Property is a property of a node, and the event that gave it its value.
type Property struct {
	Name  string
	Value any // as of graph.Prop
	Event Point
}

// Node returns the node of a key, as graph.Graph.Find knows it, at the end of the history. It
// folds that twice.
func (l *Log) Node(ctx context.Context, key string) (*Node, error) {
	there := graph.New() // the nodes without what they say
	err := l.Fold(ctx, func(_ string, ops []graph.Op) error {
		for _, op := range ops {
			if op.Kind == graph.PutNode || op.Kind == graph.DelNode {
				op.Node.Props = nil
				there.Apply(op)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	ref, err := there.Find(key)
	if err != nil {
		return nil, fmt.Errorf("session %s: %w", l.Session(), err)
	}
	now, changed := nodeState{}, map[string]bool{}
	err = l.Replay(ctx, func(segment int, r *Record, ops []graph.Op) error {
		if ref.Label == graph.LabelSession && ref.Key != l.Segments[segment].Session {
			return nil // a fork names its parent, which speaks for itself
		}
		before := now
		for i := range ops {
			if ops[i].Node.Ref == ref {
				now = now.after(&ops[i], Of(&r.Event))
			}
		}
		if now.keep(before) {
			changed[r.EventID] = true
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	n := &Node{Ref: ref, Type: now.typ, Version: len(changed)}
	n.Properties = slices.SortedFunc(maps.Values(now.props), func(a, b Property) int { return strings.Compare(a.Name, b.Name) })
	return n, nil
}

// nodeState is a node between two events. It is not changed, but for keep.
type nodeState struct {
	there bool
	typ   graph.ActionType
	props map[string]Property
}

// after is the node after an op of an event.
func (s nodeState) after(op *graph.Op, at Point) nodeState {
	if op.Kind == graph.DelNode {
		return nodeState{}
	}
	next := nodeState{true, op.Node.Type, maps.Clone(s.props)}
	if next.props == nil {
		next.props = map[string]Property{}
	}
	for _, p := range op.Node.Props {
		if p.Value == nil {
			delete(next.props, p.Name)
		} else {
			next.props[p.Name] = Property{p.Name, p.Value, at}
		}
	}
	return next
}

// keep leaves to the events before what they had said already, and reports whether anything
// is not as it was.
func (s nodeState) keep(before nodeState) (changed bool) {
	changed = s.there != before.there || s.typ != before.typ || len(s.props) != len(before.props)
	for name, p := range s.props {
		if old, had := before.props[name]; had && old.Value == p.Value {
			s.props[name] = old
		} else {
			changed = true
		}
	}
	return changed
}
