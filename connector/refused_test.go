package connector_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/graph"
)

// picky is a store that refuses some sessions.
type picky struct {
	*memory
	refuses func(session string) bool
	tries   int
}

func (s *picky) Apply(ctx context.Context, batches []graph.Batch) error {
	s.tries++
	for _, b := range batches {
		if s.refuses(b.Session) {
			return fmt.Errorf("it breaks a constraint: %w", graph.ErrRefused)
		}
	}
	return s.memory.Apply(ctx, batches)
}

// TestRefusedSessionHoldsUpNoOther: what a store refuses of one session keeps no other from
// it, be it in the same transaction or in one behind it.
func TestRefusedSessionHoldsUpNoOther(t *testing.T) {
	for _, maxEvents := range []int{7, 50, 100_000} {
		t.Run(fmt.Sprint(maxEvents), func(t *testing.T) {
			j, rnd := newJournal(t), newRand(t)
			var good []string
			for n := range 30 {
				session := fmt.Sprintf("s%02d", n)
				if n%11 == 3 {
					session = fmt.Sprintf("bad%02d", n)
				} else {
					good = append(good, session)
				}
				record(t, j, session, newAgent(rnd, session).lines(10)...)
			}
			store := &picky{memory: newMemory(), refuses: func(s string) bool { return strings.HasPrefix(s, "bad") }}
			r := replica(j, store)
			r.MaxEvents = maxEvents
			_, err := r.Sync(t.Context(), nil)
			if !errors.Is(err, graph.ErrRefused) || !strings.Contains(err.Error(), "3 sessions, among them bad") {
				t.Errorf("%v: want one that names a session", err)
			}
			equalsFreshFold(t, j, store, good...)
			if lag, err := connector.Behind(t.Context(), j, store); err != nil || lag.Sessions != 3 {
				t.Errorf("behind by %+v, %v: want the 3 that were refused", lag, err)
			}
			store.refuses = func(string) bool { return false }
			sync1(t, r)
			equalsFreshFold(t, j, store, append(good, "bad03", "bad14", "bad25")...)
		})
	}
}

// A daemon's other sessions arrive while one is refused, and that one when it no longer is.
func TestFollowBesideARefusedSession(t *testing.T) {
	j, rnd := newJournal(t), newRand(t)
	bad, a := newAgent(rnd, "bad"), newAgent(rnd, "a")
	record(t, j, "bad", bad.lines(10)...)
	refusing := make(chan bool, 1)
	refusing <- true
	store := &picky{memory: newMemory(), refuses: func(s string) bool {
		now := <-refusing
		refusing <- now
		return now && s == "bad"
	}}
	r := replica(j, store)
	start(t, func(ctx context.Context) { connector.Follow(ctx, j, r.Log, r) })
	for range 5 {
		record(t, j, "a", a.next())
		record(t, j, "bad", bad.next())
		for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
			at, _ := store.Positions(t.Context(), j.ID())
			if lag, err := connector.BehindPositions(t.Context(), j, at); err == nil && lag.Sessions == 1 && at["a"].Offset > 0 {
				break
			}
			if time.Now().After(deadline) {
				t.Fatal("one session that is refused holds up another")
			}
		}
	}
	if h := r.Health(); h.State != connector.Up || h.Refused != 1 || !strings.Contains(h.LastError, "bad") {
		t.Errorf("%+v: want one that is up and says what is wrong", h)
	}
	<-refusing
	refusing <- false
	await(t, j, store, 10*time.Second)
	equalsFreshFold(t, j, store, "a", "bad")
	waitFor(t, "none refused", func() bool { return r.Health().Refused == 0 })
}

// With the waits of a real daemon, other sessions arrive within a second for as long as
// one is refused, however often that one is tried and goes on being written.
func TestRefusedSessionDelaysNoOther(t *testing.T) {
	j, rnd := newJournal(t), newRand(t)
	var bad []*agent
	for n := range 12 { // more than a store may refuse before it takes one
		bad = append(bad, newAgent(rnd, fmt.Sprintf("bad%02d", n)))
		record(t, j, bad[n].session, bad[n].lines(5)...)
	}
	store := &picky{memory: newMemory(), refuses: func(s string) bool { return strings.HasPrefix(s, "bad") }}
	a := newAgent(rnd, "z")
	time.Sleep(20 * time.Millisecond) // it is the one that changed last
	record(t, j, "z", a.next())
	var log syncBuffer
	r := &connector.Replica{Journal: j, Store: store, Name: "test", Log: connector.NewLogger(&log, "replica", false)}
	start(t, func(ctx context.Context) { connector.Follow(ctx, j, r.Log, r) })
	var worst time.Duration
	for n := range 30 {
		began := time.Now()
		record(t, j, "z", a.next())
		record(t, j, bad[n%12].session, bad[n%12].next())
		size := must(j.Stat("z"))(t).Size
		waitFor(t, "the other session", func() bool {
			at, _ := store.Positions(t.Context(), j.ID())
			return at["z"].Offset == size
		})
		worst = max(worst, time.Since(began))
		time.Sleep(50 * time.Millisecond)
	}
	if t.Logf("at worst after %v", worst); worst > time.Second {
		t.Errorf("another session arrives after %v, want within 1 s", worst)
	}
	if h := r.Health(); h.State != connector.Up || h.Refused != 12 || !strings.Contains(h.LastError, "bad00") {
		t.Errorf("%+v: want one that is up and says what is refused", h)
	}
	if n := strings.Count(log.String(), "store.refused"); n != 1 {
		t.Errorf("%d lines say it:\n%s", n, log.String())
	}
	equalsFreshFold(t, j, store, "z")
}

// A session that is refused in the middle of its file goes on from what the store holds.
func TestRefusedInTheMiddle(t *testing.T) {
	j := newJournal(t)
	a := newAgent(newRand(t), "a")
	record(t, j, "a", a.lines(10)...)
	var refusing atomic.Bool
	store := &picky{memory: newMemory(), refuses: func(string) bool { return refusing.Load() }}
	r := replica(j, store)
	r.MaxEvents = 4
	start(t, func(ctx context.Context) { connector.Follow(ctx, j, r.Log, r) })
	await(t, j, store, 10*time.Second)
	refusing.Store(true)
	for range 3 {
		record(t, j, "a", a.lines(10)...)
		waitFor(t, "refused", func() bool { return r.Health().Refused == 1 })
	}
	refusing.Store(false)
	await(t, j, store, 10*time.Second)
	record(t, j, "a", a.lines(10)...)
	await(t, j, store, 10*time.Second)
	equalsFreshFold(t, j, store, "a")
	if h := r.Health(); h.State != connector.Up {
		t.Errorf("%+v", h)
	}
}

// A store that refuses everything is not asked about each of a thousand sessions.
func TestStoreThatRefusesAll(t *testing.T) {
	j, rnd := newJournal(t), newRand(t)
	for n := range 200 {
		session := fmt.Sprintf("s%03d", n)
		record(t, j, session, newAgent(rnd, session).next())
	}
	store := &picky{memory: newMemory(), refuses: func(string) bool { return true }}
	if _, err := replica(j, store).Sync(t.Context(), nil); !errors.Is(err, graph.ErrRefused) {
		t.Errorf("%v", err)
	}
	if store.tries > 40 {
		t.Errorf("%d tries", store.tries)
	}
}
