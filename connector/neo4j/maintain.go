package neo4j

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"time"

	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/schema"
)

const (
	// checkEvery is how often Maintain asks the database whether it still is what it was,
	// unless Options say otherwise.
	checkEvery = time.Minute
	// checkTime bounds the answer. It is more than a replica grants Maintain: the three round
	// trips to another continent take longer than that, and a check that never gets its
	// answer never sees anything.
	checkTime = 5 * time.Second
)

// known is what the database must hold of each journal whose positions were read:
// enough to see that it was emptied, or restored from a backup, while nothing was
// written.
type known map[string]tally

// tally is how many positions there are, and the sum of their hashes: it does not
// depend on their order, and takes one change without the others.
type tally struct {
	count int
	sum   uint64
}

func (t tally) with(session string, p schema.Position) tally {
	return tally{t.count + 1, t.sum + hashPosition(session, p)}
}

func (t tally) without(session string, p schema.Position) tally {
	return tally{t.count - 1, t.sum - hashPosition(session, p)}
}

func hashPosition(session string, p schema.Position) uint64 {
	h := fnv.New64a()
	fmt.Fprintf(h, "%s %d %d %d %d", session, p.Offset, p.Sum, p.First, p.Fold)
	return h.Sum64()
}

func tallyOf(positions map[string]schema.Position) (t tally) {
	for session, p := range positions {
		t = t.with(session, p)
	}
	return t
}

// Maintain asks, about once a minute, whether the database still holds what this Store
// left in it. An error that wraps graph.ErrConflict says that it does not: somebody
// emptied it, or put an older backup back. Any other says that it does not answer.
func (s *Store) Maintain(ctx context.Context) error {
	if s.lock(ctx) != nil {
		return nil // the time is over: whoever writes hears from the database
	}
	defer s.unlock()
	if len(s.seen) == 0 || time.Since(s.checked) < s.every {
		return nil
	}
	s.checked = time.Now()
	ctx, cancel := patient(ctx, checkTime)
	defer cancel()
	for journal, want := range s.seen {
		positions, err := s.positions(ctx, journal)
		if errors.Is(ctx.Err(), context.Canceled) {
			return nil
		}
		if err != nil {
			return s.fail("check", err)
		}
		if tallyOf(positions) != want {
			s.forget()
			return s.fail("check", fmt.Errorf("it was emptied, restored or written by another program: %w", graph.ErrConflict))
		}
	}
	return s.fail("check", s.checkSchema(ctx))
}

// checkSchema has the next Apply make the constraints that somebody dropped: without them
// two programs make the same Tool twice, and then they cannot be made any more.
func (s *Store) checkSchema(ctx context.Context) error {
	if s.ready == nil {
		return nil
	}
	missing, err := s.missing(ctx, s.ready.Dialect)
	if errors.Is(ctx.Err(), context.Canceled) {
		return nil
	}
	if missing && err == nil {
		s.ready = nil
		s.opts.Log.Warn().Msg("constraints or indexes were dropped; they are made again with the next events")
	}
	return err
}

// patient returns a context that lasts longer than ctx may, and ends when that is
// cancelled.
func patient(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	longer, cancel := context.WithTimeout(context.WithoutCancel(ctx), d)
	stop := context.AfterFunc(ctx, func() {
		if errors.Is(ctx.Err(), context.Canceled) {
			cancel()
		}
	})
	return longer, func() { stop(); cancel() }
}

// forget drops what was known of the database, its schema included.
func (s *Store) forget() {
	s.ready = nil
	clear(s.seen)
}
