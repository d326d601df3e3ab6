package connector_test

import (
	"bytes"
	"context"
	"io/fs"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/journal"
)

type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// hangs is a store whose Apply answers only when its context ends, until released.
type hangs struct {
	*memory
	mu    sync.Mutex
	calls int
	free  bool
}

func (h *hangs) Apply(ctx context.Context, batches []graph.Batch) error {
	h.mu.Lock()
	h.calls++
	free := h.free
	h.mu.Unlock()
	if !free {
		<-ctx.Done()
		return ctx.Err()
	}
	return h.memory.Apply(ctx, batches)
}

func (h *hangs) count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.calls
}

func (h *hangs) release() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.free = true
}

// Lines that are no events are counted and passed over, and one of a file is named.
func TestLinesThatAreNoEvents(t *testing.T) {
	j, store := newJournal(t), newMemory()
	a := newAgent(newRand(t), "a")
	record(t, j, "a", a.lines(3)...)
	foreign := newAgent(newRand(t), "b").next()
	record(t, j, "a",
		[]byte(`{}`), []byte(`{"v":"one"}`), []byte(`{"v":1}`), foreign, // refused
		[]byte(`{"v":1,"event_id":"cut sho`), []byte(`[1,2]`), []byte{0, 0, 0}) // torn
	record(t, j, "a", a.lines(3)...)
	tail, err := os.OpenFile(file(j, "a"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer tail.Close()
	last := a.next()
	tail.Write(append([]byte("\n"), last[:20]...)) // its writer is at it

	var log syncBuffer
	r := replica(j, store)
	r.MaxEvents = 2
	r.Log = connector.NewLogger(&log, "replica", false)
	report := sync1(t, r)
	if report.Events != 6 || report.Refused != 4 || report.Torn != 3 {
		t.Errorf("%+v, want 6 events, 4 refused, 3 torn", report)
	}
	equalsFreshFold(t, j, store, "a")
	if got := log.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, `"session_id":"a"`) || !strings.Contains(got, `"offset":`) {
		t.Errorf("logged:\n%s", got)
	}
	tail.Write(append(last[20:], '\n'))
	if report := sync1(t, r); report.Events != 1 || report.Refused != 0 || report.Torn != 0 {
		t.Errorf("the last line, finished: %+v", report)
	}
	// A replica that folds the prefix again does not count or tell it again.
	record(t, j, "a", a.next())
	other := replica(j, store)
	other.Log = r.Log
	if report := sync1(t, other); report.Events != 1 || report.Refused != 0 || report.Torn != 0 {
		t.Errorf("by another replica: %+v", report)
	}
	if got := log.String(); strings.Count(got, "\n") != 1 {
		t.Errorf("logged in the end:\n%s", got)
	}
	equalsFreshFold(t, j, store, "a")
}

// A journal file is damaged between two syncs; whatever it holds afterwards is
// what the store holds.
func TestReplacedFiles(t *testing.T) {
	rewrite := func(t *testing.T, path string, text []byte) {
		t.Helper()
		if err := os.WriteFile(path+".new", text, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
	}
	for _, tc := range []struct {
		name   string
		damage func(t *testing.T, path string, text []byte)
	}{
		{"truncated to a record's end", func(t *testing.T, path string, text []byte) {
			half := bytes.LastIndex(text[:len(text)/2], []byte("}\n")) + 2
			if err := os.Truncate(path, int64(half)); err != nil {
				t.Fatal(err)
			}
		}},
		{"truncated within a record", func(t *testing.T, path string, text []byte) {
			if err := os.Truncate(path, int64(len(text)-10)); err != nil {
				t.Fatal(err)
			}
		}},
		{"another session's start", func(t *testing.T, path string, text []byte) {
			first := bytes.Index(text, []byte("}\n")) + 2
			rewrite(t, path, text[first:])
		}},
		{"longer, with another end", func(t *testing.T, path string, text []byte) {
			cut := bytes.LastIndex(text[:len(text)-2], []byte("\n{"))
			rewrite(t, path, append(text[:cut:cut], bytes.Repeat([]byte("\n{\"v\":0}\n"), 200)...))
		}},
		{"the same size", func(t *testing.T, path string, text []byte) {
			rewrite(t, path, bytes.Replace(text, []byte("claude-code"), []byte("closed-code"), -1))
		}},
		{"rewritten in place", func(t *testing.T, path string, text []byte) {
			cut := bytes.LastIndex(text[:len(text)-2], []byte("\n{"))
			if err := os.WriteFile(path, text[:cut], 0o600); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		for _, how := range []string{"sync", "follow"} {
			t.Run(tc.name+"/"+how, func(t *testing.T) {
				j, store := newJournal(t), newMemory()
				rnd := newRand(t)
				record(t, j, "a", newAgent(rnd, "a").lines(40)...)
				record(t, j, "b", newAgent(rnd, "b").lines(10)...)
				r := replica(j, store)
				r.Thorough = true
				settle := func() { sync1(t, r) }
				if how == "follow" {
					start(t, func(ctx context.Context) { connector.Follow(ctx, j, zerolog.Nop(), r) })
					settle = func() { awaitEqual(t, j, store, "a", "b") }
				}
				settle()
				text, err := os.ReadFile(file(j, "a"))
				if err != nil {
					t.Fatal(err)
				}
				tc.damage(t, file(j, "a"), text)
				settle()
				equalsFreshFold(t, j, store, "a", "b")
				if changes, err := connector.Verify(t.Context(), j, store, ""); err != nil || len(changes) > 0 {
					t.Errorf("Verify: %v, %v", changes, err)
				}
			})
		}
	}
}

// awaitEqual waits until nothing differs from a fresh fold.
func awaitEqual(t *testing.T, j *journal.Journal, s connector.Store, sessions ...string) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		lag, err := connector.Behind(t.Context(), j, s)
		if err != nil {
			t.Fatal(err)
		}
		changes, err := connector.Verify(t.Context(), j, s, "")
		// Asked for last: of a session that is just taken back, to be folded again, there is none.
		positions, _ := s.Positions(t.Context(), j.ID())
		if err == nil && len(changes) == 0 && lag.Bytes < 500 && len(positions) == len(sessions) {
			return
		}
	}
	t.Error("the store never came to what the journal says")
}

// An emptied file is an empty session; a removed one is left as it was, for it may
// be on a disk that is not mounted.
func TestEmptiedAndRemovedFiles(t *testing.T) {
	j, store := newJournal(t), newMemory()
	rnd := newRand(t)
	record(t, j, "a", newAgent(rnd, "a").lines(10)...)
	record(t, j, "b", newAgent(rnd, "b").lines(10)...)
	r := replica(j, store)
	sync1(t, r)
	if err := os.Truncate(file(j, "a"), 0); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(file(j, "b")); err != nil {
		t.Fatal(err)
	}
	if report := sync1(t, r); report.Resets != 1 || report.Missing != 1 {
		t.Errorf("%+v, want one reset and one missing", report)
	}
	if g, _ := store.Load(t.Context(), "a"); len(g.Nodes()) > 0 {
		t.Errorf("the emptied session has %d nodes", len(g.Nodes()))
	}
	if g, _ := store.Load(t.Context(), "b"); len(g.Nodes()) == 0 {
		t.Error("the removed file's session is gone from the store")
	}
	changes, err := connector.Verify(t.Context(), j, store, "")
	if err != nil || len(changes) != 1 || changes[0].What != "Session b" || changes[0].Field != "journal" {
		t.Errorf("Verify: %v, %v", changes, err)
	}
}

// A file that cannot be read is named, and does not stop the others; once it can
// be read its session is there.
func TestUnreadableFile(t *testing.T) {
	j, store := newJournal(t), newMemory()
	rnd := newRand(t)
	record(t, j, "b", newAgent(rnd, "b").lines(10)...)
	if err := os.Symlink(file(j, "a"), file(j, "a")); err != nil { // permissions mean nothing to root
		t.Skip(err)
	}
	r := replica(j, store)
	report, err := r.Sync(t.Context(), nil)
	if err == nil || !strings.Contains(err.Error(), "session a") || report.Sessions != 1 {
		t.Errorf("%+v, %v", report, err)
	}
	equalsFreshFold(t, j, store, "b")

	var log syncBuffer
	r.Log = connector.NewLogger(&log, "replica", false)
	r.Idle = 10 * time.Millisecond // also how often it tries again
	start(t, func(ctx context.Context) { connector.Follow(ctx, j, zerolog.Nop(), r) })
	time.Sleep(100 * time.Millisecond)
	if n := strings.Count(log.String(), "\n"); n != 1 {
		t.Errorf("said %d times that it cannot be read:\n%s", n, log.String())
	}
	if err := os.Remove(file(j, "a")); err != nil {
		t.Fatal(err)
	}
	record(t, j, "a", newAgent(rnd, "a").lines(10)...)
	awaitEqual(t, j, store, "a", "b")
	equalsFreshFold(t, j, store, "a", "b")
}

// Files that are swapped all the time while a replica follows.
func TestReplacedWhileFollowed(t *testing.T) {
	j, store := newJournal(t), newMemory()
	rnd := newRand(t)
	r := replica(j, store)
	r.MaxEvents = 5
	stop := start(t, func(ctx context.Context) { connector.Follow(ctx, j, zerolog.Nop(), r) })
	a := newAgent(rnd, "a")
	record(t, j, "a", a.next())
	for range 100 {
		text, err := os.ReadFile(file(j, "a"))
		if err != nil {
			t.Fatal(err)
		}
		switch lines := bytes.SplitAfter(text, []byte("}\n")); rnd.IntN(4) {
		case 0: // a scrub: some lines go
			kept := bytes.Join(lines[rnd.IntN(len(lines)):], nil)
			if err := os.WriteFile(file(j, "a")+".new", kept, fs.FileMode(0o600)); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(file(j, "a")+".new", file(j, "a")); err != nil {
				t.Fatal(err)
			}
		case 1:
			if err := os.Truncate(file(j, "a"), int64(rnd.IntN(len(text)+1))); err != nil {
				t.Fatal(err)
			}
		default:
			record(t, j, "a", a.lines(1+rnd.IntN(10))...)
		}
		time.Sleep(time.Duration(rnd.IntN(3000)) * time.Microsecond)
	}
	record(t, j, "a", a.lines(3)...)
	awaitEqual(t, j, store, "a")
	stop()
	equalsFreshFold(t, j, store, "a")
}

// A position can lie behind a torn line. A replica that folds the prefix again
// must not take the record after it for a part of that.
func TestPositionBehindTornLine(t *testing.T) {
	j, store := newJournal(t), newMemory()
	a := newAgent(newRand(t), "a")
	record(t, j, "a", append(a.lines(5), []byte(`{"v":1,"event`))...)
	if report := sync1(t, replica(j, store)); report.Torn != 1 {
		t.Fatalf("%+v", report)
	}
	record(t, j, "a", a.lines(5)...)
	if report := sync1(t, replica(j, store)); report.Torn != 0 || report.Events != 5 {
		t.Errorf("%+v, want 5 events", report)
	}
	equalsFreshFold(t, j, store, "a")
}

// A file is replaced while it is being read: what was read of the old one and not
// written yet must not reach the store with the new one.
func TestReplacedInTheMiddle(t *testing.T) {
	j, store := newJournal(t), &faulty{Store: newMemory()}
	a := newAgent(newRand(t), "a")
	record(t, j, "a", a.lines(17)...)
	replace := sync.OnceFunc(func() {
		lines := bytes.SplitAfter(bytes.TrimSpace(must(os.ReadFile(file(j, "a")))(t)), []byte("}\n"))
		if err := os.WriteFile(file(j, "a")+".new", append(bytes.Join(lines[1:4], nil), '\n'), 0o600); err != nil {
			t.Error(err)
		}
		if err := os.Rename(file(j, "a")+".new", file(j, "a")); err != nil {
			t.Error(err)
		}
	})
	store.set(func(apply func() error) error {
		replace()
		return apply()
	})
	r := replica(j, store)
	r.MaxEvents = 5 // three transactions are under way; the last two events are not
	if report := sync1(t, r); report.Resets != 1 || report.Events != 18 {
		t.Errorf("%+v, want a reset and 15 + 3 events", report)
	}
	equalsFreshFold(t, j, store, "a")
}

// While the store is down a file is replaced by one of its size.
func TestReplacedWhileStoreIsDown(t *testing.T) {
	j, store := newJournal(t), &faulty{Store: newMemory()}
	record(t, j, "a", newAgent(newRand(t), "a").lines(20)...)
	var log syncBuffer
	r := replica(j, store)
	r.Log = connector.NewLogger(&log, "replica", false)
	start(t, func(ctx context.Context) { connector.Follow(ctx, j, zerolog.Nop(), r) })
	awaitEqual(t, j, store, "a")
	time.Sleep(20 * time.Millisecond)
	store.set(func(func() error) error { return errFault })
	before := store.attempts()
	text := bytes.ReplaceAll(must(os.ReadFile(file(j, "a")))(t), []byte("claude-code"), []byte("closed-code"))
	if err := os.WriteFile(file(j, "a")+".new", text, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(file(j, "a")+".new", file(j, "a")); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(10 * time.Second); store.attempts() < before+5; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it does not try again")
		}
	}
	store.set(nil)
	awaitEqual(t, j, store, "a")
	equalsFreshFold(t, j, store, "a")
	if got := log.String(); strings.Count(got, "store.failed") != 1 {
		t.Errorf("logged:\n%s", got)
	}
}
