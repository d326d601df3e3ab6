package history

import (
	"context"

	"github.com/actiongraph/actiongraph/graph"
)

// Replay folds the history one event at a time, in the logical order, each segment as Fold
// does, and passes each event with what it changed to yield. The record is valid until
// yield returns, the ops for longer.
func (l *Log) Replay(ctx context.Context, yield func(segment int, r *Record, ops []graph.Op) error) error {
	var fold *graph.Session
	of := -1
	return l.All(ctx, func(segment int, r *Record) error {
		if segment != of {
			fold, of = graph.NewSession(l.Segments[segment].Session, l.journal), segment
		}
		fold.Apply(&r.Event)
		return yield(segment, r, fold.Take())
	})
}

// Authors returns for each of these changes the point of the event that it is about: the
// last that wrote the property, or the one that made the node or edge, or took it away. It is
// zero for what no event of the history has to do with.
func (l *Log) Authors(ctx context.Context, changes []graph.Change) ([]Point, error) {
	type register struct{ what, field string }
	type author struct {
		Point
		gone bool // it took it away
	}
	authors := make(map[register]author, len(changes))
	for _, c := range changes {
		authors[register{c.What, c.Field}] = author{}
	}
	err := l.Replay(ctx, func(_ int, r *Record, ops []graph.Op) error {
		for i := range ops {
			what, gone, props := target(&ops[i])
			whole := register{what, ""}
			if before, asked := authors[whole]; asked && (gone || before.gone || before.End()) {
				authors[whole] = author{Of(&r.Event), gone}
			}
			for _, p := range props {
				if _, asked := authors[register{what, p.Name}]; asked {
					authors[register{what, p.Name}] = author{Of(&r.Event), false}
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := make([]Point, len(changes))
	for i, c := range changes {
		out[i] = authors[register{c.What, c.Field}].Point
	}
	return out, nil
}

// target is what an op is about, as a Change names it, whether it takes that away, and the
// properties that it writes.
func target(op *graph.Op) (what string, gone bool, props []graph.Prop) {
	switch op.Kind {
	case graph.PutNode, graph.DelNode:
		return op.Node.Ref.String(), op.Kind == graph.DelNode, op.Node.Props
	}
	return op.Edge.EdgeKey.String(), op.Kind == graph.DelEdge, op.Edge.Props
}
