package graph

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// TestCoalesce: a batch of ops that are merged leaves a graph as the ops one by one do,
// whatever was there before.
func TestCoalesce(t *testing.T) {
	for seed := range uint64(2000) {
		r := rand.New(rand.NewPCG(seed, 11))
		node := func() Ref { return Ref{LabelAction, fmt.Sprint(r.IntN(6))} }
		props := func() []Prop {
			out := make([]Prop, r.IntN(3))
			for k := range out {
				out[k] = Prop{fmt.Sprint("p", r.IntN(3)), [...]any{nil, int64(1), "x"}[r.IntN(3)]}
			}
			return out
		}
		one, all := New(), New()
		for range 4 {
			ops := make([]Op, r.IntN(25))
			for k := range ops {
				switch kind := OpKind(1 + r.IntN(4)); kind {
				case PutNode, DelNode:
					ops[k] = Op{Kind: kind, Node: Node{Ref: node(), Type: ToolCall}}
					if kind == PutNode {
						ops[k].Node.Props = props()
					}
				default:
					ops[k] = Op{Kind: kind, Edge: Edge{EdgeKey: EdgeKey{edgeTypes[r.IntN(3)], node(), node()}}}
					if kind == PutEdge {
						ops[k].Edge.Props = props()
					}
				}
			}
			ops = withEnds(ops)
			batch := Coalesce(ops)
			checkBatch(t, batch)
			one.Apply(ops...)
			all.Apply(batch...)
			mustEqual(t, fmt.Sprint("seed ", seed), one, all)
		}
	}
}

// withEnds puts the ends of each edge right before it, as a fold does.
func withEnds(ops []Op) (out []Op) {
	for _, op := range ops {
		if op.Kind == PutEdge {
			out = append(out, Op{Kind: PutNode, Node: Node{Ref: op.Edge.From, Type: ToolCall}}, Op{Kind: PutNode, Node: Node{Ref: op.Edge.To, Type: ToolCall}})
		}
		out = append(out, op)
	}
	return out
}

// What is of no kind or type that is known reaches the store, which refuses it.
func TestCoalesceKeepsWhatIsUnknown(t *testing.T) {
	odd := EdgeKey{"LIKES", Ref{LabelAction, "a"}, Ref{LabelAction, "b"}}
	ops := Coalesce([]Op{
		{Kind: 99, Node: Node{Ref: odd.From}},
		{Kind: PutEdge, Edge: Edge{EdgeKey: odd}},
		{Kind: PutEdge, Edge: Edge{EdgeKey: EdgeKey{"HATES", odd.From, odd.To}}},
		{Kind: PutNode, Node: Node{Ref: odd.From, Type: ToolCall}},
	})
	if len(ops) != 4 || ops[1].Edge.EdgeKey != odd || ops[2].Edge.Type != "HATES" || ops[3].Kind != 99 {
		t.Errorf("got %+v", ops)
	}
}
