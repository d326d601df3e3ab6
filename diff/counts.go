package diff

import (
	"reflect"

	"github.com/actiongraph/actiongraph/graph"
)

// count makes the five counts.
func (c *comparison) count(d *Diff) {
	for id := range c.a.events {
		if _, shared := c.b.events[id]; shared {
			d.SharedEvents++
		}
	}
	d.AOnlyEvents, d.BOnlyEvents = len(c.a.events)-d.SharedEvents, len(c.b.events)-d.SharedEvents
	if d.SharedEvents > 0 {
		d.DivergentNodes, d.DivergentRelations = divergent(c.a, c.b)
		return
	}
	back := make(map[graph.Ref]graph.Ref, len(c.paired))
	for x, y := range c.paired {
		back[y] = x
	}
	d.DivergentNodes = c.nodes
	d.DivergentRelations = unmatched(c.a.edges, c.b.graph, c.paired) + unmatched(c.b.edges, c.a.graph, back)
}

// divergent counts the nodes that both graphs have with other values, and the relations
// between nodes of both that only one of them has, or with other values. The session itself
// is none of them: its figures are always others, and so is what it was forked from.
func divergent(ra, rb *recording) (nodes, relations int) {
	a, b := ra.graph, rb.graph
	for _, n := range a.Nodes() {
		if n.Label == graph.LabelSession || n.Label.Shared() {
			continue
		}
		if m := b.Node(n.Ref); m != nil && (m.Type != n.Type || !reflect.DeepEqual(m.Props, n.Props)) {
			nodes++
		}
	}
	inBoth := func(k graph.EdgeKey) bool {
		return k.Type != graph.ForkedFrom && a.Node(k.From) != nil && b.Node(k.From) != nil && a.Node(k.To) != nil && b.Node(k.To) != nil
	}
	for _, e := range ra.edges {
		if inBoth(e.EdgeKey) && (!b.HasEdge(e.EdgeKey) || !reflect.DeepEqual(b.EdgeProps(e.EdgeKey), e.Props)) {
			relations++
		}
	}
	for _, e := range rb.edges {
		if inBoth(e.EdgeKey) && !a.HasEdge(e.EdgeKey) {
			relations++
		}
	}
	return nodes, relations
}

// unmatched counts the relations between paired nodes that the other graph does not have
// between their partners. What followed what is none of them: the alignment tells it.
func unmatched(edges []graph.Edge, other *graph.Graph, partner map[graph.Ref]graph.Ref) (n int) {
	for _, e := range edges {
		from, inFrom := partner[e.From]
		to, inTo := partner[e.To]
		if inFrom && inTo && e.Type != graph.FollowedBy && !other.HasEdge(graph.EdgeKey{Type: e.Type, From: from, To: to}) {
			n++
		}
	}
	return n
}
