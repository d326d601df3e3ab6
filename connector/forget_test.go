package connector_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/journal"
)

// forget has the journal forget sessions.
func forget(t testing.TB, j *journal.Journal, sessions ...string) {
	t.Helper()
	if err := j.Forget(sessions, "test", time.Now()); err != nil {
		t.Fatal(err)
	}
}

// goneFrom returns the stores that a session's tombstone names.
func goneFrom(t testing.TB, j *journal.Journal, session string) []string {
	t.Helper()
	for _, stone := range must(j.Tombstones())(t) {
		if stone.Name == j.TombstoneName(session) {
			return stone.Gone
		}
	}
	t.Fatalf("session %s has no tombstone", session)
	return nil
}

// wantForgotten fails unless the store holds nothing of a session, and its tombstone says so.
func wantForgotten(t testing.TB, j *journal.Journal, s connector.Store, session string) {
	t.Helper()
	if at, ok := must(s.Positions(t.Context(), j.ID()))(t)[session]; ok {
		t.Errorf("the store still has a position of %s: %v", session, at)
	}
	if g := must(s.Load(t.Context(), session))(t); len(g.Nodes())+len(g.Edges()) > 0 {
		t.Errorf("the store still has %d nodes of %s", len(g.Nodes()), session)
	}
	if gone := goneFrom(t, j, session); !slices.Equal(gone, []string{"test"}) {
		t.Errorf("session %s is gone from %q", session, gone)
	}
	if changes, err := connector.Verify(t.Context(), j, s, session); err != nil || len(changes) > 0 {
		t.Errorf("verify %s: %v %v", session, changes, err)
	}
}

// TestForget: what the journal forgot goes from the store, and nothing else does.
func TestForget(t *testing.T) {
	j, store, rnd := newJournal(t), newMemory(), newRand(t)
	var all []string
	for n := range 10 {
		all = append(all, fmt.Sprintf("s%d", n))
		record(t, j, all[n], newAgent(rnd, all[n]).lines(20)...)
	}
	r := replica(j, store)
	sync1(t, r)
	if err := os.Remove(file(j, "s9")); err != nil { // lost, not forgotten: it stays
		t.Fatal(err)
	}
	forget(t, j, "s1", "s4", "s5", "never_seen")
	if report := sync1(t, r); report.Forgotten != 3 || report.Missing != 1 || report.Sessions != 0 || report.Resets != 0 {
		t.Errorf("report %+v", report)
	}
	for _, s := range []string{"s1", "s4", "s5", "never_seen"} {
		wantForgotten(t, j, store, s)
	}
	if _, ok := r.StorePositions()["s4"]; ok {
		t.Error("the replica says that the store has what it forgot")
	}
	if at := must(store.Positions(t.Context(), j.ID()))(t)["s9"]; at.Offset == 0 {
		t.Error("what was lost is forgotten, too")
	}
	equalsFreshFold(t, j, store, "s0", "s2", "s3", "s6", "s7", "s8")
	if report := sync1(t, replica(j, store)); report.Forgotten != 0 || report.Missing != 1 {
		t.Errorf("again: %+v", report)
	}
	// A store that comes later has nothing pending.
	later := replica(j, newMemory())
	later.Name = "later"
	sync1(t, later)
	if gone := goneFrom(t, j, "s4"); !slices.Equal(gone, []string{"test", "later"}) {
		t.Errorf("gone from %q", gone)
	}
}

// TestForgetIsBounded: a transaction forgets no more than it could have written.
func TestForgetIsBounded(t *testing.T) {
	j, store, rnd := newJournal(t), newMemory(), newRand(t)
	var all []string
	for n := range 12 {
		all = append(all, fmt.Sprintf("s%02d", n))
		record(t, j, all[n], newAgent(rnd, all[n]).lines(5)...)
	}
	r := replica(j, store)
	sync1(t, r)
	store.applies = 0
	forget(t, j, all...)
	r.MaxBytes = 1
	if sync1(t, r); store.applies != len(all) {
		t.Errorf("%d transactions for %d sessions", store.applies, len(all))
	}
}

// TestForgetHalfDone: whoever is killed while a session is forgotten leaves the rest to the
// next one.
func TestForgetHalfDone(t *testing.T) {
	ctx := t.Context()
	j, store, rnd := newJournal(t), newMemory(), newRand(t)
	record(t, j, "a", newAgent(rnd, "a").lines(20)...)
	record(t, j, "b", newAgent(rnd, "b").lines(20)...)
	lines := readLines(t, j, "b")
	sync1(t, replica(j, store))
	forget(t, j, "a", "b")
	// The tombstone was made, and the file not yet removed.
	record(t, j, "b", lines...)
	if report := sync1(t, replica(j, store)); report.Forgotten != 2 {
		t.Errorf("report %+v", report)
	}
	wantForgotten(t, j, store, "a")
	wantForgotten(t, j, store, "b")
	// What knows no tombstones, a hook of an earlier version, records it once more.
	record(t, j, "b", lines...)
	sync1(t, replica(j, store))
	wantForgotten(t, j, store, "b")
	if _, err := os.Stat(file(j, "b")); !os.IsNotExist(err) {
		t.Errorf("the file of b: %v", err)
	}
	// The store has forgotten, and the tombstone does not name it yet.
	at := must(store.Positions(ctx, j.ID()))(t)["b"]
	if err := store.Apply(ctx, []graph.Batch{{Journal: j.ID(), Session: "b", From: at, Reset: true, Forget: true}}); err != nil {
		t.Fatal(err)
	}
	sync1(t, replica(j, store))
	wantForgotten(t, j, store, "b")
}

// TestFollowForgets: a daemon drops a session when its file goes, also one that its store
// refuses, and one whose going it was not told of.
func TestFollowForgets(t *testing.T) {
	j, rnd := newJournal(t), newRand(t)
	for _, s := range []string{"a", "b", "bad", "untold"} {
		record(t, j, s, newAgent(rnd, s).lines(20)...)
	}
	var refusing atomic.Bool
	store := &picky{memory: newMemory(), refuses: func(s string) bool { return refusing.Load() && s == "bad" }}
	r := replica(j, store)
	r.SetQuiet(20 * time.Millisecond)
	changes := make(chan []string)
	start(t, func(ctx context.Context) { r.Run(ctx, changes) })
	await(t, j, store, 10*time.Second)
	refusing.Store(true)
	forget(t, j, "a", "bad")
	changes <- []string{"a", "bad", "b"}
	awaitTrue(t, func() bool { return len(goneFrom(t, j, "a")) > 0 })
	if gone := goneFrom(t, j, "bad"); len(gone) > 0 {
		t.Errorf("the store refuses to drop it, and yet it is gone from %q", gone)
	}
	refusing.Store(false)
	forget(t, j, "untold")
	for _, s := range []string{"a", "bad", "untold"} {
		awaitTrue(t, func() bool { return len(goneFrom(t, j, s)) > 0 })
		wantForgotten(t, j, store, s)
	}
	equalsFreshFold(t, j, store, "b")
}

// awaitTrue waits until ok is true.
func awaitTrue(t testing.TB, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("waited in vain")
		}
	}
}

// TestForgetWhileDown: a store that is down has it pending, and forgets when it is back; so
// does one to which a second daemon wrote meanwhile.
func TestForgetWhileDown(t *testing.T) {
	j, store, rnd := newJournal(t), newMemory(), newRand(t)
	a := newAgent(rnd, "a")
	record(t, j, "a", a.lines(20)...)
	down := &faulty{Store: store}
	r, second := replica(j, down), replica(j, store)
	sync1(t, r)
	record(t, j, "a", a.lines(3)...)
	sync1(t, second)
	forget(t, j, "a")
	down.set(func(func() error) error { return errFault })
	if _, err := r.Sync(t.Context(), nil); !errors.Is(err, errFault) {
		t.Errorf("%v: want the fault", err)
	}
	if gone := goneFrom(t, j, "a"); len(gone) > 0 {
		t.Errorf("the store is down, and it is gone from %q", gone)
	}
	once := false
	down.set(func(apply func() error) error { // another daemon is first
		if !once {
			once = true
			sync1(t, second)
		}
		return apply()
	})
	sync1(t, r)
	wantForgotten(t, j, store, "a")
}

// compacting is a store that has to be compacted.
type compacting struct {
	*memory
	fails   error
	t       testing.TB
	j       *journal.Journal
	pending string // a session that no tombstone may call gone by then
	done    int
}

func (c *compacting) Compact(context.Context) error {
	if gone := goneFrom(c.t, c.j, c.pending); len(gone) > 0 {
		c.t.Errorf("gone from %q before the store was compacted", gone)
	}
	if c.fails == nil {
		c.done++
	}
	return c.fails
}

// TestCompactBeforeGone: a session is gone from a store only when it is gone from its files.
func TestCompactBeforeGone(t *testing.T) {
	j, rnd := newJournal(t), newRand(t)
	record(t, j, "a", newAgent(rnd, "a").lines(20)...)
	record(t, j, "b", newAgent(rnd, "b").lines(20)...)
	store := &compacting{memory: newMemory(), t: t, j: j, pending: "a", fails: errFault}
	r := replica(j, store)
	sync1(t, r)
	if store.done > 0 {
		t.Error("compacted without a cause")
	}
	forget(t, j, "a", "b")
	for range 2 { // the second has nothing to drop any more
		if report, err := r.Sync(t.Context(), nil); !errors.Is(err, errFault) || len(goneFrom(t, j, "a")) > 0 {
			t.Fatalf("%+v, %v, gone from %q", report, err, goneFrom(t, j, "a"))
		}
	}
	store.fails = nil
	reading := replica(j, store)
	reading.LeaveCompact = true
	if sync1(t, reading); store.done > 0 || len(goneFrom(t, j, "a")) > 0 {
		t.Error("who only asks compacted the store")
	}
	sync1(t, replica(j, store))
	sync1(t, r)
	if store.done != 1 {
		t.Errorf("compacted %d times for one burst", store.done)
	}
	wantForgotten(t, j, store, "a")
	wantForgotten(t, j, store, "b")
}

// TestTombstonesAreReadOnce: a pass in which nothing was forgotten reads none of them.
func TestTombstonesAreReadOnce(t *testing.T) {
	j, store := newJournal(t), newMemory()
	forget(t, j, "a")
	dir := journal.ForgottenDir(j.Home())
	old := time.Now().Add(-time.Hour)
	if err := os.Chtimes(dir, old, old); err != nil {
		t.Fatal(err)
	}
	r := replica(j, store)
	sync1(t, r)
	path := filepath.Join(dir, j.TombstoneName("a"))
	text := must(os.ReadFile(path))(t)
	if err := os.WriteFile(path, []byte(strings.TrimSuffix(string(text), "test\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	if sync1(t, r); len(goneFrom(t, j, "a")) > 0 {
		t.Error("the tombstones were read again though none had come")
	}
	forget(t, j, "b")
	sync1(t, r)
	for _, s := range []string{"a", "b"} {
		if len(goneFrom(t, j, s)) == 0 {
			t.Errorf("%s: the tombstones were not read when one had come", s)
		}
	}
}

// TestNoCompactionAgainAndAgain: what was compacted once is not for as long as nothing is taken
// back, in a home in which nothing was ever forgotten neither, and a failure is not tried again
// at once.
func TestNoCompactionAgainAndAgain(t *testing.T) {
	for _, fails := range []error{nil, errFault} {
		j := newJournal(t)
		store := &counting{memory: newMemory(), fails: fails}
		rnd := newRand(t)
		record(t, j, "a", newAgent(rnd, "a").lines(20)...)
		r := replica(j, store)
		r.SetQuiet(5 * time.Millisecond)
		changes := make(chan []string)
		stop := start(t, func(ctx context.Context) { r.Run(ctx, changes) })
		await(t, j, store, 10*time.Second)
		if err := os.Remove(file(j, "a")); err != nil {
			t.Fatal(err)
		}
		record(t, j, "a", newAgent(rnd, "a").lines(30)...) // another file: the session is reset
		changes <- []string{"a"}
		awaitTrue(t, func() bool { return store.tried.Load() > 0 })
		quiet := store.maintained.Load()
		awaitTrue(t, func() bool { return store.maintained.Load() > quiet+5 })
		if stop(); store.tried.Load() != 1 {
			t.Errorf("compacted %d times for one reset (it fails: %v)", store.tried.Load(), fails)
		}
	}
}

// counting is a store that counts how often it was compacted, and tidied.
type counting struct {
	*memory
	fails             error
	tried, maintained atomic.Int64
}

func (c *counting) Compact(context.Context) error {
	c.tried.Add(1)
	return c.fails
}

func (c *counting) Maintain(context.Context) error {
	c.maintained.Add(1)
	return nil
}
