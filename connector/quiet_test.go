package connector_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/graph"
)

// No store knows what the journal could still lose, and an old history is not
// synced file by file.
func TestJournalIsSyncedBeforeTheStoreKnows(t *testing.T) {
	j, store, rnd := newJournal(t), newMemory(), newRand(t)
	record(t, j, "old", newAgent(rnd, "old").lines(5)...)
	age(t, j, "old", time.Hour)
	var mu sync.Mutex
	synced := map[string]int64{}
	watched := &checked{memory: store, check: func(b graph.Batch) {
		mu.Lock()
		defer mu.Unlock()
		if b.Session != "old" && synced[b.Session] < b.To.Offset {
			t.Errorf("session %s: the store is told of %d bytes, %d are on the disk", b.Session, b.To.Offset, synced[b.Session])
		}
	}}
	var fail error
	r := replica(j, watched)
	r.MaxEvents = 7
	r.OnSync(func(session string) error {
		info, err := j.Stat(session)
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		if fail == nil {
			synced[session] = info.Size
		}
		return fail
	})
	agents := []*agent{newAgent(rnd, "a"), newAgent(rnd, "b"), newAgent(rnd, "c")}
	for range 20 {
		for _, a := range agents {
			record(t, j, a.session, a.lines(rnd.IntN(10))...)
		}
		sync1(t, r)
	}
	if synced["old"] != 0 || synced["a"] == 0 {
		t.Errorf("synced: %v", synced)
	}
	fail = errFault
	record(t, j, "a", agents[0].next())
	applies := store.applies
	if _, err := r.Sync(t.Context(), nil); !errors.Is(err, errFault) || store.applies != applies {
		t.Errorf("with a journal that cannot be synced: %v, %d applies", err, store.applies-applies)
	}
}

// checked is a store that looks at each batch.
type checked struct {
	*memory
	check func(graph.Batch)
}

func (c *checked) Apply(ctx context.Context, batches []graph.Batch) error {
	for _, b := range batches {
		c.check(b)
	}
	return c.memory.Apply(ctx, batches)
}

// tidied is a store with work of its own, which it never finishes at once.
type tidied struct {
	*memory
	mu    sync.Mutex
	times []time.Time
}

func (d *tidied) Maintain(ctx context.Context) error {
	d.mu.Lock()
	d.times = append(d.times, time.Now())
	done := len(d.times) >= 3
	d.mu.Unlock()
	if !done {
		<-ctx.Done()
	}
	return nil
}

// A store is maintained once nothing arrives any more, in slices until it is done, and
// then looked at seldom: is it still there?
func TestStoreIsMaintainedWhenQuiet(t *testing.T) {
	j, store := newJournal(t), &tidied{memory: newMemory()}
	r := replica(j, store)
	r.SetQuiet(400 * time.Millisecond)
	start(t, func(ctx context.Context) { connector.Follow(ctx, j, zerolog.Nop(), r) })
	a := newAgent(newRand(t), "a")
	var last time.Time
	for range 20 {
		record(t, j, "a", a.next())
		last = time.Now()
		time.Sleep(10 * time.Millisecond)
	}
	time.Sleep(2500 * time.Millisecond)
	store.mu.Lock()
	defer store.mu.Unlock()
	if len(store.times) < 3 || store.times[0].Before(last.Add(390*time.Millisecond)) {
		t.Fatalf("the last event came at %v, maintained at %v; want 3 times, from 400ms on", last, store.times)
	}
	for k := 3; k < len(store.times); k++ {
		if d := store.times[k].Sub(store.times[k-1]); d < 790*time.Millisecond {
			t.Errorf("looked at again after %v, want 800ms", d)
		}
	}
}
