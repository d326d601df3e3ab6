package connector_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/schema"
)

// looked is a moody store that is looked at while nothing arrives.
type looked struct {
	*moody
	looks     atomic.Int32
	untidy    atomic.Bool
	positions atomic.Int32
}

func (l *looked) Maintain(context.Context) error {
	l.looks.Add(1)
	if l.untidy.Load() {
		return errors.New("the index does not merge")
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

func (l *looked) Positions(ctx context.Context, journal string) (map[string]schema.Position, error) {
	l.positions.Add(1)
	return l.moody.Positions(ctx, journal)
}

// following starts a replica of a store that is looked at, and waits until it is up.
func following(t *testing.T, change func(*connector.Replica)) (*looked, *connector.Replica, *syncBuffer) {
	t.Helper()
	j, store, log := newJournal(t), &looked{moody: &moody{memory: newMemory()}}, &syncBuffer{}
	record(t, j, "a", newAgent(newRand(t), "a").lines(3)...)
	r := replica(j, store)
	r.Log = connector.NewLogger(log, "replica", false)
	r.SetQuiet(5 * time.Millisecond)
	if change != nil {
		change(r)
	}
	start(t, func(ctx context.Context) { connector.Follow(ctx, j, zerolog.Nop(), r) })
	waitFor(t, "up", func() bool { return r.Health().State == connector.Up })
	return store, r, log
}

// A store that dies while nothing happens is down, which is said once, and up again when
// it answers, which is said once too. No hook is needed for either.
func TestIdleStoreThatDies(t *testing.T) {
	store, r, log := following(t, nil)
	store.set(reasoned{"store.unreachable"})
	waitFor(t, "down", func() bool { return r.Health().State == connector.Down })
	if said := r.Health().LastError; !strings.Contains(said, "store.unreachable") {
		t.Errorf("last error: %s", said)
	}
	for tried := store.positions.Load(); store.positions.Load() < tried+5; {
		time.Sleep(time.Millisecond)
	}
	if got := log.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, `"reason":"store.unreachable"`) || !strings.Contains(got, "does not take") {
		t.Errorf("logged while it is dead:\n%s", got)
	}
	store.set(nil)
	waitFor(t, "up", func() bool { return r.Health().State == connector.Up })
	waitFor(t, "a look", func() bool { n := store.looks.Load(); return n > 3 })
	if got := log.String(); strings.Count(got, "\n") != 2 || !strings.Contains(got, "up to date again") {
		t.Errorf("logged after all:\n%s", got)
	}
}

// A store whose own work fails takes what is in the journal all the same: it is up, and
// what fails is said once, not with each look.
func TestStoreThatCannotTidyItselfIsUp(t *testing.T) {
	store, r, log := following(t, nil)
	store.untidy.Store(true)
	for looks := store.looks.Load(); store.looks.Load() < looks+5; {
		time.Sleep(time.Millisecond)
	}
	if h := r.Health(); h.State != connector.Up || h.LastError != "" {
		t.Errorf("%+v", h)
	}
	if got := log.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, `"reason":"store.maintenance"`) || !strings.Contains(got, `"store":"test"`) {
		t.Errorf("logged:\n%s", got)
	}
}

// A store that does not let this user in is not asked again in a hurry: it would lock the
// account, for people too.
func TestWrongPasswordIsNotTriedInAHurry(t *testing.T) {
	for reason, hurry := range map[string]bool{"store.unreachable": true, "store.login": false} {
		store, r, _ := following(t, func(r *connector.Replica) { r.MaxBackoff = time.Hour })
		before := store.positions.Load()
		store.set(reasoned{reason})
		waitFor(t, "down", func() bool { return r.Health().State == connector.Down })
		time.Sleep(100 * time.Millisecond)
		if tried := store.positions.Load() - before; hurry != (tried > 0) {
			t.Errorf("%s: asked %d times in the first 100 ms", reason, tried)
		}
	}
}

// slow is a moody store whose Apply waits to be let go.
type slow struct {
	*moody
	gate chan struct{}
}

func (s *slow) Apply(ctx context.Context, batches []graph.Batch) error {
	select {
	case <-s.gate:
		return s.memory.Apply(ctx, batches)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// A store that was not there and answers catches up from its first answer on, not from the
// first thing that it took: a day's worth takes it a while. The log says so.
func TestStoreThatAnswersAgainCatchesUp(t *testing.T) {
	j, store, log := newJournal(t), &slow{&moody{memory: newMemory()}, make(chan struct{})}, &syncBuffer{}
	line := newAgent(newRand(t), "a").next()
	long := append(bytes.TrimSuffix(line, []byte("}")), []byte(`,"content":"`+strings.Repeat("x", 1<<20)+`"}`)...)
	record(t, j, "a", long)
	r := replica(j, store)
	r.Log = connector.NewLogger(log, "replica", false)
	store.set(reasoned{"store.unreachable"})
	start(t, func(ctx context.Context) { connector.Follow(ctx, j, zerolog.Nop(), r) })
	waitFor(t, "down", func() bool { return r.Health().State == connector.Down })
	store.set(nil)
	waitFor(t, "catching up", func() bool { return r.Health().State == connector.CatchingUp })
	waitFor(t, "a line", func() bool { return strings.Count(log.String(), "\n") == 2 })
	if got := log.String(); !strings.Contains(got, "the store answers again and takes what it missed") || strings.Contains(got, "up to date") {
		t.Errorf("logged when it answered:\n%s", got)
	}
	close(store.gate)
	waitFor(t, "up", func() bool { return r.Health().State == connector.Up })
	waitFor(t, "a line", func() bool { return strings.Count(log.String(), "\n") == 3 })
	if got := log.String(); !strings.Contains(got, "up to date again") {
		t.Errorf("logged after all:\n%s", got)
	}
}

// A store that says what it holds and takes nothing, as with a full disk, is down all the
// time: to have answered is not to have come back.
func TestStoreThatAnswersAndRefusesStaysDown(t *testing.T) {
	j, store := newJournal(t), &faulty{Store: newMemory()}
	record(t, j, "a", newAgent(newRand(t), "a").lines(3)...)
	var r *connector.Replica
	var wrong atomic.Int32
	store.set(func(func() error) error {
		if store.attempts() > 1 && r.Health().State != connector.Down {
			wrong.Add(1)
		}
		return reasoned{"store.full"}
	})
	r = replica(j, store)
	start(t, func(ctx context.Context) { connector.Follow(ctx, j, zerolog.Nop(), r) })
	waitFor(t, "some tries", func() bool { return store.attempts() > 10 })
	if n := wrong.Load(); n > 0 {
		t.Errorf("it was not down at %d of its tries", n)
	}
	store.set(nil)
	waitFor(t, "up", func() bool { return r.Health().State == connector.Up })
}

// One outage is one, however the store's error is wrapped on its way.
func TestOutageIsOneHoweverItIsWrapped(t *testing.T) {
	store, r, log := following(t, nil)
	for _, err := range []error{
		fmt.Errorf("check: %w", reasoned{"store.unreachable"}), fmt.Errorf("read positions: %w", reasoned{"store.unreachable"}),
		errors.Join(errors.New("apply"), reasoned{"store.unreachable"}),
	} {
		store.set(err)
		for range 3 {
			last := r.Health().LastErrorAt
			waitFor(t, "another try", func() bool { return r.Health().LastErrorAt.After(last) })
		}
	}
	if got := log.String(); strings.Count(got, "\n") != 1 {
		t.Errorf("logged:\n%s", got)
	}
}
