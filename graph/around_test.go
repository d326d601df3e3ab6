package graph

import (
	"errors"
	"math/rand/v2"
	"testing"
)

// distances is how many edges each node is from one, by the definition: the shortest of all
// ways that lead through no hub.
func distances(g *Graph, center Ref) map[Ref]int {
	far := map[Ref]int{center: 0}
	for changed := true; changed; {
		changed = false
		for _, e := range g.Edges() {
			for _, way := range [][2]Ref{{e.From, e.To}, {e.To, e.From}} {
				from, to := way[0], way[1]
				d, reached := far[from]
				if !reached || from != center && (from.Label == LabelSession || from.Label == LabelAgent || from.Label.Shared()) {
					continue
				}
				if old, has := far[to]; !has || d+1 < old {
					far[to], changed = d+1, true
				}
			}
		}
	}
	return far
}

func TestAround(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for name, sessions := range captured(t) {
		for id, events := range sessions {
			g := fold(t, id, events)
			nodes := g.Nodes()
			for range 4 {
				center := nodes[r.IntN(len(nodes))].Ref
				far := distances(g, center)
				for depth := range 5 {
					part, err := g.Around(center, depth)
					if err != nil {
						t.Fatal(name, err)
					}
					for _, n := range nodes {
						d, reached := far[n.Ref]
						if want := reached && d <= depth; (part.Node(n.Ref) != nil) != want {
							t.Fatalf("%s: %v is %d from %v, and with depth %d it is said to be in: %v", name, n.Ref, d, center, depth, !want)
						}
					}
					for _, e := range g.Edges() {
						if want := part.Node(e.From) != nil && part.Node(e.To) != nil; part.HasEdge(e.EdgeKey) != want {
							t.Fatalf("%s: %v around %v: %v", name, e.EdgeKey, center, !want)
						}
					}
				}
				if found, err := g.Find(center.String()); err != nil || found != center {
					t.Errorf("%s: Find(%v) = %v, %v", name, center, found, err)
				}
			}
		}
	}
}

func TestFindNode(t *testing.T) {
	g := New()
	for _, ref := range []Ref{{LabelAction, "abcdefgh1"}, {LabelAction, "abcdefgh2"}, {LabelAgent, "abcdefghi"}, {LabelTool, "my tool"}, {LabelTool, "x"}, {LabelTag, "x"}} {
		g.Apply(Op{Kind: PutNode, Node: Node{Ref: ref}})
	}
	for name, want := range map[string]Ref{
		"abcdefgh1": {LabelAction, "abcdefgh1"}, "abcdefghi": {LabelAgent, "abcdefghi"}, "my tool": {LabelTool, "my tool"}, "Tool x": {LabelTool, "x"},
		"abcdefgh": {}, "abcdefg": {}, "x": {}, "none": {}, "": {},
	} {
		got, err := g.Find(name)
		if got != want || (err == nil) != (want != Ref{}) {
			t.Errorf("Find(%q) = %v, %v; want %v", name, got, err, want)
		}
	}
	if _, err := g.Find("nothing here"); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
	if _, err := g.Around(Ref{LabelTool, "x"}, -1); !errors.Is(err, ErrDepth) {
		t.Error(err)
	}
	if _, err := g.Around(Ref{LabelTool, "gone"}, 1); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
}
