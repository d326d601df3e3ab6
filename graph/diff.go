package graph

import (
	"reflect"
	"slices"
)

// Diff lists the differences between a and b, sorted by what they are about. Of
// shared nodes (Label.Shared) only the presence is compared, and only where an edge
// points at them: other sessions may have put the same node, and a fold that put one
// for a fact which later lost does not take it back. Nor does it take back the stub of
// another Session.
func Diff(a, b *Graph) []Change {
	var c Comparison
	c.Add(a, b)
	return c.Changes()
}

// Comparison is a Diff of two graphs that are not in memory at once: it is given them in
// parts. Its zero value is one of empty graphs.
type Comparison struct {
	nodes []unequalNode
	edges []unequalEdge
	used  map[Ref]bool // the nodes that others put, too, at which edges point
}

type unequalNode struct {
	Ref
	changes []Change
	ifUsed  bool // it is no difference where no edge points at it
}

type unequalEdge struct {
	EdgeKey
	changes []Change
}

// Add compares a part of one graph with a part of the other. A node, as an edge, is in the
// same part of both if it is in both, and in no other part. An edge may be in another part
// than its ends.
func (c *Comparison) Add(a, b *Graph) {
	if c.used == nil {
		c.used = map[Ref]bool{}
	}
	for _, g := range []*Graph{a, b} {
		for k := range g.edges {
			if k.To.Label.Shared() || k.To.Label == LabelSession {
				c.used[k.To] = true
			}
		}
	}
	for _, ref := range unequal(a.nodes, b.nodes, func(na, nb *Node) bool { return na.Type == nb.Type && reflect.DeepEqual(na.Props, nb.Props) }) {
		na, nb := a.nodes[ref], b.nodes[ref]
		if changes := diffNodes(ref, na, nb); len(changes) > 0 {
			c.nodes = append(c.nodes, unequalNode{ref, changes, ref.Label.Shared() || isStub(na) && isStub(nb)})
		}
	}
	for _, k := range unequal(a.edges, b.edges, func(pa, pb []Prop) bool { return reflect.DeepEqual(pa, pb) }) {
		if changes := diffEdges(k, a, b); len(changes) > 0 {
			c.edges = append(c.edges, unequalEdge{k, changes})
		}
	}
}

// Changes lists the differences of all parts, as Diff does.
func (c *Comparison) Changes() (out []Change) {
	slices.SortFunc(c.nodes, func(a, b unequalNode) int { return a.Compare(b.Ref) })
	slices.SortFunc(c.edges, func(a, b unequalEdge) int { return a.Compare(b.EdgeKey) })
	for _, n := range c.nodes {
		if !n.ifUsed || c.used[n.Ref] {
			out = append(out, n.changes...)
		}
	}
	for _, e := range c.edges {
		out = append(out, e.changes...)
	}
	return out
}

func diffNodes(ref Ref, a, b *Node) (out []Change) {
	what := ref.String()
	switch {
	case a == nil:
		return []Change{{What: what, A: "absent", B: "present"}}
	case b == nil:
		return []Change{{What: what, A: "present", B: "absent"}}
	case ref.Label.Shared():
		return nil
	}
	out = diffProps(what, a.Props, b.Props)
	if a.Type != b.Type {
		out = append(out, Change{What: what, Field: "type", A: a.Type, B: b.Type})
	}
	return out
}

func diffEdges(k EdgeKey, a, b *Graph) []Change {
	what := k.String()
	switch {
	case !a.HasEdge(k):
		return []Change{{What: what, A: "absent", B: "present"}}
	case !b.HasEdge(k):
		return []Change{{What: what, A: "present", B: "absent"}}
	}
	return diffProps(what, a.edges[k], b.edges[k])
}

// unequal returns the keys that only one of two maps has, or with other values: nearly
// always none, of millions.
func unequal[K comparable, V any](a, b map[K]V, same func(a, b V) bool) (keys []K) {
	for k, v := range a {
		if w, ok := b[k]; !ok || !same(v, w) {
			keys = append(keys, k)
		}
	}
	for k := range b {
		if _, ok := a[k]; !ok {
			keys = append(keys, k)
		}
	}
	return keys
}

// isStub reports the Session node of another session, which only an edge of this one
// put there.
func isStub(n *Node) bool {
	return n == nil || n.Label == LabelSession && n.Prop("status") == nil
}

func diffProps(what string, a, b []Prop) (out []Change) {
	if reflect.DeepEqual(a, b) {
		return nil
	}
	find := func(props []Prop, name string) any {
		if i := slices.IndexFunc(props, func(p Prop) bool { return p.Name == name }); i >= 0 {
			return props[i].Value
		}
		return nil
	}
	for _, p := range a {
		if v := find(b, p.Name); !reflect.DeepEqual(v, p.Value) {
			out = append(out, Change{What: what, Field: p.Name, A: p.Value, B: v})
		}
	}
	for _, p := range b {
		if find(a, p.Name) == nil {
			out = append(out, Change{What: what, Field: p.Name, A: nil, B: p.Value})
		}
	}
	return out
}
