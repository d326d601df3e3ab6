package eventstore_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/actiongraph/actiongraph/eventstore"
	"github.com/actiongraph/actiongraph/eventstore/storetest"
	"github.com/actiongraph/actiongraph/journal"
)

var ctx = context.Background()

// home is one with sessions of so many events, the path of it and the store.
func home(t *testing.T, events map[string]int) (string, eventstore.Store) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "home")
	store := storetest.Create(t, "file://"+filepath.ToSlash(dir))
	for id, n := range events {
		for i := range n {
			storetest.Append(t, store, id, 1, storetest.Numbered(id, i))
		}
	}
	return dir, store
}

// export is every session's lines, in order.
func export(t *testing.T, store eventstore.Store) map[string][]string {
	t.Helper()
	sessions, err := store.Sessions(ctx)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]string{}
	for _, s := range sessions {
		out[s.ID] = storetest.Lines(t, store, s.ID)
		if int64(len(out[s.ID])) != s.Events {
			t.Errorf("session %s: %d lines, and it is said to have %d", s.ID, len(out[s.ID]), s.Events)
		}
	}
	return out
}

func reports(t *testing.T, want []eventstore.Report) func(got []eventstore.Report, err error) {
	return func(got []eventstore.Report, err error) {
		t.Helper()
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Fatalf("%v; reports -want +got:\n%s", err, diff)
		}
	}
}

// TestAround: from a home through each kind and back the export is the same, and to migrate
// again changes nothing.
func TestAround(t *testing.T) {
	_, from := home(t, map[string]int{"a": 3, "b": 2})
	want := export(t, from)
	kinds := fresh()
	for _, kind := range []string{"sqlite", "postgres", "file", "postgres", "sqlite", "file"} {
		to := storetest.Create(t, kinds[kind](t))
		reports(t, []eventstore.Report{
			{Session: "a", Status: eventstore.Migrated, Events: 3}, {Session: "b", Status: eventstore.Migrated, Events: 2},
		})(eventstore.Migrate(ctx, from, to, eventstore.Options{}))
		reports(t, []eventstore.Report{
			{Session: "a", Status: eventstore.Unchanged}, {Session: "b", Status: eventstore.Unchanged},
		})(eventstore.Migrate(ctx, from, to, eventstore.Options{}))
		if diff := cmp.Diff(want, export(t, to)); diff != "" {
			t.Fatalf("in %s, -want +got:\n%s", kind, diff)
		}
		from = to
	}
}

// TestOnlyNew: what was recorded after a migration is all that the next one adds, of the
// sessions that are named.
func TestOnlyNew(t *testing.T) {
	_, from := home(t, map[string]int{"a": 2, "b": 2, "c": 1})
	to := storetest.Create(t, fresh()["sqlite"](t))
	reports(t, []eventstore.Report{{Session: "b", Status: eventstore.Migrated, Events: 2}})(
		eventstore.Migrate(ctx, from, to, eventstore.Options{Sessions: []string{"b"}}))
	storetest.Append(t, from, "b", 1, storetest.Numbered("b", 7))
	var progress []string
	reports(t, []eventstore.Report{
		{Session: "a", Status: eventstore.Migrated, Events: 2}, {Session: "b", Status: eventstore.Migrated, Events: 1},
		{Session: "c", Status: eventstore.Migrated, Events: 1},
	})(eventstore.Migrate(ctx, from, to, eventstore.Options{Progress: func(done, total int64) { progress = append(progress, fmt.Sprint(done, "/", total)) }}))
	if diff := cmp.Diff([]string{"1/6", "2/6", "3/6", "4/6", "5/6", "6/6"}, progress); diff != "" {
		t.Error(diff)
	}
	got, err := eventstore.Migrate(ctx, from, to, eventstore.Options{Sessions: []string{"nonesuch", "a"}})
	if !errors.Is(err, os.ErrNotExist) || len(got) != 2 || got[0].Status != eventstore.Failed || got[1].Status != eventstore.Unchanged {
		t.Fatalf("%v, %+v", err, got)
	}
}

// TestTornLine: it fails its session and no other one, and says where it is and what to do.
func TestTornLine(t *testing.T) {
	dir, from := home(t, map[string]int{"a": 2, "b": 3, "c": 1})
	file := filepath.Join(journal.Dir(dir), "b"+journal.Suffix)
	appendTo(t, file, "\n"+string(storetest.Numbered("b", 8)[:40])+"\n{\"v\":1,}\n\n"+string(storetest.Numbered("b", 9))+"\n{\"v\":1,\"eve")
	for _, kind := range []string{"sqlite", "postgres", "file"} {
		to := storetest.Create(t, fresh()[kind](t))
		got, err := eventstore.Migrate(ctx, from, to, eventstore.Options{})
		if !errors.Is(err, eventstore.ErrCorrupted) {
			t.Fatal(err)
		}
		// Each of three records stands behind an empty line, and so does this one.
		for _, says := range []string{file + " line 8", "--skip-corrupted"} {
			if !strings.Contains(err.Error(), says) || !strings.Contains(got[1].Error, says) {
				t.Errorf("%v does not say %q", err, says)
			}
		}
		want := []eventstore.Report{{Session: "a", Status: eventstore.Migrated, Events: 2}, {Session: "b", Status: eventstore.Failed, Error: got[1].Error},
			{Session: "c", Status: eventstore.Migrated, Events: 1}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatal(diff)
		}
		reports(t, []eventstore.Report{{Session: "a", Status: eventstore.Unchanged}, {Session: "b", Status: eventstore.Migrated, Events: 4, Skipped: 2},
			{Session: "c", Status: eventstore.Unchanged}})(eventstore.Migrate(ctx, from, to, eventstore.Options{SkipCorrupted: true}))
		if lines := storetest.Lines(t, to, "b"); len(lines) != 4 || lines[3] != string(storetest.Numbered("b", 9)) {
			t.Error(lines)
		}
	}
}

func appendTo(t *testing.T, file, text string) {
	t.Helper()
	f, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestForgotten: what the home was told to forget stays forgotten.
func TestForgotten(t *testing.T) {
	_, from := home(t, map[string]int{"a": 2, "b": 2})
	dir, to := home(t, nil)
	j, err := journal.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Forget([]string{"a"}, "test", time.Now()); err != nil {
		t.Fatal(err)
	}
	reports(t, []eventstore.Report{{Session: "a", Status: eventstore.Forgotten}, {Session: "b", Status: eventstore.Migrated, Events: 2}})(
		eventstore.Migrate(ctx, from, to, eventstore.Options{}))
	if got := export(t, to); len(got) != 1 || len(got["b"]) != 2 {
		t.Fatal(got)
	}
}

// TestRedacted: what gets into a home goes through its redaction.
func TestRedacted(t *testing.T) {
	from := storetest.Create(t, fresh()["sqlite"](t))
	secret := "ghp_" + "R7kQ2mX9vB4nT6wY1zC8dF3hJ5pL0sGaUeIo" // in two, for those who look for credentials in sources
	line := strings.Replace(string(storetest.Numbered("a", 1)), `"number"`, `"the token is `+secret+`"`, 1)
	storetest.Append(t, from, "a", 1, []byte(line))
	_, to := home(t, nil)
	for _, want := range []eventstore.Report{{Session: "a", Status: eventstore.Migrated, Events: 1}, {Session: "a", Status: eventstore.Unchanged}} {
		reports(t, []eventstore.Report{want})(eventstore.Migrate(ctx, from, to, eventstore.Options{}))
	}
	if got := storetest.Lines(t, to, "a"); len(got) != 1 || strings.Contains(got[0], secret) || !strings.Contains(got[0], "[REDACTED:github-token]") {
		t.Fatal(got)
	}
}

// TestInterrupted: the session that was under way is told, and those after it were not begun.
func TestInterrupted(t *testing.T) {
	_, from := home(t, map[string]int{"a": 2, "b": 2, "c": 2})
	to := storetest.Create(t, fresh()["sqlite"](t))
	ctx, cancel := context.WithCancel(ctx)
	got, err := eventstore.Migrate(ctx, from, to, eventstore.Options{Progress: func(done, _ int64) {
		if done == 3 {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) || len(got) != 2 || got[0].Status != eventstore.Migrated || got[1].Status != eventstore.Failed {
		t.Fatalf("%v, %+v", err, got)
	}
	if got := export(t, to); len(got) != 1 {
		t.Fatal(got)
	}
}
