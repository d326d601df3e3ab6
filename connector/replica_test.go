package connector_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/rs/zerolog"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/journal"
)

func readLines(t testing.TB, j *journal.Journal, session string) [][]byte {
	t.Helper()
	c := must(j.Content(session))(t)
	defer c.Close()
	text := must(io.ReadAll(io.NewSectionReader(c, 0, c.Size())))(t)
	whole := text[:bytes.LastIndexByte(text, '\n')+1]
	return bytes.Split(whole, []byte("\n"))
}

func TestSync(t *testing.T) {
	j, store := newJournal(t), newMemory()
	rnd := newRand(t)
	a, b := newAgent(rnd, "a"), newAgent(rnd, "b")
	record(t, j, "a", a.lines(30)...)
	record(t, j, "b", b.lines(5)...)
	sizes := func() (n int64) {
		files, err := j.Files()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			n += f.Size
		}
		return n
	}
	r := replica(j, store)
	var last connector.Progress
	report, err := r.Sync(t.Context(), func(p connector.Progress) { last = p })
	if err != nil {
		t.Fatal(err)
	}
	ignore := cmpopts.IgnoreFields(connector.Report{}, "Duration", "Ops")
	if diff := cmp.Diff(connector.Report{Sessions: 2, Events: 35, Bytes: sizes()}, report, ignore); diff != "" {
		t.Errorf("first: -want +got\n%s", diff)
	}
	if report.Ops < 35 || report.Duration <= 0 {
		t.Errorf("%d ops, %v", report.Ops, report.Duration)
	}
	if diff := cmp.Diff(connector.Progress{Sessions: 2, Events: 35, Bytes: sizes(), TotalBytes: sizes()}, last); diff != "" {
		t.Errorf("progress: -want +got\n%s", diff)
	}
	equalsFreshFold(t, j, store, "a", "b")

	applies := store.applies
	if diff := cmp.Diff(connector.Report{}, sync1(t, r), ignore); diff != "" || store.applies != applies {
		t.Errorf("nothing new: %d applies, -want +got\n%s", store.applies-applies, diff)
	}
	before := sizes()
	record(t, j, "b", b.lines(7)...)
	want := connector.Report{Sessions: 1, Events: 7, Bytes: sizes() - before}
	// By another replica: what the first one has in memory is not needed.
	if diff := cmp.Diff(want, sync1(t, replica(j, store)), ignore); diff != "" {
		t.Errorf("7 more: -want +got\n%s", diff)
	}
	equalsFreshFold(t, j, store, "a", "b")
}

// A session larger than a transaction, and many that share one.
func TestTransactionsAreBounded(t *testing.T) {
	j, store := newJournal(t), newMemory()
	rnd := newRand(t)
	var sessions []string
	for i := range 20 {
		s := fmt.Sprintf("s%d", i)
		sessions = append(sessions, s)
		record(t, j, s, newAgent(rnd, s).lines(1+rnd.IntN(40))...)
	}
	record(t, j, "big", newAgent(rnd, "big").lines(500)...)
	sessions = append(sessions, "big")
	largest := 0
	r := replica(j, store)
	r.MaxEvents = 16
	before := 0
	report, err := r.Sync(t.Context(), func(p connector.Progress) {
		largest = max(largest, p.Events-before)
		before = p.Events
	})
	if err != nil || report.Sessions != 21 {
		t.Fatalf("%+v, %v", report, err)
	}
	if largest != 16 || store.largest < 2 {
		t.Errorf("up to %d events and %d sessions in a transaction, want 16 and more than one", largest, store.largest)
	}
	equalsFreshFold(t, j, store, sessions...)

	byBytes := newMemory()
	r = replica(j, byBytes)
	r.MaxBytes = 1 // each line is too much
	if report := sync1(t, r); byBytes.applies != report.Events {
		t.Errorf("%d transactions for %d events", byBytes.applies, report.Events)
	}
	equalsFreshFold(t, j, byBytes, sessions...)
}

// live appends to a few sessions from several goroutines while f runs.
func live(t *testing.T, j *journal.Journal, sessions []string, each int, f func()) {
	t.Helper()
	var writers sync.WaitGroup
	for i, s := range sessions {
		writers.Go(func() {
			rnd := rand.New(rand.NewPCG(uint64(i), 3))
			a := newAgent(rnd, s)
			for range each {
				record(t, j, s, a.next())
				time.Sleep(time.Duration(rnd.IntN(2000)) * time.Microsecond)
			}
		})
	}
	f()
	writers.Wait()
}

// The store fails in every way it can while events arrive. What it holds in the
// end is what the journal says.
func TestFollowFaultyStore(t *testing.T) {
	for _, tc := range []struct {
		name  string
		fault func(rnd *rand.Rand) func(func() error) error
	}{
		{"before commit", func(rnd *rand.Rand) func(func() error) error {
			return func(apply func() error) error {
				if rnd.IntN(2) == 0 {
					return errFault
				}
				return apply()
			}
		}},
		{"after commit", func(rnd *rand.Rand) func(func() error) error {
			return func(apply func() error) error {
				return errors.Join(apply(), []error{nil, errFault}[rnd.IntN(2)])
			}
		}},
		{"disk full", func(rnd *rand.Rand) func(func() error) error {
			full := 30
			return func(apply func() error) error {
				if full--; full > 0 && full < 25 {
					return &os.PathError{Op: "write", Path: "graph.db", Err: syscall.ENOSPC}
				}
				return apply()
			}
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			j, rnd := newJournal(t), newRand(t)
			store := &faulty{Store: newMemory()}
			store.set(tc.fault(rnd))
			r := replica(j, store)
			r.MaxEvents = 10
			sessions := []string{"a", "b", "c"}
			stop := start(t, func(ctx context.Context) { connector.Follow(ctx, j, zerolog.Nop(), r) })
			live(t, j, sessions, 150, func() {})
			await(t, j, store, 20*time.Second)
			stop()
			equalsFreshFold(t, j, store, sessions...)
		})
	}
}

// A store that hangs is given up after ApplyTimeout; one that is gone for good
// keeps nothing but itself from working, and it says so once.
func TestDeadStoreLagsAlone(t *testing.T) {
	j := newJournal(t)
	healthy := newMemory()
	dead := &faulty{Store: newMemory()}
	dead.set(func(func() error) error { return errFault })
	hanging := &hangs{memory: newMemory()}
	var log syncBuffer
	deadReplica, hangingReplica := replica(j, dead), replica(j, hanging)
	deadReplica.Log = connector.NewLogger(&log, "replica", false)
	hangingReplica.ApplyTimeout = 20 * time.Millisecond
	stop := start(t, func(ctx context.Context) {
		connector.Follow(ctx, j, zerolog.Nop(), deadReplica, replica(j, healthy), hangingReplica)
	})
	live(t, j, []string{"a", "b"}, 50, func() {})
	await(t, j, healthy, 10*time.Second)
	for deadline := time.Now().Add(10 * time.Second); dead.attempts() < 10 || hanging.count() < 3; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d and %d attempts", dead.attempts(), hanging.count())
		}
	}
	if got := log.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, `"error_message":"the disk is on fire"`) {
		t.Errorf("logged while down:\n%s", got)
	}
	dead.set(nil)
	hanging.release()
	await(t, j, dead, 10*time.Second)
	await(t, j, hanging, 10*time.Second)
	// The store has everything a moment before its replica says so.
	for deadline := time.Now().Add(10 * time.Second); !strings.Contains(log.String(), "up to date again") && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	stop()
	for _, s := range []connector.Store{healthy, dead, hanging} {
		equalsFreshFold(t, j, s, "a", "b")
	}
	if got := log.String(); strings.Count(got, "\n") != 2 || !strings.Contains(got, "up to date again") {
		t.Errorf("logged after all:\n%s", got)
	}
}

// A crash is a replica that is gone in the middle, and another that begins where
// the store says.
func TestCrashes(t *testing.T) {
	j, rnd := newJournal(t), newRand(t)
	store := newMemory()
	sessions := []string{"a", "b", "c", "d"}
	agents := map[string]*agent{}
	for _, s := range sessions {
		agents[s] = newAgent(rnd, s)
	}
	for range 60 {
		for range rnd.IntN(30) {
			s := sessions[rnd.IntN(len(sessions))]
			record(t, j, s, agents[s].next())
		}
		ctx, cancel := context.WithCancel(t.Context())
		left := rnd.IntN(5)
		dying := &faulty{Store: store}
		dying.set(func(apply func() error) error {
			if left--; left < 0 {
				defer cancel()
				if rnd.IntN(2) == 0 {
					return context.Canceled
				}
			}
			return apply()
		})
		r := replica(j, dying)
		r.MaxEvents = 1 + rnd.IntN(20)
		r.Sync(ctx, nil)
		cancel()
	}
	sync1(t, replica(j, store))
	equalsFreshFold(t, j, store, sessions...)
}

// Another writer moves the store while a replica is at work.
func TestConflictStartsOver(t *testing.T) {
	j, rnd := newJournal(t), newRand(t)
	store := newMemory()
	record(t, j, "a", newAgent(rnd, "a").lines(100)...)
	other := replica(j, store)
	other.MaxEvents = 7
	first := true
	contested := &faulty{Store: store}
	contested.set(func(apply func() error) error {
		if first {
			first = false
			sync1(t, other)
		}
		return apply()
	})
	r := replica(j, contested)
	r.MaxEvents = 30
	sync1(t, r)
	equalsFreshFold(t, j, store, "a")

	contested.set(func(func() error) error { return fmt.Errorf("restored backup: %w", graph.ErrConflict) })
	record(t, j, "b", newAgent(rnd, "b").next())
	if _, err := r.Sync(t.Context(), nil); !errors.Is(err, graph.ErrConflict) {
		t.Errorf("a store that never agrees: %v", err)
	}
}

func TestSyncReturnsTheStoresError(t *testing.T) {
	j := newJournal(t)
	record(t, j, "a", newAgent(newRand(t), "a").lines(20)...)
	store := &faulty{Store: newMemory()}
	store.set(func(func() error) error { return errFault })
	r := replica(j, store)
	report, err := r.Sync(t.Context(), nil)
	if !errors.Is(err, errFault) || report.Events != 0 {
		t.Errorf("%+v, %v", report, err)
	}
	if store.attempts() != 1 {
		t.Errorf("%d attempts, want 1: who runs a verb waits for it", store.attempts())
	}
}

// States are dropped and made again, by time and by number.
func TestDroppedStatesAreRefolded(t *testing.T) {
	for name, limit := range map[string]func(*connector.Replica){
		"idle":   func(r *connector.Replica) { r.Idle = 3 * time.Millisecond },
		"number": func(r *connector.Replica) { r.MaxKept, r.MaxLive = 20, 20 },
		"live":   func(r *connector.Replica) { r.MaxKept = 20 },
	} {
		t.Run(name, func(t *testing.T) {
			j, store := newJournal(t), newMemory()
			r := replica(j, store)
			limit(r)
			stop := start(t, func(ctx context.Context) { connector.Follow(ctx, j, zerolog.Nop(), r) })
			sessions := []string{"a", "b", "c"}
			live(t, j, sessions, 60, func() {})
			await(t, j, store, 10*time.Second)
			stop()
			equalsFreshFold(t, j, store, sessions...)
		})
	}
}

func TestLagIsShort(t *testing.T) {
	j, store := newJournal(t), newMemory()
	start(t, func(ctx context.Context) { connector.Follow(ctx, j, zerolog.Nop(), replica(j, store)) })
	a := newAgent(newRand(t), "a")
	for range 5 {
		record(t, j, "a", a.next())
		begin := time.Now()
		await(t, j, store, 5*time.Second)
		if lag := time.Since(begin); lag > time.Second {
			t.Errorf("an event took %v from the journal to the store, want at most 1s", lag)
		}
		time.Sleep(10 * time.Millisecond)
	}
}
