package connector

import (
	"context"
	"errors"
	"fmt"

	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/schema"
)

// TakeBack has the store drop what it holds of sessions, so that the next Sync folds them
// again from their beginning: whatever somebody has done to them there is gone then. A
// session of which it has nothing is passed over.
func (r *Replica) TakeBack(ctx context.Context, sessions []string) error {
	r.running.Lock()
	defer r.running.Unlock()
	r.setDefaults()
	for _, session := range sessions {
		err := r.takeBack(ctx, session)
		for attempt := 1; errors.Is(err, graph.ErrConflict) && attempt < 3; attempt++ {
			err = r.takeBack(ctx, session) // it was being recorded
		}
		if err != nil {
			return fmt.Errorf("take session %s back: %w", session, err)
		}
	}
	return nil
}

func (r *Replica) takeBack(ctx context.Context, session string) error {
	positions, _, err := r.ask(ctx)
	if err != nil {
		return err
	}
	from := positions[session]
	if from == (schema.Position{}) || r.standing.held[session].Absorbed > 0 {
		return nil
	}
	r.folds.drop(session)
	return r.Store.Apply(ctx, []graph.Batch{{
		Journal: r.Journal.ID(), Session: session, From: from, Reset: true, Continues: r.standing.held[session].Continues,
	}})
}
