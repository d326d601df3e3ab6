package main

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/actiongraph/actiongraph/config"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/schema"
)

// TestRetainInTheDaemon: by the daemon's own clock it forgets what is too old at its start, and
// again as soon as the setting is another one; what it logs names no session.
func TestRetainInTheDaemon(t *testing.T) {
	j, err := journal.Open(filepath.Join(t.TempDir(), "home"))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2031, 6, 1, 0, 0, 0, 0, time.UTC)
	for id, days := range map[string]int{"old-session": 100, "younger-session": 50, "new-session": 1} {
		e := schema.Event{V: schema.Version, EventType: schema.Message, EventID: schema.EventID("test", "m", id), SessionID: id, Timestamp: now.AddDate(0, 0, -days)}
		if err := j.Append(j.Redactor("").Event(e)); err != nil {
			t.Fatal(err)
		}
	}
	var log lockedBuffer
	ctx, stop := context.WithCancel(t.Context())
	k := &keeper{app: &app{now: func() time.Time { return now }}, journal: j, log: zerolog.New(&log), ctx: ctx}
	k.plan.retention = config.Retention{OlderThan: "90d"}
	done := make(chan struct{})
	go func() { k.retain(ctx); close(done) }()
	await := func(gone string, left int) {
		t.Helper()
		for deadline := time.Now().Add(30 * time.Second); !j.Forgotten(gone); time.Sleep(10 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%s is not forgotten", gone)
			}
		}
		for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
			if files, err := j.Files(); err == nil && len(files) == left {
				return
			} else if time.Now().After(deadline) {
				t.Fatalf("%v, %v", files, err)
			}
		}
	}
	await("old-session", 2)
	k.mu.Lock()
	k.plan.retention = config.Retention{OlderThan: "30d"}
	k.mu.Unlock()
	await("younger-session", 1)
	stop()
	<-done
	if _, err := j.Stat("new-session"); err != nil {
		t.Error(err)
	}
	if text := log.b.String(); !strings.Contains(text, `"sessions":1`) || strings.Contains(text, "-session") {
		t.Errorf("log: %s", text)
	}
}
