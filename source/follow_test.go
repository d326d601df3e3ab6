package source

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"github.com/actiongraph/actiongraph/adapters/jsonl"
	"github.com/actiongraph/actiongraph/internal/tail"
	"github.com/actiongraph/actiongraph/journal"
)

// running is a Follower that runs.
type running struct {
	*Follower
	t    testing.TB
	stop func()
	log  *logged

	mu    sync.Mutex
	found map[string]jsonl.Format
}

type logged struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func start(t testing.TB, r *Reader, specs ...Spec) *running {
	t.Helper()
	f := &Follower{Reader: r, Specs: specs, quick: true}
	f.tail = tail.Tree{Poll: 5 * time.Millisecond, Sweep: 50 * time.Millisecond, Settle: time.Millisecond}
	run := &running{Follower: f, t: t, log: &logged{}, found: map[string]jsonl.Format{}}
	f.Log = zerolog.New(run.log)
	f.Found = func(path string, format jsonl.Format) {
		run.mu.Lock()
		defer run.mu.Unlock()
		if _, told := run.found[path]; told && format == "" {
			t.Errorf("%s is told twice", path)
		}
		run.found[path] = format
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); f.Run(ctx, make(chan []string)) }()
	run.stop = sync.OnceFunc(func() { cancel(); <-done })
	t.Cleanup(run.stop)
	return run
}

// await waits until a condition holds.
func (r *running) await(what string, ok func() bool) {
	r.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			r.t.Fatalf("not after 20 s: %s\n%+v\n%s", what, r.Health(), r.log)
		}
	}
}

// awaitFacts waits until the journal has n facts, and a little longer for more.
func (r *running) awaitFacts(n int) {
	r.t.Helper()
	got := 0
	defer func() {
		if r.t.Failed() {
			r.t.Logf("%d facts, want %d", got, n)
		}
	}()
	r.await(fmt.Sprintf("%d facts", n), func() bool { got = len(facts(r.t, r.Reader.Journal)); return got >= n })
	time.Sleep(20 * time.Millisecond)
	if got = len(facts(r.t, r.Reader.Journal)); got != n {
		r.t.Fatalf("%d facts, want %d", got, n)
	}
}

func write2(t testing.TB, path string, pieces ...string) {
	t.Helper()
	for _, piece := range pieces {
		appendTo(t, path, piece)
		time.Sleep(time.Duration(rand.IntN(3)) * time.Millisecond)
	}
}

// torn cuts a text anywhere, n times.
func torn(r *rand.Rand, text string, n int) (pieces []string) {
	for range n {
		at := r.IntN(min(len(text), 2*len(text)/n+2) + 1)
		pieces = append(pieces, text[:at])
		text = text[at:]
	}
	return append(pieces, text)
}

// TestFollowIsImport: a file that is written in pieces, torn anywhere 1,000 times, while a
// follower reads it that is stopped now and then, is what one import makes of it.
func TestFollowIsImport(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	crlf := strings.ReplaceAll(events(1000, 200), "\n", "\r\n")
	for name, text := range map[string]string{
		"trace-260301_101500.jsonl": dumpText(t), "trace-undated.jsonl": undatedDump(t, 1), "trace-events.jsonl": tracedText(t, 3), "events.jsonl": events(0, 300), "crlf.jsonl": byteOrderMark + crlf,
	} {
		dir := realDir(t)
		path := filepath.Join(dir, "in", name)
		want := newReader(t, filepath.Join(dir, "want"))
		clean(t, want, Options{}, write(t, text, path))
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		home := filepath.Join(dir, "home")
		newReader(t, home)
		key, err := os.ReadFile(filepath.Join(dir, "want", "key"))
		if err != nil {
			t.Fatal(err)
		}
		write(t, string(key), home, "key")
		live := start(t, newReader(t, home), Spec{Path: path})
		for i, piece := range torn(random, text, 1000) {
			appendTo(t, path, piece)
			if random.IntN(4) == 0 {
				time.Sleep(time.Duration(random.IntN(2)) * time.Millisecond)
			}
			if i%211 == 210 {
				live.stop()
				live = start(t, newReader(t, home), Spec{Path: path})
			}
		}
		wanted := facts(t, want.Journal)
		live.awaitFacts(len(wanted))
		live.stop()
		got := facts(t, live.Reader.Journal)
		lossless(t, wanted, got)
		once(t, got)
		if t.Failed() {
			t.Fatal(name)
		}
		// An import has nothing to do then.
		if report := clean(t, newReader(t, home), Options{}, path); report.Lines != 0 {
			t.Errorf("%+v", report)
		}
	}
}

// rotation is what becomes of a log now and then; live is its path.
type rotation func(t testing.TB, live string, n int)

func rename(t testing.TB, live string, n int) {
	for i := n; i > 0; i-- {
		old := fmt.Sprintf("%s.%d", live, i)
		if _, err := os.Stat(old); err == nil {
			if err := os.Rename(old, fmt.Sprintf("%s.%d", live, i+1)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := os.Rename(live, live+".1"); err != nil {
		t.Fatal(err)
	}
}

func copyTruncate(t testing.TB, live string, n int) {
	text, err := os.ReadFile(live)
	if err == nil {
		err = os.WriteFile(fmt.Sprintf("%s-2026%04d", live, n), text, 0o600)
	}
	if err == nil {
		err = os.Truncate(live, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func pack(t testing.TB, live string, n int) {
	text, err := os.ReadFile(live)
	old := fmt.Sprintf("%s.%d.gz", live, n)
	if err == nil {
		write(t, packed(t, string(text)), old+".tmp")
		err = os.Rename(old+".tmp", old)
	}
	if err == nil {
		err = os.Remove(live)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func away(t testing.TB, live string, n int) {
	if err := os.MkdirAll(filepath.Dir(live)+"-old", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(live, fmt.Sprintf("%s-old/%d", filepath.Dir(live), n)); err != nil {
		t.Fatal(err)
	}
}

// TestRotation: under load, however a log is rotated, each line is a fact once.
func TestRotation(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	for name, rotate := range map[string]rotation{"rename": rename, "copytruncate": copyTruncate, "pack": pack, "away": away} {
		for _, spec := range []string{"app.jsonl", "", "*.jsonl"} {
			t.Run(name+" "+spec, func(t *testing.T) {
				t.Parallel()
				dir := realDir(t)
				live := filepath.Join(dir, "in", "app.jsonl")
				write(t, events(0, 10), live)
				r := newReader(t, filepath.Join(dir, "home"))
				f := start(t, r, Spec{Path: filepath.Join(dir, "in", spec)})
				n, random := 10, rand.New(rand.NewPCG(7, 7))
				for i := range 12 {
					for range 1 + random.IntN(20) {
						write2(t, live, torn(random, events(n, 5), 3)...)
						n += 5
					}
					if name != "rename" {
						// Whatever copies and deletes has to give a chance to read what it
						// deletes: nobody can read what is gone.
						f.await("what there is was read", func() bool { return len(facts(t, r.Journal)) == n })
					}
					rotate(t, live, i+1)
				}
				write2(t, live, events(n, 3))
				f.awaitFacts(n + 3)
				f.stop()
				if _, err := r.Import(context.Background(), []string{filepath.Join(dir, "in")}, nil, Options{}, nil); err != nil {
					t.Error(err)
				}
				if got := facts(t, r.Journal); len(got) != n+3 {
					t.Errorf("%d facts, want %d", len(got), n+3)
				} else {
					once(t, got)
				}
			})
		}
	}
}

// TestRestOfRotated: what is written to a file after it was renamed, or deleted, is read;
// and so is what was written while nobody followed.
func TestRestOfRotated(t *testing.T) {
	dir := realDir(t)
	live := write(t, events(0, 5), dir, "in", "app.jsonl")
	write(t, events(500, 5), dir, "in", "app.jsonl.9") // of long ago: nobody asked for it
	old(t, filepath.Join(dir, "in", "app.jsonl.9"))
	write(t, events(600, 5), dir, "in", "other.jsonl")
	r := newReader(t, filepath.Join(dir, "home"))
	f := start(t, r, Spec{Path: live})
	f.awaitFacts(5)
	writer, err := os.OpenFile(live, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	rename(t, live, 1)
	fmt.Fprint(writer, events(5, 5))
	f.awaitFacts(10)
	write(t, events(10, 5), live)
	fmt.Fprint(writer, events(15, 5))
	f.awaitFacts(20)
	if err := os.Remove(live + ".1"); err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(writer, events(20, 5))
	f.awaitFacts(25)
	f.stop()

	appendTo(t, live, events(25, 5))
	rename(t, live, 1)
	write(t, events(30, 5), live)
	f = start(t, newReader(t, r.Journal.Home()), Spec{Path: live})
	f.awaitFacts(35)
	f.stop()

	// Twice meanwhile: what came and went is read, too.
	appendTo(t, live, events(35, 5))
	time.Sleep(20 * time.Millisecond)
	for i := range 2 {
		rename(t, live, 3)
		time.Sleep(20 * time.Millisecond)
		write(t, events(40+5*i, 5), live)
	}
	f = start(t, newReader(t, r.Journal.Home()), Spec{Path: live})
	f.awaitFacts(50)
	f.stop()
	once(t, facts(t, r.Journal))
}

// TestLateFormat: a file that begins with what nobody knows is known once a line says it.
func TestLateFormat(t *testing.T) {
	dir := realDir(t)
	r := newReader(t, filepath.Join(dir, "home"))
	path := write(t, "# a banner\n\n", dir, "app.log")
	f := start(t, r, Spec{Path: path})
	f.await("it is foreign", func() bool { return strings.Contains(f.log.String(), "source.foreign") })
	appendTo(t, path, "more of it\n")
	appendTo(t, path, events(0, 3))
	f.awaitFacts(3)
	f.stop()
	f.mu.Lock()
	defer f.mu.Unlock()
	diff(t, "found", map[string]jsonl.Format{path: jsonl.Events}, f.found)
	if n := strings.Count(f.log.String(), "source.foreign"); n != 1 {
		t.Errorf("it is said %d times:\n%s", n, f.log)
	}
}

// TestLate: files, folders and what a glob matches may come later, go, and come back.
func TestLate(t *testing.T) {
	dir := realDir(t)
	r := newReader(t, filepath.Join(dir, "home"))
	f := start(t, r, Spec{Path: filepath.Join(dir, "a", "named.log")}, Spec{Path: filepath.Join(dir, "b")}, Spec{Path: filepath.Join(dir, "c", "*", "x-*.jsonl")})
	n := 0
	for _, path := range []string{"a/named.log", "b/deep/er/z.jsonl", "c/1/x-1.jsonl", "b/y.ndjson", "c/2/x-2.jsonl", "b/p.jsonl.gz"} {
		text := events(n, 4)
		if strings.HasSuffix(path, ".gz") {
			text = packed(t, text)
		}
		write(t, text, dir, path)
		n += 4
		f.awaitFacts(n)
	}
	for _, path := range []string{"a/other.log", "a/named.log.txt", "c/x-1.jsonl", "c/1/y-1.jsonl", "c/1/2/x-1.jsonl", "b/z.txt"} {
		write(t, events(1000, 4), dir, path)
	}
	f.awaitFacts(n)
	for _, path := range []string{"a/named.log", "b/deep/er/z.jsonl"} {
		if err := os.Remove(filepath.Join(dir, path)); err != nil {
			t.Fatal(err)
		}
		write(t, events(n, 4), dir, path)
		n += 4
		f.awaitFacts(n)
	}
	if h := f.Health(); h.Files != 6 || h.Lines != int64(n) || h.Failing != 0 || h.Broken != 0 || h.ReadAt.IsZero() {
		t.Errorf("%+v", h)
	}
	once(t, facts(t, r.Journal))
}

// TestLinks: a file is read once, whatever leads to it; where a link leads may change.
func TestLinks(t *testing.T) {
	dir := realDir(t)
	write(t, events(0, 4), dir, "logs", "1.jsonl")
	write(t, events(4, 4), dir, "logs", "2.jsonl")
	current := filepath.Join(dir, "current.log")
	if err := os.Symlink(filepath.Join(dir, "logs", "1.jsonl"), current); err != nil {
		t.Fatal(err)
	}
	r := newReader(t, filepath.Join(dir, "home"))
	f := start(t, r, Spec{Path: current})
	f.awaitFacts(4)
	os.Remove(current)
	if err := os.Symlink(filepath.Join(dir, "logs", "2.jsonl"), current); err != nil {
		t.Fatal(err)
	}
	f.awaitFacts(8)
	f.stop()
	if err := os.MkdirAll(filepath.Join(dir, "in"), 0o700); err != nil {
		t.Fatal(err)
	}
	os.Symlink(filepath.Join(dir, "logs"), filepath.Join(dir, "in", "linked"))
	os.Symlink(filepath.Join(dir, "in"), filepath.Join(dir, "in", "circle"))
	os.Link(filepath.Join(dir, "logs", "1.jsonl"), filepath.Join(dir, "in", "hard.jsonl"))
	f = start(t, newReader(t, r.Journal.Home()), Spec{Path: filepath.Join(dir, "in")}, Spec{Path: current})
	write(t, events(8, 4), dir, "logs", "3.jsonl")
	f.awaitFacts(12)
	f.stop()
	once(t, facts(t, r.Journal))
}

// TestForeignIsToldOnce: what is of no format is said once, and no home is followed.
func TestForeignIsToldOnce(t *testing.T) {
	dir := realDir(t)
	foreign := write(t, `{"level":"info"}`+"\n", dir, "in", "log.jsonl")
	home := filepath.Join(dir, "in", "home")
	r := newReader(t, home)
	f := start(t, r, Spec{Path: filepath.Join(dir, "in")}, Spec{Path: journal.Dir(home)}, Spec{Path: filepath.Join(journal.Dir(home), "*.jsonl")})
	write(t, events(0, 3), dir, "in", "a.jsonl")
	f.awaitFacts(3)
	for range 5 {
		appendTo(t, foreign, `{"level":"info"}`+"\n")
		time.Sleep(10 * time.Millisecond)
	}
	appendTo(t, filepath.Join(dir, "in", "a.jsonl"), "garbage\n"+events(3, 1))
	f.awaitFacts(4)
	f.stop()
	f.mu.Lock()
	defer f.mu.Unlock()
	diff(t, "found", map[string]jsonl.Format{foreign: "", filepath.Join(dir, "in", "a.jsonl"): jsonl.Events}, f.found)
	if n := strings.Count(f.log.String(), "source.home"); n != 2 {
		t.Errorf("%d Specs are said to be in a home:\n%s", n, f.log)
	}
	if h := f.Health(); h.Broken != 1 || h.Files != 1 || !strings.Contains(h.LastError, "a.jsonl:4: ") {
		t.Errorf("%+v", h)
	}
}

func old(t testing.TB, path string) {
	t.Helper()
	then := time.Now().Add(-time.Hour)
	if err := os.Chtimes(path, then, then); err != nil {
		t.Fatal(err)
	}
}

// TestLongLineInPieces: a line of many MB that comes bit by bit is read once, and what is
// around it, too; a last one without its newline as well.
func TestLongLineInPieces(t *testing.T) {
	dir := realDir(t)
	r := newReader(t, filepath.Join(dir, "home"))
	path := filepath.Join(dir, "app.jsonl")
	f := start(t, r, Spec{Path: path})
	long := events(0, 1) + strings.Replace(events(1, 1), "text 1", strings.Repeat("l}ng ", 6<<20), 1) + events(2, 1) +
		strings.TrimSpace(strings.Replace(events(3, 1), "text 3", strings.Repeat("l}ng ", 1<<20), 1))
	begun := time.Now()
	for ; len(long) > 0; long = long[min(len(long), 64<<10):] {
		appendTo(t, path, long[:min(len(long), 64<<10)])
		time.Sleep(time.Millisecond)
	}
	f.awaitFacts(4)
	if took := time.Since(begun); took > 15*time.Second {
		t.Errorf("it took %s", took)
	}
	once(t, facts(t, r.Journal))
}

// TestPackedInPieces: what is packed is read as it comes, and what was read before it was
// packed is not read again.
func TestPackedInPieces(t *testing.T) {
	dir := realDir(t)
	r := newReader(t, filepath.Join(dir, "home"))
	f := start(t, r, Spec{Path: filepath.Join(dir, "in")})
	write(t, events(0, 500), dir, "in", "app.jsonl")
	f.awaitFacts(500)
	text := packed(t, events(0, 500)+events(500, 100))
	for i, name := range []string{"app.jsonl.1.gz", "other.jsonl.gz"} {
		if i == 1 {
			text = packed(t, events(1000, 300))
		}
		for rest := text; len(rest) > 0; rest = rest[min(len(rest), 997):] {
			appendTo(t, filepath.Join(dir, "in", name), rest[:min(len(rest), 997)])
			time.Sleep(2 * time.Millisecond)
		}
		f.awaitFacts(600 + i*300)
	}
	f.stop()
	once(t, facts(t, r.Journal))
	if h := f.Health(); h.Failing > 0 || h.Broken > 0 {
		t.Errorf("%+v", h)
	}
}

// TestManyFiles: no more files are open than need be, and what many say is there once.
func TestManyFiles(t *testing.T) {
	dir := realDir(t)
	for i := range 600 {
		path := write(t, events(i, 1), dir, "in", fmt.Sprint(i%10), fmt.Sprintf("%d.jsonl", i))
		if i%2 == 0 {
			old(t, path)
		}
	}
	r := newReader(t, filepath.Join(dir, "home"))
	f := start(t, r, Spec{Path: filepath.Join(dir, "in")})
	f.await("all lines are read", func() bool { return f.Health().Lines == 600 })
	f.await("few are open", func() bool {
		open, err := os.ReadDir("/proc/self/fd")
		return err != nil || len(open) < maxOpen+100
	})
	f.awaitFacts(600)
	f.stop()
	f = start(t, newReader(t, r.Journal.Home()), Spec{Path: filepath.Join(dir, "in")})
	appendTo(t, filepath.Join(dir, "in", "4", "4.jsonl"), events(5000, 1))
	f.awaitFacts(601)
	f.stop()
	once(t, facts(t, r.Journal))
}
