package forget

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/failure"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/schema"
	"github.com/actiongraph/actiongraph/seal"
	"github.com/actiongraph/actiongraph/transcript"
)

// tracesIn returns the files of a home that have a text in their bytes or their names.
func tracesIn(t *testing.T, home string, texts ...string) (files []string) {
	t.Helper()
	err := filepath.WalkDir(home, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		for _, text := range texts {
			if bytes.Contains(data, []byte(text)) || strings.Contains(path[len(home):], text) {
				files = append(files, path+": "+text)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

const (
	goneID  = "0f8a6f3e-gone"
	staysID = "0f8a6f3e-stays"
)

// lived makes a home in which two sessions left what sessions leave.
func lived(t *testing.T) *journal.Journal {
	t.Helper()
	j := open(t)
	at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	for _, s := range []struct{ id, dir string }{{goneID, "/w/acme"}, {staysID, "/w/other"}} {
		record(t, j,
			schema.Event{SessionID: s.id, WorkingDirectory: s.dir, Timestamp: at, Content: "of " + s.dir},
			schema.Event{SessionID: s.id, WorkingDirectory: s.dir, Timestamp: at.Add(1), EventType: schema.SessionEnd})
	}
	host := "host"
	index := fmt.Sprintf("actiongraph transcripts 2 %q\n", host)
	logs := ""
	for _, id := range []string{goneID, staysID} {
		index += id + strings.Repeat("\t1", 12) + "\t\t/c/projects/-w-" + id + "/" + id + ".jsonl\n"
		logs += `{"level":"WARN","run_id":"` + id + `"}` + "\n" + `{"level":"WARN","path":"/c/` + id + `.jsonl"}` + "\n"
	}
	logs += `{"path":"/w/acme/dump.jsonl"}` + "\n" + `{"path":"/c/projects/-w-acme/x"}` + "\n" + `{"path":"/w/acme-two"}` + "\n" + `{"level":"INFO","message":"following"}` + "\n"
	for name, text := range map[string]string{transcript.IndexFile: index, transcript.IndexFile + ".12.tmp": index, "hook.log": logs, "hook.log.1": logs,
		"ag-sessiond.log": logs, "ag-sessiond-2026-11-22T19-25-24.123.log": logs, "status.json": logs, "config.toml": "# of /w/acme\n", "notes.log": "mine: " + goneID} {
		if err := os.WriteFile(filepath.Join(j.Home(), name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for i, meta := range []string{`{"source":"/w/acme/dump.jsonl","session":""}`, `{"source":"/v/x.jsonl","session":"` + goneID + `"}`,
		`{"source":"/v/y.jsonl","session":"` + staysID + `"}`} {
		record(t, j, schema.Event{SessionID: schema.PositionsID(uint64(i)), EventType: schema.SourcePosition, Timestamp: at, Metadata: []byte(meta)})
	}
	for _, path := range []string{"/c/" + goneID + ".jsonl", "/w/acme/dump.jsonl", "/v/other.jsonl"} { // what failed in files of no session
		e := failure.New("", failure.SourceUnreadable, path)
		e.Path, e.Timestamp = path, at
		if err := j.Append(j.Redactor("").Event(e.Event())); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(journal.ForgottenDir(j.Home()), 0o700); err != nil {
		t.Fatal(err)
	}
	torn := j.TombstoneName(goneID) + ".12.tmp" // of who was killed while it made a tombstone
	if err := os.WriteFile(filepath.Join(journal.ForgottenDir(j.Home()), torn), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return j
}

// settled fails where something of what was forgotten is left, or something else is not.
func settled(t *testing.T, j *journal.Journal, how string) {
	t.Helper()
	home := j.Home()
	for _, name := range []string{"config.toml", "notes.log"} { // the user's own
		os.Remove(filepath.Join(home, name))
	}
	if left := tracesIn(t, home, goneID, "/w/acme/", `/w/acme"`, "-w-acme/"); len(left) > 0 {
		t.Errorf("%s: left: %q", how, left)
	}
	if Begun(home) {
		t.Errorf("%s: it is said to be begun", how)
	}
	if torn, _ := filepath.Glob(filepath.Join(journal.ForgottenDir(home), "*.tmp")); len(torn) > 0 {
		t.Errorf("%s: left: %q", how, torn)
	}
	for name, want := range map[string]int{transcript.IndexFile: 1, "hook.log": 4, "hook.log.1": 4, "ag-sessiond.log": 4, "ag-sessiond-2026-11-22T19-25-24.123.log": 4,
		"journal/" + staysID + ".jsonl": 2, "journal/" + schema.PositionsID(2) + ".jsonl": 1, "journal/" + schema.Recorder + ".jsonl": 1} {
		text, err := os.ReadFile(filepath.Join(home, filepath.FromSlash(name)))
		n := 0
		for line := range strings.Lines(string(text)) {
			if strings.TrimSpace(line) != "" && !strings.HasPrefix(line, "actiongraph") {
				n++
			}
		}
		if err != nil || n != want {
			t.Errorf("%s: %s has %d lines, want %d, %v:\n%s", how, name, n, want, err, text)
		}
	}
	if !j.Forgotten(goneID) || j.Forgotten(staysID) {
		t.Errorf("%s: the wrong session is forgotten", how)
	}
	if info, err := os.Stat(filepath.Join(home, "hook.log")); err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("%s: hook.log: %v, %v", how, info, err)
	}
}

func choose(t *testing.T, j *journal.Journal) Found {
	t.Helper()
	found, err := Find(context.Background(), j, Filter{Project: "/w/acme"}, time.Unix(1<<31, 0))
	if err != nil || len(found.Sessions) != 1 {
		t.Fatalf("%+v, %v", found, err)
	}
	return found
}

func TestDo(t *testing.T) {
	j := lived(t)
	if err := Do(j, choose(t, j), "forget", time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	settled(t, j, "at once")
	pending, all, err := Pending(j, []string{"sqlite", "team"})
	if err != nil || all != 1 || pending["sqlite"] != 1 || pending["team"] != 1 {
		t.Errorf("%v %d, %v", pending, all, err)
	}
	if err := j.GoneFrom(j.TombstoneName(goneID), "sqlite"); err != nil {
		t.Fatal(err)
	}
	if of, err := PendingOf(j, goneID, []string{"sqlite", "team"}); err != nil || len(of) != 1 || of[0] != "team" {
		t.Errorf("%v, %v", of, err)
	}
}

// TestResume: after a kill between any two steps the next run completes it; one that came before
// anything was written down leaves all as it was.
func TestResume(t *testing.T) {
	steps := []func(j *journal.Journal, w *work) error{
		func(j *journal.Journal, w *work) error { return w.begin(j.Home()) },
		func(j *journal.Journal, w *work) error { return w.sign(j) },
		func(j *journal.Journal, w *work) error { return j.Forget(w.Sessions, w.Why, w.At) },
		func(j *journal.Journal, w *work) error { return transcript.DropForgotten(j) },
		func(j *journal.Journal, w *work) error { return w.dropPositions(j) },
		func(j *journal.Journal, w *work) error { return w.clean(j.Home()) },
	}
	for done := 1; done <= len(steps); done++ {
		j := lived(t)
		if _, err := (&seal.Sealer{Journal: j}).Seal(t.Context(), time.Unix(1, 0)); err != nil {
			t.Fatal(err)
		}
		found := choose(t, j)
		w := work{Why: "forget", At: time.Unix(1, 0), Sessions: []string{goneID}, Dirs: found.Dirs, Project: found.project}
		for _, step := range steps[:done] {
			if err := step(j, &w); err != nil {
				t.Fatal(err)
			}
		}
		if !Begun(j.Home()) {
			t.Errorf("after %d steps: not begun", done)
		}
		if err := Resume(j); err != nil {
			t.Fatal(err)
		}
		settled(t, j, fmt.Sprintf("after %d steps", done))
		if p, err := seal.Verify(t.Context(), j, seal.Question{}); err != nil || !p.Proved || p.Sessions != 1 || len(p.Ended) != 1 || p.Ended[0].Broken != "" {
			t.Errorf("after %d steps: %+v, %v", done, p, err)
		}
	}
	j := lived(t)
	if err := os.WriteFile(begunPath(j.Home()), []byte(`{"sessions":["`+goneID), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Resume(j); err != nil || Begun(j.Home()) || j.Forgotten(goneID) {
		t.Errorf("a torn beginning: %v, forgotten %v", err, j.Forgotten(goneID))
	}
	if _, err := j.Stat(goneID); err != nil {
		t.Errorf("a torn beginning: %v", err)
	}
}

// TestLocked: who replaces files of the journal is waited for, and nothing is begun meanwhile.
func TestLocked(t *testing.T) {
	j := lived(t)
	lock, err := connector.LockHome(j.Home(), connector.JournalLock, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := locked(j, 0, func() error { return errors.New("not to be called") }); !errors.Is(err, connector.ErrLocked) {
		t.Errorf("%v", err)
	}
	if err := (&work{Sessions: []string{goneID}}).begin(j.Home()); err != nil {
		t.Fatal(err)
	}
	if err := Resume(j); err != nil || !Begun(j.Home()) {
		t.Errorf("%v, begun %v", err, Begun(j.Home()))
	}
	if err := lock.Unlock(); err != nil {
		t.Fatal(err)
	}
}

// TestBlankAmongWriters: lines are taken out of a log while others are appended: none of these is
// lost or torn.
func TestBlankAmongWriters(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hook.log")
	const writers, lines = 4, 300
	var writing sync.WaitGroup
	for w := range writers {
		writing.Go(func() {
			for n := range lines {
				f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
				if err != nil {
					t.Error(err)
					return
				}
				fmt.Fprintf(f, "{\"n\":\"%d-%d\"}\n{\"session_id\":\"%s\"}\n", w, n, goneID)
				f.Close()
			}
		})
	}
	done := make(chan struct{})
	go func() { writing.Wait(); close(done) }()
	patterns := (&work{Sessions: []string{goneID}}).patterns()
	for going := true; going; {
		select {
		case <-done:
			going = false
		default:
		}
		if err := blank(path, patterns); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(path)
	if err != nil || bytes.Contains(text, []byte(goneID)) {
		t.Errorf("left: %v", err)
	}
	seen := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" {
			seen[line] = true
		}
	}
	if len(seen) != writers*lines {
		t.Errorf("%d lines, want %d", len(seen), writers*lines)
	}
}

func TestNames(t *testing.T) {
	for _, test := range []struct {
		line, what string
		want       bool
	}{
		{`{"path":"/w/acme/x"}`, "/w/acme", true}, {`{"path":"/w/acme"}`, "/w/acme", true}, {`{"path":"/w/acme-two"}`, "/w/acme", false},
		{`{"path":"/v/w/acme"}`, "/w/acme", true}, {`{"path":"/w/acme-two /w/acme."}`, "/w/acme", true}, {`xabcdefgh`, "abcdefgh", false}, {`abcdefgh`, "abcdefgh", true},
		{`a/w/acmé`, "/w/acm", false}, {``, "a", false}, {`a`, "", false},
	} {
		if got := names([]byte(test.line), []byte(test.what)); got != test.want {
			t.Errorf("%s in %s: %v", test.what, test.line, got)
		}
	}
	// A short id may be a word of any line.
	w := work{Sessions: []string{"info"}}
	for line, want := range map[string]bool{`{"level":"info"}`: false, `{"run_id":"info"}`: true, `{"path":"/j/info.jsonl"}`: true, `session info: gone`: true} {
		got := false
		for _, p := range w.patterns() {
			got = got || names([]byte(line), p)
		}
		if got != want {
			t.Errorf("%s: %v", line, got)
		}
	}
}

// TestSealed: events that name no session go out of a sealed home, and the rest of them is sealed anew;
// where the log of seals was tampered with nothing goes.
func TestSealed(t *testing.T) {
	j := open(t)
	record(t, j, schema.Event{SessionID: nobody, WorkingDirectory: "/w/acme"}, schema.Event{SessionID: nobody, WorkingDirectory: "/w/other"},
		schema.Event{SessionID: goneID, WorkingDirectory: "/w/acme"})
	if _, err := (&seal.Sealer{Journal: j}).Seal(t.Context(), time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	found, err := Find(t.Context(), j, Filter{Project: "/w/acme"}, time.Unix(1<<31, 0))
	if err != nil || len(found.Sessions) != 2 {
		t.Fatalf("%+v, %v", found, err)
	}
	path := filepath.Join(journal.SealsDir(j.Home()), "log")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		log  []byte
		want error
	}{{bytes.Replace(text, []byte(`"number":2`), []byte(`"number":3`), 1), seal.ErrDamaged}, {text, nil}} {
		if err := os.WriteFile(path, c.log, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := Do(j, found, "forget", time.Unix(2, 0)); !errors.Is(err, c.want) {
			t.Fatalf("%v, want %v", err, c.want)
		}
		if _, err := j.Stat(goneID); (err == nil) != (c.want != nil) {
			t.Errorf("the session: %v, where forgetting said: %v", err, c.want)
		}
	}
	if p, err := seal.Verify(t.Context(), j, seal.Question{}); err != nil || !p.Proved || p.Records != 1 || p.UnsealedBytes != 0 || len(p.Ended) != 2 {
		t.Errorf("%+v, %v", p, err)
	}
}

// TestSealedForks: what a fork gets for its own when its parent goes is signed for, and sealed.
func TestSealedForks(t *testing.T) {
	j := related(t)
	if _, err := (&seal.Sealer{Journal: j}).Seal(t.Context(), time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	if err := Do(j, find(t, j, Filter{Sessions: []string{parentID}}), "forget", time.Unix(2, 0)); err != nil {
		t.Fatal(err)
	}
	p, err := seal.Verify(t.Context(), j, seal.Question{})
	if err != nil || !p.Proved || p.UnsealedBytes != 0 {
		t.Errorf("%+v, %v", p, err)
	}
	rewritten := 0
	for _, e := range p.Ended {
		if e.Broken != "" {
			t.Errorf("%+v", e)
		}
		if e.Action == seal.Rewrite {
			rewritten++
		}
	}
	if rewritten == 0 {
		t.Error("no fork is signed for")
	}
}
