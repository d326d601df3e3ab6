package actiongraph_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph"
	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/schema"
)

func aged(t *testing.T, sessions map[string]time.Time, tags map[string]string) (h *actiongraph.Home, dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "home")
	h, err := actiongraph.Open(dir, actiongraph.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	for id, at := range sessions {
		events := []schema.Event{{EventType: schema.Message, SessionID: id, Timestamp: at, Role: schema.RoleUser, Content: "of " + id}}
		if tag := tags[id]; tag != "" {
			events = append(events, schema.Event{EventType: schema.Tag, SessionID: id, Timestamp: at, Tags: []string{tag}})
		}
		if err := h.AddEvents(events); err != nil {
			t.Fatal(err)
		}
	}
	return h, dir
}

func ids(t *testing.T, h *actiongraph.Home) (ids []string) {
	t.Helper()
	rows, err := h.Sessions(context.Background(), graph.SessionFilter{})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		ids = append(ids, r.SessionID)
	}
	slices.Sort(ids)
	return ids
}

// TestForget: what is forgotten is gone from journal and store; whoever records more of it is
// told, and what belongs to others is recorded all the same. Lift takes that back.
func TestForget(t *testing.T) {
	at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	h, _ := aged(t, map[string]time.Time{"session-a": at, "session-b": at}, nil)
	if got := ids(t, h); len(got) != 2 {
		t.Fatalf("%v", got)
	}
	ctx := context.Background()
	found, err := h.Forgettable(ctx, actiongraph.ForgetFilter{Sessions: []string{"session-a"}})
	if err != nil || len(found.Sessions) != 1 || found.Events() != 1 {
		t.Fatalf("%+v, %v", found, err)
	}
	report, err := h.Forget(ctx, found, "test", "team")
	if err != nil || report.Sessions != 1 || report.Events != 1 || report.Pending[actiongraph.EmbeddedStore] != 0 || report.Pending["team"] != 1 {
		t.Fatalf("%+v, %v", report, err)
	}
	if got := ids(t, h); !slices.Equal(got, []string{"session-b"}) || !h.Forgotten("session-a") || h.Forgotten("session-b") {
		t.Errorf("%v", got)
	}
	var gone *actiongraph.ForgottenError
	message := func(id string) schema.Event {
		return schema.Event{EventType: schema.Message, SessionID: id, Timestamp: at.Add(time.Hour), Role: schema.RoleUser, Content: "more"}
	}
	err = h.AddEvents([]schema.Event{message("session-a"), message("session-c"), message("session-a")})
	if !errors.As(err, &gone) || gone.Events != 2 || !slices.Equal(gone.Sessions, []string{"session-a"}) || !strings.Contains(err.Error(), "--lift") {
		t.Errorf("AddEvents: %v", err)
	}
	if _, err := h.Recorder("").RecordMessage(actiongraph.Message{SessionID: "session-a", Role: schema.RoleUser}); !errors.As(err, &gone) {
		t.Errorf("RecordMessage: %v", err)
	}
	if got := ids(t, h); !slices.Equal(got, []string{"session-b", "session-c"}) {
		t.Errorf("%v", got)
	}
	if _, err := h.Lift("session-a", "team"); err == nil || !strings.Contains(err.Error(), "still in team") {
		t.Errorf("lifted while a store has it: %v", err)
	}
	for _, want := range []bool{true, false} {
		if lifted, err := h.Lift("session-a"); lifted != want || err != nil {
			t.Errorf("Lift() = %v, %v", lifted, err)
		}
	}
	if err := h.AddEvents([]schema.Event{message("session-a")}); err != nil {
		t.Error(err)
	}
	if got, err := h.Actions(ctx, graph.ActionFilter{Session: "session-a"}); err != nil || len(got) != 1 {
		t.Errorf("%d actions came back, %v", len(got), err)
	}
}

// TestForgetLocked: another process that writes the store, and never ends, is named as pending,
// and the journal is done all the same.
func TestForgetLocked(t *testing.T) {
	h, home := aged(t, map[string]time.Time{"session-a": time.Unix(1, 0)}, nil)
	lock, err := connector.LockHome(home, connector.GraphLock, 0)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer stop()
	found, err := h.Forgettable(ctx, actiongraph.ForgetFilter{Sessions: []string{"session-a"}})
	if err != nil {
		t.Fatal(err)
	}
	report, err := h.Forget(ctx, found, "test")
	if !errors.Is(err, context.DeadlineExceeded) || report.Sessions != 1 || report.Pending[actiongraph.EmbeddedStore] != 1 {
		t.Errorf("%+v, %v", report, err)
	}
	if err := lock.Unlock(); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Sync(context.Background()); err != nil {
		t.Fatal(err)
	}
	if pending, err := h.PendingForgets(); err != nil || len(pending) != 0 {
		t.Errorf("%v, %v", pending, err)
	}
}

// TestRetain: sessions of which nothing is as new as an age go, by a clock that is given.
func TestRetain(t *testing.T) {
	now := time.Date(2031, 6, 1, 0, 0, 0, 0, time.UTC)
	day := func(n int) time.Time { return now.AddDate(0, 0, -n) }
	h, home := aged(t, map[string]time.Time{"old": day(91), "older-kept": day(400), "at-the-age": day(90), "young": day(1), "to-come": day(-30)},
		map[string]string{"older-kept": "keep", "old": "other"})
	ctx := context.Background()
	if found, err := h.Retain(ctx, 0, nil, now); err != nil || len(found.Sessions) != 0 {
		t.Errorf("no age: %+v, %v", found, err)
	}
	found, err := h.Retain(ctx, 90*24*time.Hour, []string{"keep"}, now)
	if err != nil || len(found.Sessions) != 1 || found.Sessions[0].SessionID != "old" || found.Kept != 1 {
		t.Errorf("%+v, %v", found, err)
	}
	if got := ids(t, h); !slices.Equal(got, []string{"at-the-age", "older-kept", "to-come", "young"}) {
		t.Errorf("%v", got)
	}
	// A file that came back, by a program that knows no tombstones, goes as well.
	path := filepath.Join(home, "journal", "old.jsonl")
	if err := os.WriteFile(path, []byte("\n{}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Retain(ctx, 0, nil, now); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("it is there still")
	}
}
