package secrets_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/connector/sqlite"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/journal/packed"
	"github.com/actiongraph/actiongraph/schema"
	"github.com/actiongraph/actiongraph/secrets"
)

// leaky is a home in whose every kind of file is a password.
func leaky(t *testing.T) (s *secrets.Scanner, fold func(context.Context) (map[string]string, error)) {
	t.Helper()
	home := filepath.Join(t.TempDir(), "[home]") // no pattern
	j, err := packed.Open(home)
	if err != nil {
		t.Fatal(err)
	}
	leak := func(session string, n int, more string) {
		e := schema.Event{V: schema.Version, EventID: fmt.Sprintf("%s-%d", session, n), EventType: schema.ToolStart, SessionID: session, Origin: schema.OriginHook,
			Timestamp: time.Unix(int64(n), 0), ToolName: "Bash", ToolUseID: fmt.Sprintf("toolu_%s%d", session, n),
			ToolInput: []byte(`{"command":"mysql --password=hunter2!x","file_path":"/p/password=hunter2!x/a"}`)}
		write(t, filepath.Join(journal.Dir(home), session+".jsonl"), "\n"+string(e.AppendJSON(nil))+"\n"+more)
	}
	leak("plain", 1, "\n{\"torn\":\"password=hunter2!x ")
	leak("plain", 2, "")
	leak("packed", 1, "")
	if err := j.Pack(t.Context(), "packed"); err != nil {
		t.Fatal(err)
	}
	leak("packed", 2, "") // it was resumed
	leak("killed", 1, "")
	leak("source-0123456789abcdef", 1, "")
	write(t, filepath.Join(home, "hook.log"), `{"level":"ERROR","error_message":"password=hunter2!x"}`+"\n")
	if err := os.MkdirAll(filepath.Join(home, "installed"), 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(home, "installed", "0123456789abcdef.before"), `{"env":{"PASSWORD":"hunter2!x"}}`)
	store, err := sqlite.Open(filepath.Join(home, sqlite.FileName), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	r := connector.Replica{Journal: j, Store: store, Name: "sqlite", Thorough: true}
	fold = func(ctx context.Context) (map[string]string, error) {
		_, err := r.Sync(ctx, nil)
		return nil, err
	}
	if _, err := fold(t.Context()); err != nil {
		t.Fatal(err)
	}
	// A rewriting that was killed: its old file is beside a new one that lacks a line.
	path := filepath.Join(journal.Dir(home), "killed.jsonl")
	if err := os.Rename(path, path+".old"); err != nil {
		t.Fatal(err)
	}
	leak("killed", 2, "")
	rules, err := secrets.NewRules(secrets.Options{Key: j.Key()})
	if err != nil {
		t.Fatal(err)
	}
	db := filepath.Join(home, sqlite.FileName)
	return &secrets.Scanner{Journal: j, Rules: rules, Stores: map[string]secrets.Store{"sqlite": store}, Files: []string{db, db + "-wal"}}, fold
}

func write(t *testing.T, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = f.WriteString(text)
	}
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
}

// left are the files of a home in which the password is.
func left(t *testing.T, home string) (files []string) {
	t.Helper()
	err := filepath.Walk(home, func(path string, info os.FileInfo, err error) error {
		if err != nil || !info.Mode().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		if strings.Contains(strings.ToLower(string(data)), "hunter2") {
			files = append(files, filepath.Base(path))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestScanAndScrub(t *testing.T) {
	s, fold := leaky(t)
	before, err := s.Scan(t.Context())
	if err != nil || len(before.Unread) > 0 {
		t.Fatal(err, before.Unread)
	}
	where := map[string]bool{}
	for _, f := range before.Findings {
		where[f.Where+" "+f.Session] = true
		if f.Rule != "secret" || !strings.HasPrefix(f.Fingerprint, "secret:") {
			t.Errorf("%+v", f)
		}
	}
	for _, want := range []string{"journal plain", "journal packed", "journal killed", "journal source-0123456789abcdef", "hook.log ", "sqlite plain", "sqlite packed"} {
		if !where[want] {
			t.Errorf("nothing was found in %q, but in %v", want, where)
		}
	}
	if len(before.Apart) != 1 {
		t.Errorf("of the user's own files: %+v", before.Apart)
	}
	report, err := s.Scrub(t.Context(), fold)
	if err != nil || report.Found == 0 || len(report.After.Findings) > 0 {
		t.Fatalf("%v: %+v", err, report)
	}
	if files := left(t, s.Journal.Home()); !slices.Equal(files, []string{"0123456789abcdef.before"}) {
		t.Errorf("it is left in %v", files)
	}
	if _, unfinished := secrets.Unfinished(s.Journal.Home()); unfinished {
		t.Error("the marker is left")
	}
	for session, want := range map[string]int{"plain": 2, "packed": 2, "killed": 2} {
		events := 0
		cursor, err := s.Journal.Read(session, journal.Position{})
		for err == nil {
			if _, err = cursor.Next(); err == nil {
				events++
			}
		}
		cursor.Close()
		if events != want {
			t.Errorf("%s has %d events, want %d", session, events, want)
		}
	}
}

// TestScrubSaysWhatIsLeft: a store that cannot be folded again now is pending; a session that only
// a store has is left, and the cure is named; both are errors or said, and the marker stays.
func TestScrubSaysWhatIsLeft(t *testing.T) {
	first, _ := leaky(t)
	down := func(context.Context) (map[string]string, error) {
		return map[string]string{"sqlite": "it is down"}, nil
	}
	first.Files = nil
	report, err := first.Scrub(t.Context(), down)
	if err != nil || report.Pending["sqlite"] != "it is down" {
		t.Errorf("%v, %+v", err, report.Pending)
	}
	s, fold := leaky(t)
	if err := os.Remove(filepath.Join(journal.Dir(s.Journal.Home()), "plain.jsonl")); err != nil {
		t.Fatal(err)
	}
	report, err = s.Scrub(t.Context(), fold)
	if !errors.Is(err, secrets.ErrLeft) || !strings.Contains(err.Error(), "forget session plain") {
		t.Errorf("%v", err)
	}
	if _, unfinished := secrets.Unfinished(s.Journal.Home()); !unfinished || len(report.After.Findings) == 0 {
		t.Error("it is said to be done")
	}
	lock, err := connector.LockHome(s.Journal.Home(), connector.JournalLock, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Unlock()
}

// TestScrubWaitsAlone: while a scrub waits for the stores, others may replace files of the journal,
// such as a forget; no other scrub begins.
func TestScrubWaitsAlone(t *testing.T) {
	s, fold := leaky(t)
	home, waited := s.Journal.Home(), false
	_, err := s.Scrub(t.Context(), func(ctx context.Context) (map[string]string, error) {
		waited = true
		lock, err := connector.LockHome(home, connector.JournalLock, 0)
		if err != nil {
			return nil, err
		}
		if _, held, err := connector.Held(home, connector.ScrubLock); err != nil || !held {
			t.Errorf("another scrub could begin: %v", err)
		}
		if err := lock.Unlock(); err != nil {
			return nil, err
		}
		return fold(ctx)
	})
	if err != nil || !waited {
		t.Errorf("%v, waited %v", err, waited)
	}
}

// TestScrubGoesOn: a session that cannot be rewritten is named, and keeps nothing else from being
// scrubbed, in a home whose name has the characters of a pattern.
func TestScrubGoesOn(t *testing.T) {
	s, fold := leaky(t)
	path := filepath.Join(journal.Dir(s.Journal.Home()), "plain.jsonl")
	elsewhere := filepath.Join(t.TempDir(), "elsewhere")
	if err := errors.Join(os.Rename(path, elsewhere), os.Symlink(elsewhere, path)); err != nil {
		t.Fatal(err)
	}
	report, err := s.Scrub(t.Context(), fold)
	if !errors.Is(err, secrets.ErrLeft) || !strings.Contains(err.Error(), path+" is no regular file") {
		t.Errorf("%v", err)
	}
	for _, f := range report.After.Findings {
		if f.Session != "plain" {
			t.Errorf("not scrubbed: %+v", f)
		}
	}
	if _, unfinished := secrets.Unfinished(s.Journal.Home()); !unfinished {
		t.Error("it is said to be done")
	}
}
