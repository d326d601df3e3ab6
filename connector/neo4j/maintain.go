package neo4j

import (
	"context"
	"fmt"
	"hash/fnv"
	"time"

	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/schema"
)

// checkEvery is how often Maintain asks the database whether it still is what it was.
const checkEvery = time.Minute

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
	fmt.Fprintf(h, "%s %d %d %d", session, p.Offset, p.Sum, p.First)
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
// emptied it, or put an older backup back.
func (s *Store) Maintain(ctx context.Context) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	if len(s.seen) == 0 || time.Since(s.checked) < checkEvery {
		return nil
	}
	s.checked = time.Now()
	for journal, want := range s.seen {
		positions, err := s.positions(ctx, journal)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return s.fail("check", err)
		}
		if tallyOf(positions.at) != want {
			s.forget()
			return s.fail("check", fmt.Errorf("it was emptied, restored or written by another program: %w", graph.ErrConflict))
		}
	}
	return nil
}

// forget drops what was known of the database, its schema included.
func (s *Store) forget() {
	s.ready = false
	clear(s.seen)
}
