package graph

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// plainDiff is Diff from its documentation, over lists: slow, and the oracle of Diff and
// Comparison.
func plainDiff(a, b *Graph) (out []Change) {
	pointed := func(r Ref) bool {
		points := func(e Edge) bool { return e.To == r }
		return slices.ContainsFunc(a.Edges(), points) || slices.ContainsFunc(b.Edges(), points)
	}
	refs := map[Ref]bool{}
	for _, n := range append(a.Nodes(), b.Nodes()...) {
		refs[n.Ref] = true
	}
	for r := range refs {
		na, nb, what := a.Node(r), b.Node(r), fmt.Sprintf("%s %s", r.Label, r.Key)
		stubs := r.Label == LabelSession && (na == nil || na.Prop("status") == nil) && (nb == nil || nb.Prop("status") == nil)
		if (r.Label.Shared() || stubs) && !pointed(r) {
			continue
		}
		switch {
		case na == nil:
			out = append(out, Change{What: what, A: "absent", B: "present"})
		case nb == nil:
			out = append(out, Change{What: what, A: "present", B: "absent"})
		case !r.Label.Shared():
			out = append(out, plainProps(what, na.Props, nb.Props)...)
			if na.Type != nb.Type {
				out = append(out, Change{what, "type", na.Type, nb.Type})
			}
		}
	}
	nodes := len(out)
	props := map[EdgeKey][2][]Prop{}
	for side, g := range []*Graph{a, b} {
		for _, e := range g.Edges() {
			both := props[e.EdgeKey]
			both[side] = e.Props
			props[e.EdgeKey] = both
		}
	}
	for k, both := range props {
		what := fmt.Sprintf("%s %s %s → %s %s", k.Type, k.From.Label, k.From.Key, k.To.Label, k.To.Key)
		switch {
		case !a.HasEdge(k):
			out = append(out, Change{What: what, A: "absent", B: "present"})
		case !b.HasEdge(k):
			out = append(out, Change{What: what, A: "present", B: "absent"})
		default:
			out = append(out, plainProps(what, both[0], both[1])...)
		}
	}
	byWhat := func(a, b Change) int { return strings.Compare(a.What, b.What) }
	slices.SortStableFunc(out[:nodes], byWhat)
	slices.SortStableFunc(out[nodes:], byWhat)
	return out
}

// plainProps gives the names of a first, then those that only b has.
func plainProps(what string, a, b []Prop) (out []Change) {
	na, nb := Node{Props: a}, Node{Props: b}
	for _, p := range a {
		if v := nb.Prop(p.Name); v != p.Value {
			out = append(out, Change{what, p.Name, p.Value, v})
		}
	}
	for _, p := range b {
		if na.Prop(p.Name) == nil {
			out = append(out, Change{what, p.Name, nil, p.Value})
		}
	}
	return out
}

// damaged returns a graph and one that is it but for some damage. Names are few, so that
// shared nodes and stubs are met with edges and without.
func damaged(rnd *rand.Rand) (a, b *Graph) {
	labels := []Label{LabelAction, LabelSession, LabelAgent, LabelTool, LabelFile}
	ref := func() Ref { return Ref{labels[rnd.IntN(len(labels))], fmt.Sprint("k", rnd.IntN(4))} }
	op := func() Op {
		values := []any{nil, "x", "y", int64(rnd.IntN(3)), 0.5, true, Time(rnd.IntN(3))}
		var props []Prop
		for _, name := range []string{"status", "p", "q"} {
			if rnd.IntN(2) == 0 {
				props = append(props, Prop{name, values[rnd.IntN(len(values))]})
			}
		}
		types := []ActionType{ToolCall, ToolResult}
		return Op{Kind: []OpKind{PutNode, PutNode, PutEdge, PutEdge, DelEdge, DelNode}[rnd.IntN(6)],
			Node: Node{Ref: ref(), Type: types[rnd.IntN(2)], Props: props},
			Edge: Edge{EdgeKey{EdgeTypes()[rnd.IntN(3)], ref(), ref()}, props}}
	}
	a, b = New(), New()
	for range rnd.IntN(60) {
		o := op()
		a.Apply(o)
		b.Apply(o)
	}
	for range rnd.IntN(4) {
		[]*Graph{a, b}[rnd.IntN(2)].Apply(op())
	}
	return a, b
}

// split deals a graph out to n parts by the keys of what is in it, edges apart from nodes.
func split(g *Graph, n int) []*Graph {
	parts := make([]*Graph, n)
	for i := range parts {
		parts[i] = New()
	}
	sum := func(s string) (k int) {
		for _, b := range []byte(s) {
			k = (k*31 + int(b)) % n
		}
		return k
	}
	for _, node := range g.Nodes() {
		parts[sum(fmt.Sprint(node.Ref))].Apply(Op{Kind: PutNode, Node: *node})
	}
	for _, e := range g.Edges() {
		parts[sum(fmt.Sprint(e.EdgeKey))].Apply(Op{Kind: PutEdge, Edge: e})
	}
	return parts
}

// Compared in parts, graphs differ exactly as they do whole.
func TestComparisonInParts(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 1))
	kinds := map[string]int{}
	for range 3000 {
		a, b := damaged(rnd)
		want := plainDiff(a, b)
		if got := Diff(a, b); !reflect.DeepEqual(got, want) {
			t.Fatalf("Diff gives\n%v\nnot\n%v", got, want)
		}
		n := 1 + rnd.IntN(9)
		var c Comparison
		for i, pa := range split(a, n) {
			c.Add(pa, split(b, n)[i])
		}
		if got := c.Changes(); !reflect.DeepEqual(got, want) {
			t.Fatalf("in %d parts\n%v\nnot\n%v", n, got, want)
		}
		for _, ch := range want {
			kind := strings.Fields(ch.What)[0] + " " + cmp.Or(ch.Field, fmt.Sprint(ch.A))
			if strings.Contains(ch.What, "→") {
				kind = "edge changed"
				if ch.Field == "" {
					kind = fmt.Sprint("edge ", ch.A)
				}
			}
			kinds[kind]++
		}
	}
	for _, kind := range []string{"Tool absent", "Session present", "Session status", "Action type", "Action p", "edge changed", "edge absent"} {
		if kinds[kind] == 0 {
			t.Errorf("no change of kind %q: this test proves little: %v", kind, kinds)
		}
	}
}
