package connector_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/graph"
)

// slowStore has time for so many ops in one transaction, and no more.
type slowStore struct {
	*memory
	most  int
	tries atomic.Int32
}

func (s *slowStore) Apply(ctx context.Context, batches []graph.Batch) error {
	s.tries.Add(1)
	ops := 0
	for _, b := range batches {
		ops += len(b.Ops)
	}
	if ops > s.most {
		<-ctx.Done()
		return ctx.Err()
	}
	return s.memory.Apply(ctx, batches)
}

// What a store has no time for in one transaction it is given in smaller ones: the same
// again would take too long again, for ever.
func TestTransactionThatTakesTooLong(t *testing.T) {
	j, rnd := newJournal(t), newRand(t)
	record(t, j, "long", newAgent(rnd, "long").lines(900)...)
	sessions := []string{"long"}
	for n := range 40 {
		s := fmt.Sprintf("s%02d", n)
		record(t, j, s, newAgent(rnd, s).lines(10)...)
		sessions = append(sessions, s)
	}
	slow := func() (*slowStore, *connector.Replica) {
		store := &slowStore{memory: newMemory(), most: 1500}
		r := replica(j, store)
		r.ApplyTimeout = 30 * time.Millisecond
		return store, r
	}
	t.Run("sync", func(t *testing.T) {
		store, r := slow()
		sync1(t, r)
		equalsFreshFold(t, j, store, sessions...)
	})
	t.Run("run", func(t *testing.T) {
		store, r := slow()
		start(t, func(ctx context.Context) { connector.Follow(ctx, j, r.Log, r) })
		await(t, j, store, 20*time.Second)
		equalsFreshFold(t, j, store, sessions...)
		waitFor(t, "up", func() bool { return r.Health().State == connector.Up })
	})
	t.Run("a store that hangs", func(t *testing.T) {
		store, r := slow()
		store.most = 0
		if _, err := r.Sync(t.Context(), nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
		if n := store.tries.Load(); n > 3 {
			t.Errorf("it is waited for %d times", n)
		}
	})
}

// A transaction is of so many sessions at most, however little there is in each.
func TestTransactionOfManySessions(t *testing.T) {
	j, rnd := newJournal(t), newRand(t)
	for n := range 1200 {
		s := fmt.Sprintf("s%04d", n)
		record(t, j, s, newAgent(rnd, s).next())
	}
	store := newMemory()
	sync1(t, replica(j, store))
	if store.largest > 500 || store.applies != 3 {
		t.Errorf("%d transactions, of %d sessions at most", store.applies, store.largest)
	}
}
