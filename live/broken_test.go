package live_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/live"
	"github.com/actiongraph/actiongraph/schema"
	"github.com/actiongraph/actiongraph/usage"
)

// A call that was broken off with the escape key has no end in hooks. It stands for what runs
// only until calls of the next prompt begin: a prompt alone may have been typed ahead.
func TestBrokenOff(t *testing.T) {
	j := must(journal.Open(filepath.Join(t.TempDir(), "home")))(t)
	now := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	w := &live.Watcher{Journal: j, Now: func() time.Time { return now }, Prices: &usage.Table{}}
	w.Begin()
	n := 0
	for _, step := range []struct {
		event schema.Event
		call  string
		calls int
		state live.State
	}{
		{schema.Event{EventType: schema.Message, Role: schema.RoleUser, Content: "one"}, "", 0, live.Working},
		{schema.Event{EventType: schema.ToolStart, ToolName: "Write", ToolUseID: "a"}, "Write", 1, live.Working},
		{schema.Event{EventType: schema.Message, Role: schema.RoleUser, Content: "two"}, "Write", 1, live.Working},
		{schema.Event{EventType: schema.ToolStart, ToolName: "Bash", ToolUseID: "b"}, "Bash", 1, live.Working},
		{schema.Event{EventType: schema.ToolStart, ToolName: "Read", ToolUseID: "c"}, "Read", 2, live.Working},
		{schema.Event{EventType: schema.ToolEnd, ToolName: "Read", ToolUseID: "c"}, "Bash", 1, live.Working},
		{schema.Event{EventType: schema.ToolEnd, ToolName: "Bash", ToolUseID: "b"}, "", 0, live.Working},
		{schema.Event{EventType: schema.TurnEnd}, "", 0, live.Idle},
	} {
		now = now.Add(time.Second)
		e := step.event
		n++
		e.V, e.SessionID, e.EventID, e.Origin, e.Timestamp = schema.Version, "s", fmt.Sprint("e", n), schema.OriginHook, now
		if err := j.Append(j.Redactor("").Event(e)); err != nil {
			t.Fatal(err)
		}
		s := w.Look(t.Context(), "s")[0].Session
		call := ""
		if s.Call != nil {
			call = s.Call.ToolName
		}
		if call != step.call || s.Calls != step.calls || s.State != step.state {
			t.Errorf("step %d: %s with %d calls, %q; want %s, %d, %q", n, s.State, s.Calls, call, step.state, step.calls, step.call)
		}
	}
}
