package tail

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// reader does what a replica does: it reads the files that a report names, and
// only then.
type reader struct {
	dir  string
	mu   sync.Mutex
	seen map[string]string
}

func follow(t *testing.T, d Dir) *reader {
	t.Helper()
	r := &reader{dir: d.Path, seen: map[string]string{}}
	out := make(chan []string)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx, out) }()
	reading := make(chan struct{})
	go func() {
		defer close(reading)
		for names := range out {
			for _, name := range names {
				r.read(name, d.Suffix)
			}
		}
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("Run returned %v", err)
		}
		close(out)
		<-reading
	})
	return r
}

func (r *reader) read(name, suffix string) {
	b, err := os.ReadFile(filepath.Join(r.dir, name+suffix))
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		delete(r.seen, name)
		return
	}
	r.seen[name] = string(b)
}

// await waits until the reader has seen want, and says by what it differs if it
// does not within limit.
func (r *reader) await(t *testing.T, want map[string]string, limit time.Duration) {
	t.Helper()
	for deadline := time.Now().Add(limit); ; time.Sleep(2 * time.Millisecond) {
		r.mu.Lock()
		got := maps.Clone(r.seen)
		r.mu.Unlock()
		if maps.Equal(got, want) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("what was read after the reports (-want +got):\n%s", cmp.Diff(want, got))
		}
	}
}

// awaitPresent is await for the files that exist.
func (r *reader) awaitPresent(t *testing.T, want map[string]string, limit time.Duration) {
	t.Helper()
	for deadline := time.Now().Add(limit); ; time.Sleep(2 * time.Millisecond) {
		r.mu.Lock()
		got := map[string]string{}
		for name := range want {
			got[name] = r.seen[name]
		}
		r.mu.Unlock()
		if maps.Equal(got, want) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("what was read after the reports (-want +got):\n%s", cmp.Diff(want, got))
		}
	}
}

// fast is a poll quick enough for tests.
func fast(dir string) Dir {
	return Dir{Path: dir, Suffix: ".jsonl", Poll: 5 * time.Millisecond, Readdir: 20 * time.Millisecond,
		Sweep: 50 * time.Millisecond, Settle: time.Millisecond, NoNotify: true}
}

func write(t *testing.T, path, s string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(s), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestFirstReportNamesEverything(t *testing.T) {
	dir := t.TempDir()
	want := map[string]string{}
	for i := range 50 {
		name := fmt.Sprintf("s%d", i)
		write(t, filepath.Join(dir, name+".jsonl"), name)
		want[name] = name
	}
	write(t, filepath.Join(dir, "hook.log"), "not ours")
	follow(t, fast(dir)).await(t, want, 5*time.Second)
}

// A poll an hour away shows that it is the notification that is fast.
func TestNotificationIsFast(t *testing.T) {
	if !notifyIsCheap {
		t.Skip("no notifications on this system")
	}
	dir := t.TempDir()
	r := follow(t, Dir{Path: dir, Suffix: ".jsonl", Poll: time.Hour})
	path := filepath.Join(dir, "a.jsonl")
	// Run may not watch yet: its first report is empty, so nothing says when it does.
	time.Sleep(100 * time.Millisecond)
	write(t, path, "1")
	r.await(t, map[string]string{"a": "1"}, 5*time.Second)
	write(t, path, "12")
	r.await(t, map[string]string{"a": "12"}, 5*time.Second)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	r.await(t, map[string]string{}, 5*time.Second)
}

// Property: whatever happens to the files, after the last report of each the
// reader holds what is on disk. (Of files that are gone nothing is asked: one may
// come and go between two looks, and the reader may have caught it.)
func TestNoChangeGoesUnreported(t *testing.T) {
	for _, mode := range []struct {
		name string
		with func(*Dir)
	}{
		{"poll", func(d *Dir) {}},
		{"sweep only", func(d *Dir) { d.Open = time.Nanosecond }},
		{"notified", func(d *Dir) { d.NoNotify = false; d.Sweep = time.Second; d.Open = time.Nanosecond }},
	} {
		t.Run(mode.name, func(t *testing.T) {
			seed := uint64(time.Now().UnixNano())
			t.Logf("seed %d", seed)
			rnd := rand.New(rand.NewPCG(seed, 1))
			dir := t.TempDir()
			d := fast(dir)
			mode.with(&d)
			r := follow(t, d)
			want := map[string]string{}
			for step := range 400 {
				mutate(t, rnd, dir, want, step)
				if step%100 == 99 {
					r.awaitPresent(t, want, 10*time.Second)
				} else if rnd.IntN(4) == 0 {
					time.Sleep(time.Duration(rnd.IntN(5000)) * time.Microsecond)
				}
			}
		})
	}
}

// mutate changes one file in one of the ways in which a journal file changes, or
// in which somebody else might change it.
func mutate(t *testing.T, rnd *rand.Rand, dir string, want map[string]string, step int) {
	t.Helper()
	name := fmt.Sprintf("s%d", rnd.IntN(12))
	path := filepath.Join(dir, name+".jsonl")
	// Lengths differ, so that a truncation and an append within one tick of the file
	// system's clock do not give the size and time that were there.
	text := fmt.Sprintf("\n{%d%s}\n", step, strings.Repeat(" ", rnd.IntN(1000)))
	old, exists := want[name]
	switch op := rnd.IntN(10); {
	case op < 5: // append
		f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(f, text)
		f.Close()
		want[name] = old + text
	case op == 5 && exists: // truncate
		if err := os.Truncate(path, int64(len(old)/2)); err != nil {
			t.Fatal(err)
		}
		want[name] = old[:len(old)/2]
	case op == 6 && exists: // away
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		delete(want, name)
	case op == 7 && exists: // to another session's name
		other := fmt.Sprintf("s%d", rnd.IntN(12))
		if err := os.Rename(path, filepath.Join(dir, other+".jsonl")); err != nil {
			t.Fatal(err)
		}
		delete(want, name)
		want[other] = old
	default: // replaced by a new file, as scrub does
		text = string(bytes.Repeat([]byte{byte('a' + step%26)}, 1+step))
		tmp := filepath.Join(dir, "new.tmp")
		write(t, tmp, text)
		if err := os.Rename(tmp, path); err != nil {
			t.Fatal(err)
		}
		want[name] = text
	}
}

// A restored file has the size and time of the one it replaces.
func TestReplacedByLikeFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.jsonl")
	write(t, path, "old")
	r := follow(t, fast(dir))
	r.await(t, map[string]string{"a": "old"}, 5*time.Second)
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	tmp := filepath.Join(dir, "new.tmp")
	write(t, tmp, "new")
	if err := os.Chtimes(tmp, time.Time{}, info.ModTime()); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(tmp, path); err != nil {
		t.Fatal(err)
	}
	r.await(t, map[string]string{"a": "new"}, 5*time.Second)
}

// While nobody receives, changes are gathered, and come as one report.
func TestSlowReceiver(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.jsonl")
	write(t, path, "")
	out := make(chan []string)
	d := fast(dir)
	d.NoNotify = false
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx, out) }()
	time.Sleep(50 * time.Millisecond)
	for i := range 200 {
		write(t, path, fmt.Sprint(i))
		time.Sleep(100 * time.Microsecond)
	}
	time.Sleep(50 * time.Millisecond)
	if got := <-out; !cmp.Equal(got, []string{"a"}) {
		t.Errorf("got %q", got)
	}
	select {
	case got := <-out:
		t.Errorf("a second report without a change: %q", got)
	case <-time.After(100 * time.Millisecond):
	}
	cancel()
	<-done
}

// 5,000 finished sessions: a minute's polls look at each once, not at each every
// second; and at those that are open each time.
func TestIdlePollIsSliced(t *testing.T) {
	t.Run("old", func(t *testing.T) { idlePoll(t, true, 3) })
	t.Run("just imported", func(t *testing.T) { idlePoll(t, false, maxOpen) })
}

func idlePoll(t *testing.T, old bool, looked int) {
	const finished, open = 5000, 3
	dir := t.TempDir()
	yesterday := time.Now().Add(-24 * time.Hour)
	for i := range finished + open {
		path := filepath.Join(dir, fmt.Sprintf("s%d.jsonl", i))
		write(t, path, "x")
		if i < finished && old {
			if err := os.Chtimes(path, yesterday, yesterday); err != nil {
				t.Fatal(err)
			}
		}
	}
	d := Dir{Path: dir, Suffix: ".jsonl"}
	d.setDefaults()
	w := &watch{Dir: d, known: map[string]*file{}, pending: map[string]bool{}}
	start := time.Now()
	w.readdir(start)
	w.chooseOpen(start)
	if w.stats != finished+open {
		t.Fatalf("the first reading looked at %d files", w.stats)
	}
	clear(w.pending)
	w.stats = 0
	for s := range 60 {
		before := w.stats
		w.poll(start.Add(time.Duration(s) * time.Second))
		if n := w.stats - before; n > finished/60+looked+2 || n < looked {
			t.Errorf("second %d: %d stats", s, n)
		}
	}
	if w.stats < finished {
		t.Errorf("a minute looked at %d files, want all %d", w.stats, finished)
	}
	if len(w.pending) != 0 {
		t.Errorf("reported %d files that did not change", len(w.pending))
	}
}

func TestUnreadableDirectoryIsSaidOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "later")
	var log bytes.Buffer
	d := fast(dir)
	d.Log = zerolog.New(&log)
	out := make(chan []string)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx, out) }()
	time.Sleep(100 * time.Millisecond)
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "a.jsonl"), "1")
	if got := <-out; !cmp.Equal(got, []string{"a"}) {
		t.Errorf("got %q", got)
	}
	cancel()
	<-done
	if n := bytes.Count(log.Bytes(), []byte("\n")); n != 1 {
		t.Errorf("%d log lines, want 1:\n%s", n, &log)
	}
}

// Without inotify instances the poll goes on alone, and says so once.
func TestWithoutNotifications(t *testing.T) {
	if !notifyIsCheap {
		t.Skip("no notifications on this system")
	}
	dir := filepath.Join(t.TempDir(), "none")
	var log bytes.Buffer
	d := fast(dir)
	d.NoNotify = false
	d.Log = zerolog.New(&log)
	r := follow(t, d) // Add fails: there is no such directory yet
	time.Sleep(20 * time.Millisecond)
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "a.jsonl"), "1")
	r.await(t, map[string]string{"a": "1"}, 5*time.Second)
	write(t, filepath.Join(dir, "a.jsonl"), "2")
	r.await(t, map[string]string{"a": "2"}, 5*time.Second)
}

// BenchmarkIdle is one second's poll of a directory of 5,000 finished sessions.
func BenchmarkIdle(b *testing.B) {
	dir := b.TempDir()
	yesterday := time.Now().Add(-24 * time.Hour)
	for i := range 5000 {
		path := filepath.Join(dir, fmt.Sprintf("s%d.jsonl", i))
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			b.Fatal(err)
		}
		os.Chtimes(path, yesterday, yesterday)
	}
	d := Dir{Path: dir, Suffix: ".jsonl"}
	d.setDefaults()
	w := &watch{Dir: d, known: map[string]*file{}, pending: map[string]bool{}}
	now := time.Now()
	w.readdir(now)
	for b.Loop() {
		now = now.Add(time.Second) // every tenth reads the directory
		w.poll(now)
	}
	b.ReportMetric(float64(b.Elapsed())/float64(b.N)/1e9*100, "%core")
}

// Files of several names are reported as one where Name says so, and others not at all.
func TestNames(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a.old"), "1")
	write(t, filepath.Join(dir, "c.not"), "1")
	d := fast(dir)
	d.Name = func(file string) (string, bool) {
		name, suffix, _ := strings.Cut(file, ".")
		return name, suffix == "old" || suffix == "new"
	}
	ctx, cancel := context.WithCancel(t.Context())
	out, done := make(chan []string), make(chan error, 1)
	go func() { done <- d.Run(ctx, out) }()
	next := func(when string) {
		t.Helper()
		select {
		case got := <-out:
			if len(got) == 0 || slices.ContainsFunc(got, func(name string) bool { return name != "a" }) {
				t.Errorf("%s: %q, want a", when, got)
			}
		case <-time.After(5 * time.Second):
			t.Errorf("%s: no report", when)
		}
	}
	next("at first")
	write(t, filepath.Join(dir, "a.new"), "1")
	next("another file of it")
	if err := os.Remove(filepath.Join(dir, "a.old")); err != nil {
		t.Fatal(err)
	}
	next("one that is gone")
	cancel()
	<-done
}
