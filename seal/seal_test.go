package seal_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/actiongraph/actiongraph/connector/storetest"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/journal/packed"
	"github.com/actiongraph/actiongraph/schema"
	"github.com/actiongraph/actiongraph/seal"
)

var ctx = context.Background()

// failer is what a test and a random one have in common.
type failer interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
}

// home is a home with some sessions, and a store that keeps the end of its log.
type home struct {
	t       failer
	dir     string
	journal *journal.Journal
	sealer  seal.Sealer
	store   *storetest.Memory
	at      time.Time
	n       int // events that were recorded
}

func newHome(t testing.TB) *home {
	t.Helper()
	return openHome(t, filepath.Join(t.TempDir(), "home"))
}

func openHome(t testing.TB, dir string) *home {
	t.Helper()
	j, err := packed.Adopt(dir)
	if err != nil {
		t.Fatal(err)
	}
	return &home{t: t, dir: dir, journal: j, sealer: seal.Sealer{Journal: j}, store: storetest.NewMemory(),
		at: time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)}
}

// record appends n events to a session.
func (h *home) record(session string, n int) {
	h.t.Helper()
	redactor := h.journal.Redactor("")
	for range n {
		h.n++
		e := schema.Event{SessionID: session, EventID: fmt.Sprintf("test/message/%d", h.n), EventType: schema.Message,
			Timestamp: h.at.Add(time.Duration(h.n) * time.Millisecond), Origin: schema.OriginAPI, Content: fmt.Sprintf("message %d of %s", h.n, session)}
		if err := h.journal.Append(redactor.Event(e)); err != nil {
			h.t.Fatal(err)
		}
	}
}

// seal seals, and gives the store the end.
func (h *home) seal(sessions ...string) seal.Report {
	h.t.Helper()
	h.at = h.at.Add(time.Minute)
	report, err := h.sealer.Seal(ctx, h.at, sessions...)
	if err == nil {
		err = h.sealer.Keep(ctx, "memory", h.store)
	}
	if err != nil {
		h.t.Fatal(err)
	}
	return report
}

// verify asks for proof, with what the store holds.
func (h *home) verify() seal.Proof {
	h.t.Helper()
	proof, err := seal.Verify(ctx, h.journal, seal.Question{Copies: []seal.Copy{seal.AskCopy(ctx, "memory", h.store, h.journal.ID(), time.Second)}})
	if err != nil {
		h.t.Fatal(err)
	}
	return proof
}

// proved wants proof of so many sessions and records.
func (h *home) proved(sessions int, records int64) seal.Proof {
	h.t.Helper()
	proof := h.verify()
	if !proof.Proved || proof.Sessions != sessions || proof.Records != records {
		h.t.Fatalf("%d sessions with %d records are proved: %v, breaks %v; want %d with %d", proof.Sessions, proof.Records, proof.Proved, proof.Breaks, sessions, records)
	}
	return proof
}

func (h *home) path(session string) string {
	return filepath.Join(journal.Dir(h.dir), session+journal.Suffix)
}
func (h *home) leaves(session string) string {
	return filepath.Join(journal.SealsDir(h.dir), session+seal.Suffix)
}
func (h *home) log() string { return filepath.Join(journal.SealsDir(h.dir), "log") }

func (h *home) read(path string) []byte {
	h.t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		h.t.Fatal(err)
	}
	return text
}

func (h *home) write(path string, text []byte) {
	h.t.Helper()
	if err := os.WriteFile(path, text, 0o600); err != nil {
		h.t.Fatal(err)
	}
}

// TestSealed: what is sealed is proved, what was recorded since is counted, and to seal again what
// did not grow writes nothing.
func TestSealed(t *testing.T) {
	h := newHome(t)
	if _, err := seal.Verify(ctx, h.journal, seal.Question{}); !errors.Is(err, seal.ErrNothing) {
		t.Errorf("before the first seal: %v", err)
	}
	h.record("a", 3)
	h.record("b", 1)
	if r := h.seal(); r.Sessions != 2 || r.Records != 4 || r.Last.Number != 3 {
		t.Errorf("sealed: %+v", r)
	}
	h.proved(2, 4)
	before := h.read(h.log())
	if r := h.seal(); r.Sessions != 0 || !bytes.Equal(before, h.read(h.log())) {
		t.Errorf("sealed again: %+v", r)
	}
	h.record("b", 2)
	h.record("c", 1)
	if p := h.proved(2, 4); p.Unsealed != 2 || p.UnsealedBytes == 0 {
		t.Errorf("%d sessions with %d bytes are not sealed", p.Unsealed, p.UnsealedBytes)
	}
	h.sealer = seal.Sealer{Journal: h.journal} // as after a restart
	h.seal("b")
	if p := h.proved(2, 6); p.Unsealed != 1 {
		t.Errorf("%d sessions are not sealed, want c", p.Unsealed)
	}
	modes := map[string]fs.FileMode{"seal.key": 0o600, "seals": 0o700 | fs.ModeDir, "seals/log": 0o600, "seals/a.seal": 0o600}
	if runtime.GOOS == "windows" { // which has no such modes
		clear(modes)
	}
	for path, mode := range modes {
		if info, err := os.Stat(filepath.Join(h.dir, path)); err != nil || info.Mode() != mode {
			t.Errorf("%s: %v, %v; want %v", path, info.Mode(), err, mode)
		}
	}
	if bytes.Contains(h.read(h.log()), []byte(`"a"`)) {
		t.Error("the log names a session")
	}
}

// TestHalfWritten: a torn line, an empty one and a last one that nobody has ended are sealed as soon as they
// have an end, byte for byte.
func TestHalfWritten(t *testing.T) {
	h := newHome(t)
	h.record("a", 1)
	f, err := os.OpenFile(h.path("a"), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for i, c := range []struct {
		text    string
		records int64
	}{{"\n{\"torn\":", 1}, {"\n", 2}, {"\n\n\n", 2}, {"{}", 2}, {"\n", 3}, {strings.Repeat("x", 600<<10), 3}, {"\n", 4}} {
		if _, err := f.WriteString(c.text); err != nil {
			t.Fatal(err)
		}
		h.seal()
		if h.proved(1, c.records); h.read(h.leaves("a")) == nil {
			t.Fatal(i)
		}
	}
}

// TestPacked: packing keeps what is sealed, also where the session goes on behind it.
func TestPacked(t *testing.T) {
	h := newHome(t)
	h.record("a", 50)
	h.seal()
	if err := h.journal.Pack(ctx, "a"); err != nil {
		t.Fatal(err)
	}
	h.proved(1, 50)
	h.record("a", 5)
	h.proved(1, 50)
	h.seal()
	h.proved(1, 55)
	if err := h.journal.Pack(ctx, "a"); err != nil {
		t.Fatal(err)
	}
	h.proved(1, 55)
}

// TestRewritten: who rewrites a session signs that its chain ends, and the next seal begins another; a change
// from before is not covered up by that.
func TestRewritten(t *testing.T) {
	h := newHome(t)
	h.record("a", 5)
	h.record("b", 2)
	h.seal()
	scrub := func() {
		t.Helper()
		if err := seal.Rewriting(ctx, h.journal, "scrub", h.at, "a"); err != nil {
			t.Fatal(err)
		}
		if p := h.verify(); !p.Proved || p.Sessions != 1 || p.Unsealed != 1 {
			t.Fatalf("while it is rewritten: %+v", p)
		}
		n, err := h.journal.Rewrite("a", func(line []byte) []byte { return bytes.ReplaceAll(line, []byte("message"), []byte("massage")) })
		if err != nil || n == 0 {
			t.Fatal(n, err)
		}
		h.seal()
	}
	scrub()
	p := h.proved(2, 7)
	if len(p.Ended) != 1 || p.Ended[0].Session != "a" || p.Ended[0].Why != "scrub" || p.Ended[0].Broken != "" || p.Ended[0].Records != 5 {
		t.Errorf("ended: %+v", p.Ended)
	}
	h.write(h.path("a"), bytes.Replace(h.read(h.path("a")), []byte("massage 3"), []byte("message 3"), 1))
	scrub2 := h.verify()
	if scrub2.Proved {
		t.Fatal("a change is not seen")
	}
	scrub()
	p = h.proved(2, 7)
	if len(p.Ended) != 2 || !strings.Contains(p.Ended[1].Broken, "record 3") {
		t.Errorf("ended: %+v", p.Ended)
	}
}

// TestForgotten: a session that is forgotten leaves a signed entry without its id, and no other file; one
// that is recorded again after that is another chain.
func TestForgotten(t *testing.T) {
	h := newHome(t)
	h.record("a", 5)
	h.record("gone-session", 2)
	h.seal()
	if err := seal.Forgetting(ctx, h.journal, "prune", h.at, "gone-session", "never-there"); err != nil {
		t.Fatal(err)
	}
	if err := h.journal.Forget([]string{"gone-session"}, "prune", h.at); err != nil {
		t.Fatal(err)
	}
	p := h.proved(1, 5)
	if len(p.Ended) != 1 || p.Ended[0].Why != "prune" || p.Ended[0].Action != seal.Forget || p.Ended[0].Name != h.journal.TombstoneName("gone-session") {
		t.Errorf("ended: %+v", p.Ended)
	}
	err := filepath.WalkDir(journal.SealsDir(h.dir), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if text := h.read(path); strings.Contains(path, "gone-session") || bytes.Contains(text, []byte("gone-session")) {
			t.Errorf("%s names the session", path)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if r := h.seal(); r.Sessions != 0 {
		t.Errorf("sealed: %+v", r)
	}
	if _, err := h.journal.Lift("gone-session"); err != nil {
		t.Fatal(err)
	}
	h.record("gone-session", 1)
	h.seal()
	h.proved(2, 6)
}

// TestForgottenBroken: what the log says for good of a session that was broken when it was rewritten or
// forgotten does not name it, whatever was wrong with it.
func TestForgottenBroken(t *testing.T) {
	for name, damage := range map[string]func(*home, string){
		"no seal":       func(h *home, session string) { h.remove(h.leaves(session)) },
		"no salt":       func(h *home, session string) { h.write(h.leaves(session), []byte("x")) },
		"cut seal":      func(h *home, session string) { h.write(h.leaves(session), h.read(h.leaves(session))[:90]) },
		"another event": func(h *home, session string) { h.write(h.path(session), []byte("\n{}\n")) },
		"no session":    func(h *home, session string) { h.remove(h.path(session)) },
		"unreadable": func(h *home, session string) {
			h.remove(h.path(session))
			if err := os.Mkdir(h.path(session), 0o700); err != nil {
				h.t.Fatal(err)
			}
		},
	} {
		for why, end := range map[string]func(context.Context, *journal.Journal, string, time.Time, ...string) error{"scrub": seal.Rewriting, "forget": seal.Forgetting} {
			h := newHome(t)
			h.record("gone-session", 2)
			h.seal()
			damage(h, "gone-session")
			if err := end(ctx, h.journal, why, h.at, "gone-session"); err != nil {
				t.Fatal(err)
			}
			text := h.read(h.log())
			if !bytes.Contains(text, []byte(`"broken":`)) || bytes.Contains(text, []byte("gone-session")) {
				t.Errorf("%s, %s: %s", name, why, text)
			}
		}
	}
}

// TestWithoutLog: a log that is gone, or was emptied, is a break without any store's copy, and nobody
// begins another beside the files of the sessions that it was of.
func TestWithoutLog(t *testing.T) {
	for name, damage := range map[string]func(*home){
		"removed": func(h *home) { h.remove(h.log()) },
		"emptied": func(h *home) { h.write(h.log(), nil) },
		"torn":    func(h *home) { h.write(h.log(), h.read(h.log())[:100]) },
	} {
		h := newHome(t)
		h.record("a", 2)
		h.seal()
		damage(h)
		if p, err := seal.Verify(ctx, h.journal, seal.Question{}); err != nil || p.Proved || len(p.Breaks) != 1 || p.Breaks[0].Kind != seal.LogEdited {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
		if _, err := (&seal.Sealer{Journal: h.journal}).Seal(ctx, h.at); !errors.Is(err, seal.ErrDamaged) {
			t.Errorf("%s: sealed: %v", name, err)
		}
		if err := os.RemoveAll(journal.SealsDir(h.dir)); err != nil { // as docs/seal.md says, to begin anew
			t.Fatal(err)
		}
		if _, err := (&seal.Sealer{Journal: h.journal}).Seal(ctx, h.at); err != nil {
			t.Errorf("%s: begun anew: %v", name, err)
		}
	}
}

// TestWithoutKey: nobody signs with another key than the one that the log was begun with, and nothing
// is sealed where that is gone.
func TestWithoutKey(t *testing.T) {
	h := newHome(t)
	h.record("a", 1)
	h.seal()
	other := newHome(t)
	other.record("a", 1)
	other.seal()
	public, err := seal.PublicKey(other.dir)
	if err != nil {
		t.Fatal(err)
	}
	if p, err := seal.Verify(ctx, h.journal, seal.Question{PublicKey: public}); err != nil || p.Proved || p.Breaks[0].Kind != seal.OtherKey {
		t.Errorf("with another public key: %+v, %v", p, err)
	}
	key := filepath.Join(h.dir, seal.KeyFile)
	for name, text := range map[string]string{"another": string(other.read(filepath.Join(other.dir, seal.KeyFile))), "damaged": "12345", "gone": ""} {
		h.write(key, []byte(text))
		if text == "" {
			if err := os.Remove(key); err != nil {
				t.Fatal(err)
			}
		}
		h.record("a", 1)
		h.record("b", 1)
		// Once: a home may have thousands of sessions, and one key.
		if _, err := (&seal.Sealer{Journal: h.journal}).Seal(ctx, h.at); err == nil || strings.Count(err.Error(), "backup") != 1 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestStoreOfAnotherLog: what a store has of another log is not written over.
func TestStoreOfAnotherLog(t *testing.T) {
	h := newHome(t)
	h.record("a", 1)
	h.seal()
	h.record("a", 1)
	h.seal()
	had, _ := h.store.SealHead(ctx, h.journal.ID())
	if err := os.RemoveAll(journal.SealsDir(h.dir)); err != nil {
		t.Fatal(err)
	}
	if p := h.verify(); p.Proved || p.Breaks[0].Kind != seal.StoreDiffers {
		t.Errorf("without the seals: %+v", p)
	}
	sealer := seal.Sealer{Journal: h.journal}
	for range 3 {
		h.record("a", 1)
		if _, err := sealer.Seal(ctx, h.at); err != nil {
			t.Fatal(err)
		}
		if err := sealer.Keep(ctx, "memory", h.store); !errors.Is(err, seal.ErrOtherLog) {
			t.Errorf("keep: %v", err)
		}
	}
	if has, _ := h.store.SealHead(ctx, h.journal.ID()); has != had {
		t.Error(cmp.Diff(had, has))
	}
}

// TestBesideWriters: hooks append while sessions are sealed, and nothing of that is torn apart.
func TestBesideWriters(t *testing.T) {
	h := newHome(t)
	h.record("session-0", 1)
	h.record("session-1", 1)
	var writers sync.WaitGroup
	stop, at := make(chan struct{}), h.at
	for w := range 4 {
		writers.Go(func() {
			beside := &home{t: t, journal: h.journal, at: at, n: (w + 1) * 1_000_000}
			for {
				select {
				case <-stop:
					return
				default:
					beside.record(fmt.Sprintf("session-%d", w%2), 1)
					time.Sleep(time.Millisecond)
				}
			}
		})
	}
	for range 15 {
		h.seal()
		if p := h.verify(); !p.Proved {
			t.Error(p.Breaks)
			break
		}
	}
	close(stop)
	writers.Wait()
	h.seal()
	if p := h.verify(); !p.Proved || p.UnsealedBytes != 0 || p.Sessions != 2 {
		t.Errorf("%+v", p)
	}
}
