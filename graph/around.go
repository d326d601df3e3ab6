package graph

import (
	"errors"
	"fmt"
	"strings"
)

// shortestKey is how much of a key names a node, at least.
const shortestKey = 8

// Find returns the node that a name means: its key, or the beginning of it that no other has;
// with its label in front, as Ref.String writes it, that one of several with a key. The error
// wraps ErrNotFound where there is none.
func (g *Graph) Find(name string) (Ref, error) {
	label, key, labelled := strings.Cut(name, " ")
	if ref := (Ref{Label(label), key}); labelled && g.nodes[ref] != nil {
		return ref, nil
	}
	var same, beginning []Ref
	for ref := range g.nodes {
		switch {
		case ref.Key == name:
			same = append(same, ref)
		case len(name) >= shortestKey && strings.HasPrefix(ref.Key, name):
			beginning = append(beginning, ref)
		}
	}
	switch {
	case len(same) == 1:
		return same[0], nil
	case len(same) > 1:
		return Ref{}, fmt.Errorf("%d nodes have the key %s: say which, as in %q", len(same), name, "Tool "+name)
	case len(beginning) == 1:
		return beginning[0], nil
	case len(beginning) > 1:
		return Ref{}, fmt.Errorf("%d nodes have keys that begin with %s: give more of it", len(beginning), name)
	}
	return Ref{}, fmt.Errorf("node %s: %w", name, ErrNotFound)
}

// ErrDepth is of a depth that is less than nothing.
var ErrDepth = errors.New("a depth is 0 or more")

// Around returns the part of g that is within so many edges of a node, whichever way they
// point: those nodes, and all edges among them. A node that everything hangs on is where the
// way ends, unless it is the one that was asked for: a Session, an Agent, and what sessions
// share (Tool, Tag, File). Through these all of a session is two edges away.
func (g *Graph) Around(center Ref, depth int) (*Graph, error) {
	switch {
	case depth < 0:
		return nil, ErrDepth
	case g.nodes[center] == nil:
		return nil, fmt.Errorf("node %v: %w", center, ErrNotFound)
	}
	next := map[Ref][]Ref{}
	for k := range g.edges {
		next[k.From] = append(next[k.From], k.To)
		next[k.To] = append(next[k.To], k.From)
	}
	out := New()
	out.nodes[center] = g.nodes[center]
	for reached := []Ref{center}; depth > 0 && len(reached) > 0; depth-- {
		var further []Ref
		for _, from := range reached {
			if from.isHub() && from != center {
				continue
			}
			for _, to := range next[from] {
				if n := g.nodes[to]; n != nil && out.nodes[to] == nil {
					out.nodes[to] = n
					further = append(further, to)
				}
			}
		}
		reached = further
	}
	for k, props := range g.edges {
		if out.nodes[k.From] != nil && out.nodes[k.To] != nil {
			out.edges[k] = props
		}
	}
	return out, nil
}

// isHub reports whether a node is one that everything of its kind hangs on.
func (r Ref) isHub() bool {
	return r.Label == LabelSession || r.Label == LabelAgent || r.Label.Shared()
}
