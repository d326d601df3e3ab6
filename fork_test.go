package actiongraph_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	actiongraph "github.com/actiongraph/actiongraph"
	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/connector/sqlite"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/history"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/schema"
)

// homeOf opens a new home in which these events are recorded.
func homeOf(t *testing.T, events []schema.Event) (*actiongraph.Home, *journal.Journal) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "home")
	j, err := journal.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	redactor := j.Redactor("")
	for _, e := range events {
		if err := j.Append(redactor.Event(e)); err != nil {
			t.Fatal(err)
		}
	}
	h, err := actiongraph.Open(dir, actiongraph.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	return h, j
}

// capturedEvents are the events of a recorded scenario, as hooks wrote them.
func capturedEvents(t *testing.T, file string) (events []schema.Event) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(data) {
		e, err := schema.Decode(bytes.TrimSpace(line))
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, e)
	}
	return events
}

// historyOf returns the events of a session's history, and the log that has it.
func historyOf(t *testing.T, j *journal.Journal, session string) (*history.Log, []schema.Event) {
	t.Helper()
	log, err := history.Open(t.Context(), history.Journal(j), session, history.Point{})
	if err != nil {
		t.Fatal(err)
	}
	var events []schema.Event
	err = log.Sorted(t.Context(), func(_ int, r *history.Record) error {
		e, err := schema.Decode(bytes.Clone(r.Line))
		events = append(events, e)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return log, events
}

func idsOf(events []schema.Event) (ids []string) {
	for _, e := range events {
		ids = append(ids, e.EventID)
	}
	return ids
}

// TestForkAnywhere forks every captured session at each of its events: the fork's history is the
// parent's up to there, by any order in which it was recorded, and its graph that of these events.
func TestForkAnywhere(t *testing.T) {
	files, err := filepath.Glob("graph/testdata/captures/*.jsonl")
	if err != nil || len(files) < 30 {
		t.Fatalf("%d captures: %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".jsonl"), func(t *testing.T) {
			t.Parallel()
			events := capturedEvents(t, file)
			slices.Reverse(events) // not their order, but the times say what comes up to a point
			h, j := homeOf(t, events)
			sessions := map[string]bool{}
			for _, e := range events {
				sessions[e.SessionID] = true
			}
			for session := range sessions {
				forkEverywhere(t, h, j, session)
			}
		})
	}
}

func forkEverywhere(t *testing.T, h *actiongraph.Home, j *journal.Journal, session string) {
	path := filepath.Join(journal.Dir(j.Home()), session+journal.Suffix)
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	_, all := historyOf(t, j, session)
	var forks []string
	for i, at := range all {
		forked, err := h.Fork(t.Context(), actiongraph.Fork{Session: session, AtEvent: at.EventID, SessionID: fmt.Sprintf("fork-%s-%d", session[:8], i)})
		if err != nil {
			t.Fatal(err)
		}
		if forked.Events != i+1 || forked.ParentEventID != at.EventID || !forked.ParentEventTime.Equal(at.Timestamp) {
			t.Errorf("forked at the event %d, %s: %+v", i, at.EventID, forked)
		}
		log, got := historyOf(t, j, forked.SessionID)
		if diff := cmp.Diff(idsOf(all[:i+1]), idsOf(got[:len(got)-1])); diff != "" || got[len(got)-1].EventType != schema.Fork {
			t.Errorf("the history of the fork at %d ends with %v (-want +got):\n%s", i, got[len(got)-1], diff)
		}
		folded, want := graph.New(), graph.New()
		if err := log.FoldAs(t.Context(), "x", func(ops []graph.Op) error { folded.Apply(ops...); return nil }); err != nil {
			t.Fatal(err)
		}
		fold := graph.NewSession("x", "")
		for k := range got {
			fold.Apply(&got[k])
		}
		want.Apply(fold.Take()...)
		if changes := graph.Diff(want, folded); len(changes) > 0 {
			t.Errorf("the graph of the fork at %d: %v", i, changes)
		}
		forks = append(forks, forked.SessionID)
	}
	if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the parent is not what it was: %v", err)
	}
	ownOnly(t, h, j, forks)
}

// ownOnly holds that the graph has of forks their own actions alone, and is what their journal
// says.
func ownOnly(t *testing.T, h *actiongraph.Home, j *journal.Journal, forks []string) {
	t.Helper()
	rows, err := h.Sessions(t.Context(), graph.SessionFilter{IDPrefix: "fork-"})
	if err != nil || len(rows) < len(forks) {
		t.Fatalf("%d rows of %d forks: %v", len(rows), len(forks), err)
	}
	for _, row := range rows {
		if row.ActionCount != 0 || row.Status != schema.StatusUnknown || row.ForkedAt == "" || !row.ForkedAtTime.Equal(row.StartedAt) {
			t.Errorf("%+v", row)
		}
	}
	store, err := sqlite.Open(filepath.Join(j.Home(), sqlite.FileName), sqlite.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	if changes, err := connector.Verify(t.Context(), j, store, ""); err != nil || len(changes) > 0 {
		t.Errorf("verify: %v, %v", changes, err)
	}
}

func saidAt(session, id string, second int) schema.Event {
	return schema.Event{
		V: schema.Version, EventID: id, EventType: schema.Message, SessionID: session, Role: schema.RoleUser, Content: "said " + id,
		Timestamp: time.Date(2026, 3, 1, 10, 0, second, 0, time.UTC), SourceSDK: "test", Origin: schema.OriginAPI, WorkingDirectory: "/w",
	}
}

// parent has four turns of one event each, of which two are at one moment.
func parent() []schema.Event {
	return []schema.Event{saidAt("parent", "event-one", 1), saidAt("parent", "event-two", 2), saidAt("parent", "event-twotwo", 2), saidAt("parent", "event-four", 4)}
}

func TestFork(t *testing.T) {
	h, j := homeOf(t, parent())
	ctx := t.Context()
	first, err := h.Fork(ctx, actiongraph.Fork{Session: "parent", AtEvent: "event-two", Label: "again", SessionID: "first"})
	if err != nil {
		t.Fatal(err)
	}
	want := actiongraph.Forked{SessionID: "first", ParentSessionID: "parent", ParentEventID: "event-two", Label: "again", Events: 2}
	want.ParentEventTime = time.Date(2026, 3, 1, 10, 0, 2, 0, time.UTC)
	if diff := cmp.Diff(want, first); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	again, err := h.Fork(ctx, actiongraph.Fork{Session: "parent", AtEvent: "event-two", SessionID: "first"})
	if want.Known = true; err != nil || again != want {
		t.Errorf("once more: %+v, %v", again, err)
	}
	if _, events := historyOf(t, j, "first"); len(events) != 3 {
		t.Errorf("%d events", len(events))
	}
	row, err := h.Session(ctx, "first")
	if err != nil || row.Title != "again" || row.ForkLabel != "again" || row.WorkingDirectory != "/w" || row.SourceSDK != "test" {
		t.Errorf("%+v, %v", row, err)
	}
	// What is recorded under its id continues it, and a fork of it has that, too.
	if err := j.Append(j.Redactor("").Event(saidAt("first", "own", 9))); err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]actiongraph.Fork{
		"event-one":               {Session: "first", AtEvent: "event-one"},
		"event-one event-two":     {Session: "first", AtEvent: "event-two"},
		"event-one event-two own": {Session: "first", AtTurn: 1},
	} {
		forked, err := h.Fork(ctx, f)
		if err != nil {
			t.Fatal(err)
		}
		log, events := historyOf(t, j, forked.SessionID)
		if len(forked.SessionID) != 36 || forked.ParentSessionID != "first" || len(log.Segments) != 3 || log.Missing != "" {
			t.Errorf("%s: %+v of %+v", name, forked, log)
		}
		events = slices.DeleteFunc(events, func(e schema.Event) bool { return e.EventType == schema.Fork })
		if got := strings.Join(idsOf(events), " "); got != name || forked.Events != len(events) {
			t.Errorf("%s: %s, and it says %d events", name, got, forked.Events)
		}
	}
}

func TestForkTurns(t *testing.T) {
	end := saidAt("parent", "the-end-of-it", 9)
	end.EventType, end.Role, end.Content = schema.SessionEnd, "", ""
	h, _ := homeOf(t, append(parent(), end))
	for turn, event := range map[int64]string{1: "event-one", 3: "event-twotwo", 4: "event-four"} {
		forked, err := h.Fork(t.Context(), actiongraph.Fork{Session: "parent", AtTurn: turn})
		if err != nil || forked.ParentEventID != event {
			t.Errorf("turn %d: %+v, %v", turn, forked, err)
		}
	}
	for _, turn := range []int64{-1, 0, 5} {
		if forked, err := h.Fork(t.Context(), actiongraph.Fork{Session: "parent", AtTurn: turn}); !errors.Is(err, graph.ErrNotFound) {
			t.Errorf("turn %d: %+v, %v", turn, forked, err)
		}
	}
}

func TestForkRefused(t *testing.T) {
	h, j := homeOf(t, append(parent(), saidAt("other", "elsewhere", 1), saidAt("gone", "of-gone", 1)))
	ctx := t.Context()
	found, err := h.Forgettable(ctx, actiongraph.ForgetFilter{Sessions: []string{"gone"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Forget(ctx, found, "test"); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Fork(ctx, actiongraph.Fork{Session: "parent", AtEvent: "event-one", SessionID: "there"}); err != nil {
		t.Fatal(err)
	}
	files, err := j.Files()
	if err != nil {
		t.Fatal(err)
	}
	var forgotten *actiongraph.ForgottenError
	for name, c := range map[string]struct {
		fork actiongraph.Fork
		is   func(error) bool
	}{
		"an id of another":      {actiongraph.Fork{Session: "parent", AtEvent: "event-one", SessionID: "other"}, func(err error) bool { return errors.Is(err, fs.ErrExist) }},
		"its own":               {actiongraph.Fork{Session: "parent", AtEvent: "event-one", SessionID: "parent"}, func(err error) bool { return errors.Is(err, fs.ErrExist) }},
		"another point":         {actiongraph.Fork{Session: "parent", AtEvent: "event-two", SessionID: "there"}, func(err error) bool { return errors.Is(err, fs.ErrExist) }},
		"no id":                 {actiongraph.Fork{Session: "parent", AtEvent: "event-one", SessionID: "../x"}, func(err error) bool { return errors.Is(err, schema.ErrInvalid) }},
		"positions":             {actiongraph.Fork{Session: "parent", AtEvent: "event-one", SessionID: schema.PositionsID(1)}, func(err error) bool { return errors.Is(err, schema.ErrInvalid) }},
		"an id forgotten":       {actiongraph.Fork{Session: "parent", AtEvent: "event-one", SessionID: "gone"}, func(err error) bool { return errors.As(err, &forgotten) }},
		"a parent forgotten":    {actiongraph.Fork{Session: "gone", AtEvent: "of-gone"}, func(err error) bool { return errors.As(err, &forgotten) }},
		"no parent":             {actiongraph.Fork{Session: "nowhere", AtEvent: "of-gone"}, func(err error) bool { return errors.Is(err, graph.ErrNotFound) }},
		"no event":              {actiongraph.Fork{Session: "parent", AtEvent: "elsewhere"}, func(err error) bool { return errors.Is(err, graph.ErrNotFound) }},
		"the beginning of some": {actiongraph.Fork{Session: "parent", AtEvent: "event-tw"}, func(err error) bool { return strings.Contains(err.Error(), "give more") }},
	} {
		if forked, err := h.Fork(ctx, c.fork); err == nil || !c.is(err) {
			t.Errorf("%s: %+v, %v", name, forked, err)
		}
	}
	if after, err := j.Files(); err != nil || len(after) != len(files) {
		t.Errorf("%d sessions, were %d: %v", len(after), len(files), err)
	}
}

// TestForkAtOnce: who make one fork at once make one.
func TestForkAtOnce(t *testing.T) {
	h, j := homeOf(t, parent())
	errs := make(chan error)
	for range 8 {
		go func() {
			_, err := h.Fork(context.Background(), actiongraph.Fork{Session: "parent", AtEvent: "event-two", SessionID: "one"})
			errs <- err
		}()
	}
	for range 8 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if file, err := os.ReadFile(filepath.Join(journal.Dir(j.Home()), "one.jsonl")); err != nil || bytes.Count(file, []byte(`"event_id"`)) != 1 {
		t.Errorf("%s, %v", file, err)
	}
}
