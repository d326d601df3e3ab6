package transcript

import (
	"bytes"
	"context"
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

	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/internal/tail"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/redact"
	"github.com/actiongraph/actiongraph/schema"
)

// following is a Follower that runs.
type running struct {
	*Follower
	t       *testing.T
	changes chan []string
	stop    func()
	log     *logged
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

// count is how many lines say something.
func (l *logged) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.b.String(), text)
}

func start(t *testing.T, f *Follower) *running {
	t.Helper()
	r := &running{Follower: f, t: t, changes: make(chan []string), log: &logged{}}
	f.tail = tail.Tree{Poll: 5 * time.Millisecond, Sweep: 50 * time.Millisecond, Settle: time.Millisecond}
	f.Log = zerolog.New(r.log)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); f.Run(ctx, r.changes) }()
	r.stop = sync.OnceFunc(func() { cancel(); <-done })
	t.Cleanup(r.stop)
	return r
}

// await waits until a condition holds.
func (r *running) await(what string, ok func() bool) {
	r.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			r.t.Fatalf("not after 20 s: %s\n%+v\n%s", what, r.Health(), &r.log.b)
		}
	}
}

// awaitFacts waits until the journal has all that the files under dir say.
func (r *running) awaitFacts(dir string) {
	r.t.Helper()
	want := oracle(r.t, r.Reader, dir)
	r.await("the journal has what the files say", func() bool {
		got := facts(r.t, r.Reader.Journal)
		for session, lines := range want {
			for line := range lines {
				if !got[session][line] {
					return false
				}
			}
		}
		return true
	})
}

// appendTo appends to a file as the runtime does.
func appendTo(t *testing.T, path string, text []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if _, err = f.Write(text); err != nil {
		t.Fatal(err)
	}
	f.Close()
}

// TestFollowerLosesNothing: transcripts grow by any number of bytes, 1,000 times,
// while a follower reads them that is killed now and then, with the index it wrote, an
// older one, or none. In the end the graph is that of one import.
func TestFollowerLosesNothing(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	whole := realDir(t)
	copyTree(t, testdata, whole)
	want := newReader(t, filepath.Join(realDir(t), "home"))
	clean(t, want, Options{}, whole)

	dir, home := realDir(t), filepath.Join(realDir(t), "home")
	newReader(t, home)
	write(t, string(must(os.ReadFile(filepath.Join(want.Journal.Home(), "key")))(t)), home, "key")
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	files, _ := Find(context.Background(), []string{whole})
	rest := map[string][]byte{} // of each file, what is not written yet
	for _, f := range files {
		rest[f.Path] = must(os.ReadFile(f.Path))(t)
	}
	live := start(t, &Follower{Reader: newReader(t, home), Trees: []string{dir}})
	for cut := range 1000 {
		f := files[random.IntN(len(files))]
		text := rest[f.Path]
		n := min(random.IntN(1+len(must(os.ReadFile(f.Path))(t))*len(files)/400), len(text))
		if strings.Contains(f.Path, "a5ed853e") || cut > 980 {
			n = len(text) // a fork's lines are copied at once
		}
		path := filepath.Join(dir, must(filepath.Rel(whole, f.Path))(t))
		appendTo(t, path, text[:n])
		rest[f.Path] = text[n:]
		if meta, err := os.ReadFile(f.metaPath()); err == nil && random.IntN(4) == 0 {
			write(t, string(meta), strings.TrimSuffix(path, suffix)+".meta.json")
		}
		time.Sleep(time.Duration(random.IntN(3)) * time.Millisecond)
		if random.IntN(40) == 0 {
			index, _ := os.ReadFile(filepath.Join(home, IndexFile))
			live.stop()
			switch random.IntN(3) {
			case 0:
				os.Remove(filepath.Join(home, IndexFile))
			case 1:
				write(t, string(index), home, IndexFile)
			}
			live = start(t, &Follower{Reader: newReader(t, home), Trees: []string{dir}})
		}
	}
	for path, text := range rest {
		appendTo(t, filepath.Join(dir, must(filepath.Rel(whole, path))(t)), text)
	}
	wantGraph := folds(t, want.Journal)
	var diff []graph.Change
	live.await("the graph is that of one import", func() bool {
		time.Sleep(100 * time.Millisecond)
		diff = graph.Diff(wantGraph, folds(t, live.Reader.Journal))
		return len(diff) == 0
	})
	live.stop()
}

// TestFollowerRestarts: what was read is not read again, with its index or without, and
// nothing of a file that did not change is even looked at.
func TestFollowerRestarts(t *testing.T) {
	dir, home := realDir(t), filepath.Join(realDir(t), "home")
	copyTree(t, testdata, dir)
	live := start(t, &Follower{Reader: newReader(t, home), Trees: []string{dir}})
	live.awaitFacts(dir)
	live.stop()
	want := facts(t, live.Reader.Journal)
	size := journalSize(t, live.Reader.Journal)

	again := func(files int) *running {
		t.Helper()
		live := start(t, &Follower{Reader: newReader(t, home), Trees: []string{dir}})
		live.await("all files are known and none waits", func() bool {
			n, _ := live.Waiting()
			return live.Health().Files == files && n == 0
		})
		live.stop()
		return live
	}
	found, _ := Find(context.Background(), []string{dir})
	files := len(found)
	if live := again(files); live.Health().Lines != 0 || journalSize(t, live.Reader.Journal) != size {
		t.Errorf("%+v", live.Health())
	}
	os.Remove(filepath.Join(home, IndexFile))
	if live := again(files); live.Health().Lines != 0 || journalSize(t, live.Reader.Journal) != size {
		t.Errorf("without its index: %+v", live.Health())
	}
	// Other bytes, of the same length and time: who looks into a file finds them.
	all, _ := Find(context.Background(), []string{dir})
	for _, f := range all {
		write(t, strings.Repeat("x", int(f.Size)), f.Path)
		old(t, f.Path)
	}
	if live := again(files); live.Health().Lines != 0 || live.Health().Broken != 0 {
		t.Errorf("files that did not change were read: %+v", live.Health())
	}
	same(t, want, facts(t, live.Reader.Journal))
}

// Waiting is how many files wait or are read.
func (r *running) Waiting() (int, int64) { return 0, r.Health().Behind }

func TestFollowerReplacedFiles(t *testing.T) {
	texts := [][]byte{}
	files, _ := Find(context.Background(), []string{testdata})
	for _, f := range files {
		if f.Agent == "" && !strings.Contains(f.Path, "g-resume") {
			texts = append(texts, must(os.ReadFile(f.Path))(t))
		}
	}
	dir, home := realDir(t), filepath.Join(realDir(t), "home")
	path := write(t, string(texts[0]), dir, uuidA+suffix)
	live := start(t, &Follower{Reader: newReader(t, home), Trees: []string{dir}})
	live.awaitFacts(dir)
	lines := slices.Collect(bytes.Lines(texts[0]))
	os.Truncate(path, int64(len(lines[0])+len(lines[1])))
	time.Sleep(100 * time.Millisecond)
	live.awaitFacts(dir)
	write(t, string(texts[1]), dir, "new")
	os.Rename(filepath.Join(dir, "new"), path)
	live.awaitFacts(dir)
	os.Remove(path)
	live.await("it is noticed", func() bool { return live.Health().Files == 0 })
	write(t, string(texts[2]), path)
	live.awaitFacts(dir)
	if live.log.count("transcript.replaced") < 2 {
		t.Errorf("nobody said that it was replaced:\n%s", &live.log.b)
	}
}

// hookEvent is what a hook's event looks like in a journal.
func hookEvent(t *testing.T, r *Reader, e schema.Event, path string) {
	t.Helper()
	e.V, e.EventType, e.Origin, e.Actor = schema.Version, schema.Notification, schema.OriginHook, schema.ActorRuntime
	e.Timestamp, e.EventID = time.Now().UTC(), schema.EventID("test", path, time.Now().String())
	e.Extra = append(schema.AppendString([]byte(`{"transcript_path":`), path), '}')
	if err := r.Journal.Append(redact.New(redact.Options{}).Event(e)); err != nil {
		t.Fatal(err)
	}
}

// TestFollowerAnnounced: only what a session's own hook names is followed, and the agents
// beside it, when they appear.
func TestFollowerAnnounced(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	const session, agent = "86f58e49-65d1-4e9d-862a-93d73e9c8e13", "agent-ac6922a5c6106752c"
	from := filepath.Join(testdata, "-home-dev-work-d-agent-parallel-repo")
	main := must(os.ReadFile(filepath.Join(from, session+suffix)))(t)
	sub := must(os.ReadFile(filepath.Join(from, session, "subagents", agent+suffix)))(t)
	meta := must(os.ReadFile(filepath.Join(from, session, "subagents", agent+".meta.json")))(t)

	dir, home := realDir(t), filepath.Join(realDir(t), "home")
	r := newReader(t, home)
	live := start(t, &Follower{Reader: r, Announced: true})
	path := filepath.Join(dir, "p", session+suffix)
	other := write(t, string(main), dir, "p", uuidA+suffix)
	mine := schema.Event{SessionID: session, Host: "host", SourceSDK: "claude-code"}
	for _, c := range []struct {
		e    schema.Event
		path string
	}{
		{mine, other}, // another session's
		{mine, filepath.Join(dir, "elsewhere", session+suffix)}, // never there
		{mine, "p/" + session + suffix},                         // relative
		{mine, dir + "/p/../p/" + session + suffix},             // with ..
		{schema.Event{SessionID: uuidA, Host: "another", SourceSDK: "claude-code"}, other},
		{schema.Event{SessionID: uuidA, Host: "host", SourceSDK: "codex"}, other},
	} {
		hookEvent(t, r, c.e, c.path)
		live.changes <- []string{c.e.SessionID}
	}
	hookEvent(t, r, mine, path)
	live.changes <- []string{session}
	time.Sleep(50 * time.Millisecond) // it is not there at SessionStart
	appendTo(t, path, main)
	appendTo(t, filepath.Join(dir, "p", session, "subagents", agent+suffix), sub)
	only := realDir(t)
	write(t, string(main), only, "p", session+suffix)
	write(t, string(sub), only, "p", session, "subagents", agent+suffix)
	write(t, string(meta), dir, "p", session, "subagents", agent+".meta.json")
	live.awaitFacts(only)
	live.await("two files are followed", func() bool { return live.Health().Files == 2 })
	if got := facts(t, r.Journal)[uuidA]; len(got) != 2 { // its two announcements
		t.Errorf("a file was read that nobody announced: %d facts", len(got))
	}
	// The agent's record came after its last line.
	write(t, string(meta), only, "p", session, "subagents", agent+".meta.json")
	live.awaitFacts(only)
	live.stop()
}

// TestFollowerLooksAtOldSessionsOnce: of sessions that ended before it began only those are
// followed whose transcripts have more than was read.
func TestFollowerLooksAtOldSessionsOnce(t *testing.T) {
	text := must(os.ReadFile(filepath.Join(testdata, "-home-dev-work-a-tools-repo", "a775679a-ad01-47b1-a60d-82e9792d81b3.jsonl")))(t)
	dir, home := realDir(t), filepath.Join(realDir(t), "home")
	r := newReader(t, home)
	var sessions []string
	for i := range 20 {
		session := fmt.Sprintf("aaaaaaaa-0000-4000-8000-%012d", i)
		sessions = append(sessions, session)
		path := write(t, string(text), dir, session+suffix)
		ancient(t, path)
		hookEvent(t, r, schema.Event{SessionID: session, Host: "host", SourceSDK: "claude-code"}, path)
	}
	clean(t, r, Options{}, dir)
	appendTo(t, filepath.Join(dir, sessions[3]+suffix), bytes.ReplaceAll(text, []byte("-"), []byte("_")))
	for _, session := range sessions {
		ancient(t, filepath.Join(journal.Dir(home), session+journal.Suffix))
	}
	ancient(t, filepath.Join(dir, sessions[3]+suffix))
	live := start(t, &Follower{Reader: newReader(t, home), Announced: true})
	live.changes <- sessions
	live.await("one has more", func() bool { return live.Health().Lines > 0 })
	if n := live.Health().Files; n != 1 {
		t.Errorf("%d files are followed, want 1", n)
	}
}

func ancient(t *testing.T, path string) {
	t.Helper()
	then := time.Now().Add(-2 * settledFor)
	if err := os.Chtimes(path, then, then); err != nil {
		t.Fatal(err)
	}
}

// TestFollowerBeginning: what a file begins with has no time of its own; it is not lost
// when the reader is killed before there is one.
func TestFollowerBeginning(t *testing.T) {
	dir, home := realDir(t), filepath.Join(realDir(t), "home")
	path := write(t, `{"type":"custom-title","customTitle":"a title","sessionId":"`+uuidA+`"}`+"\n", dir, uuidA+suffix)
	live := start(t, &Follower{Reader: newReader(t, home), Trees: []string{dir}})
	time.Sleep(100 * time.Millisecond)
	live.stop()
	live = start(t, &Follower{Reader: newReader(t, home), Trees: []string{dir}})
	time.Sleep(50 * time.Millisecond)
	appendTo(t, path, []byte(`{"type":"user","uuid":"u","sessionId":"`+uuidA+`","timestamp":"2026-11-22T00:00:00Z","message":{"role":"user","content":"hi"}}`+"\n"))
	live.awaitFacts(dir)
}

// TestFollowerCannotWrite: while the journal takes nothing of a session that is said
// once, the others go on, and in the end nothing is missing.
func TestFollowerCannotWrite(t *testing.T) {
	dir, home := realDir(t), filepath.Join(realDir(t), "home")
	text := string(must(os.ReadFile(filepath.Join(testdata, "-home-dev-work-a-tools-repo", "a775679a-ad01-47b1-a60d-82e9792d81b3.jsonl")))(t))
	r := newReader(t, home)
	blocked := filepath.Join(journal.Dir(home), "a775679a-ad01-47b1-a60d-82e9792d81b3"+journal.Suffix)
	if err := os.MkdirAll(blocked, 0o700); err != nil {
		t.Fatal(err)
	}
	live := start(t, &Follower{Reader: r, Trees: []string{dir}})
	write(t, text, dir, "a775679a-ad01-47b1-a60d-82e9792d81b3"+suffix)
	live.await("it fails", func() bool { return live.Health().Failing == 1 })
	write(t, `{"type":"user","uuid":"u","sessionId":"`+uuidB+`","timestamp":"2026-11-22T00:00:00Z","message":{"role":"user","content":"hi"}}`+"\nbroken\n"+
		`{"type":"brand-new","uuid":"v","sessionId":"`+uuidB+`","timestamp":"2026-11-22T00:00:00Z"}`+"\n", dir, uuidB+suffix)
	live.await("the others go on", func() bool { return live.Health().Unknown["brand-new"] == 1 })
	time.Sleep(1200 * time.Millisecond) // it was tried again
	if h := live.Health(); h.Broken != 1 || h.LastError == "" || live.log.count("transcript.unreadable") != 1 ||
		live.log.count("transcript.broken_line") != 1 || live.log.count("transcript.unknown") != 1 {
		t.Errorf("%+v\n%s", h, &live.log.b)
	}
	if err := os.Remove(blocked); err != nil {
		t.Fatal(err)
	}
	live.await("it is over", func() bool { return live.Health().Failing == 0 && live.Health().Behind == 0 })
	os.Remove(filepath.Join(dir, uuidB+suffix))
	live.awaitFacts(dir)
}

// TestFollowerBesideImports: several readers of one tree leave one record.
func TestFollowerBesideImports(t *testing.T) {
	dir, home := realDir(t), filepath.Join(realDir(t), "home")
	a := start(t, &Follower{Reader: newReader(t, home), Trees: []string{dir}})
	b := start(t, &Follower{Reader: newReader(t, home), Trees: []string{dir}})
	copyTree(t, testdata, dir)
	clean(t, newReader(t, home), Options{}, dir)
	a.awaitFacts(dir)
	b.awaitFacts(dir)
	got, want := facts(t, a.Reader.Journal), oracle(t, a.Reader, dir)
	for session := range want {
		maps.DeleteFunc(got[session], func(line string, _ bool) bool { return want[session][line] })
		if len(got[session]) > 0 && !strings.Contains(fmt.Sprint(got[session]), `"session_update"`) {
			t.Errorf("%s has facts that the files do not say: %.500v", session, got[session])
		}
	}
}

// TestAnnouncementsAreFound in journals of any shape: the window that is looked at is
// small.
func TestAnnouncementsAreFound(t *testing.T) {
	home := filepath.Join(realDir(t), "home")
	r := newReader(t, home)
	mine := schema.Event{SessionID: uuidA, Host: "host", SourceSDK: "claude-code"}
	long := mine
	long.Content = strings.Repeat("x ", 100<<10)
	path := filepath.Join(journal.Dir(home), uuidA+journal.Suffix)
	look := func(from int64) string {
		c := must(r.Journal.Content(uuidA))(t)
		defer c.Close()
		return filepath.Base(filepath.Dir(lastAnnounced(c, from, c.Size(), "host", make([]byte, window))))
	}
	say := func(e schema.Event, dir string) { hookEvent(t, r, e, "/"+dir+"/"+uuidA+suffix) }
	say(mine, "first")
	if got := look(0); got != "first" {
		t.Errorf("the only one: %q", got)
	}
	say(mine, "second")
	end := must(os.Stat(path))(t).Size()
	if got := look(0); got != "second" {
		t.Errorf("the last one: %q", got)
	}
	say(long, "third")
	if got := look(end); got != "third" {
		t.Errorf("a long line: %q", got)
	}
	end = must(os.Stat(path))(t).Size()
	quiet := mine
	quiet.Content = long.Content
	for range 3 {
		hookEvent(t, r, quiet, "not absolute")
	}
	if got := look(0); got != "second" {
		t.Errorf("before what is not looked at: %q", got)
	}
	if got := look(end); got != "." {
		t.Errorf("none that is new: %q", got)
	}
	appendTo(t, path, []byte("\n{\"torn"))
	say(mine, "fourth")
	if got := look(end); got != "fourth" {
		t.Errorf("after a torn line: %q", got)
	}
	if d := cmp.Diff("", lastAnnounced(strings.NewReader("x"), 0, 1<<40, "host", make([]byte, window))); d != "" {
		t.Error(d)
	}
}
