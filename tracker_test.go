package actiongraph_test

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/actiongraph/actiongraph"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/schema"
)

// play is a session that calls every callback: a call that is asked leave for, one that
// fails, one that is interrupted, and a subagent with a call of its own.
func play(t *actiongraph.Tracker) {
	t.SessionStart(actiongraph.Session{Model: "claude-sonnet-4-5", Timestamp: minute(0)})
	t.UserPromptSubmit(actiongraph.HookInput{Prompt: "list the files", Timestamp: minute(1), Extra: map[string]any{"permission_mode": "default"}})
	ls := map[string]any{"command": "ls"}
	t.PreToolUse(actiongraph.HookInput{ToolName: "Bash", ToolUseID: "call-1", ToolInput: ls, Timestamp: minute(2)})
	t.PermissionRequest(actiongraph.HookInput{ToolName: "Bash", ToolInput: ls, Timestamp: minute(3)})
	t.PostToolUse(actiongraph.HookInput{ToolName: "Bash", ToolUseID: "call-1", ToolResponse: "a.go", DurationMS: 12.5, Timestamp: minute(4)})
	t.PreToolUse(actiongraph.HookInput{ToolName: "Read", ToolUseID: "call-2", Timestamp: minute(5)})
	t.PostToolUseFailure(actiongraph.HookInput{ToolName: "Read", ToolUseID: "call-2", Error: "no such file", Timestamp: minute(6)})
	t.PreToolUse(actiongraph.HookInput{ToolName: "Search", ToolUseID: "call-3", Timestamp: minute(7)})
	t.PostToolUse(actiongraph.HookInput{ToolName: "Search", ToolUseID: "call-3", Timestamp: minute(8),
		ToolResponse: map[string]any{"is_error": true, "error": "timeout", "content": []string{}}})
	t.PreToolUse(actiongraph.HookInput{ToolName: "Agent", ToolUseID: "call-4", Timestamp: minute(9)})
	t.SubagentStart(actiongraph.HookInput{AgentID: "agent-1", AgentType: "Explore", ToolUseID: "call-4", Timestamp: minute(10)})
	t.PreToolUse(actiongraph.HookInput{ToolName: "Bash", ToolUseID: "call-5", AgentID: "agent-1", Timestamp: minute(11)})
	t.PostToolUseFailure(actiongraph.HookInput{ToolName: "Bash", ToolUseID: "call-5", AgentID: "agent-1", IsInterrupt: true, Error: "stopped", Timestamp: minute(12)})
	t.SubagentStop(actiongraph.HookInput{AgentID: "agent-1", AgentType: "Explore", LastAssistantMessage: "found it", Timestamp: minute(13)})
	t.PostToolUse(actiongraph.HookInput{ToolName: "Agent", ToolUseID: "call-4", ToolResponse: "found it", Timestamp: minute(14)})
	t.Notification(actiongraph.HookInput{Title: "Waiting", Message: "for your input", Timestamp: minute(15)})
	t.Message(actiongraph.Message{Role: schema.RoleAssistant, Content: "there is one", Timestamp: minute(16)})
	t.Stop(actiongraph.HookInput{Timestamp: minute(17)})
	t.SessionEnd(actiongraph.SessionEnd{TotalCostUSD: 0.25, TotalInputTokens: 7, Timestamp: minute(18)})
}

const played = 19

func TestTracker(t *testing.T) {
	home, ctx := open(t), context.Background()
	o := actiongraph.TrackAll()
	o.ErrorFunc = func(err error) { t.Error(err) }
	tracker := home.Tracker("", o)
	play(tracker)
	if recorded, failed := tracker.Counts(); recorded != played || failed != 0 {
		t.Errorf("%d recorded, %d failed, want %d and none", recorded, failed, played)
	}
	type row struct {
		Type                graph.ActionType
		Tool, Status, Agent string
		Parent, Text        string
	}
	actions := must(home.ActionSequence(ctx, tracker.SessionID(), true))(t)
	said := map[string]row{}
	name := func(a graph.ActionRow) string { return strings.TrimSuffix(string(a.ActionType)+"/"+a.ToolUseID, "/") }
	var got []string
	byID := map[string]string{}
	for _, a := range actions {
		byID[a.ActionID] = name(a)
	}
	for _, a := range actions {
		got = append(got, name(a))
		said[name(a)] = row{a.ActionType, a.ToolName, a.Status, a.AgentID, byID[a.ParentActionID], a.Text}
	}
	if diff := cmp.Diff([]string{
		"user_message", "tool_call/call-1", "permission_request", "tool_result/call-1", "tool_call/call-2", "tool_result/call-2",
		"tool_call/call-3", "tool_result/call-3", "tool_call/call-4", "subagent_start", "tool_call/call-5", "tool_result/call-5",
		"subagent_stop", "tool_result/call-4", "notification", "assistant_message", "turn_end",
	}, got); diff != "" {
		t.Errorf("actions (-want +got):\n%s", diff)
	}
	for name, want := range map[string]row{
		"user_message":       {graph.UserMessage, "", "completed", "", "", "list the files"},
		"permission_request": {graph.PermissionRequest, "Bash", "completed", "", "tool_call/call-1", ""},
		"tool_call/call-1":   {graph.ToolCall, "Bash", "completed", "", "", ""},
		"tool_result/call-1": {graph.ToolResult, "Bash", "completed", "", "tool_call/call-1", "a.go"},
		"tool_call/call-2":   {graph.ToolCall, "Read", "failed", "", "", ""},
		"tool_result/call-2": {graph.ToolResult, "Read", "failed", "", "tool_call/call-2", "no such file"},
		"tool_call/call-3":   {graph.ToolCall, "Search", "failed", "", "", ""},
		"tool_call/call-5":   {graph.ToolCall, "Bash", "interrupted", "agent-1", "subagent_start", ""},
		"subagent_start":     {graph.SubagentStart, "", "completed", "agent-1", "tool_call/call-4", ""},
		"subagent_stop":      {graph.SubagentStop, "", "completed", "agent-1", "subagent_start", "found it"},
		"notification":       {graph.Notification, "", "completed", "", "", "for your input"},
		"assistant_message":  {graph.AssistantMessage, "", "completed", "", "", "there is one"},
	} {
		if diff := cmp.Diff(want, said[name]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	s := must(home.Session(ctx, tracker.SessionID()))(t)
	if s.Status != "completed" || s.Model != "claude-sonnet-4-5" || s.TotalCostUSD == nil || *s.TotalCostUSD != 0.25 {
		t.Errorf("the session: %+v", s)
	}
}

// Each switch keeps out what it is named after, and nothing else.
func TestTrackerSwitches(t *testing.T) {
	count := func(o actiongraph.TrackerOptions) map[schema.Type]int {
		dir := filepath.Join(t.TempDir(), "home")
		home := must(actiongraph.Open(dir, actiongraph.Options{}))(t)
		o.ErrorFunc = func(err error) { t.Error(err) }
		play(home.Tracker("s", o))
		n := map[schema.Type]int{}
		for line := range strings.Lines(string(must(os.ReadFile(filepath.Join(dir, "journal", "s.jsonl")))(t))) {
			if strings.TrimSpace(line) != "" {
				e := must(schema.Decode([]byte(line)))(t)
				typ := e.EventType
				if typ == schema.ToolEnd && e.HookEventName == "PostToolUseFailure" {
					typ = "failure"
				}
				n[typ]++
			}
		}
		return n
	}
	all := count(actiongraph.TrackAll())
	switches := map[string][]schema.Type{
		"TrackToolCalls": {schema.ToolStart}, "TrackToolResults": {schema.ToolEnd}, "TrackMessages": {schema.Message},
		"TrackSubagents": {schema.AgentStart, schema.AgentEnd}, "TrackPermissions": {schema.Permission}, "TrackErrors": {"failure"},
	}
	for name, types := range switches {
		want := map[schema.Type]int{}
		for typ, n := range all {
			want[typ] = n
		}
		for _, typ := range types {
			if want[typ] == 0 {
				t.Errorf("%s: nothing is played of it", name)
			}
			delete(want, typ)
		}
		o := actiongraph.TrackAll()
		reflect.ValueOf(&o).Elem().FieldByName(name).SetBool(false)
		if diff := cmp.Diff(want, count(o)); diff != "" {
			t.Errorf("without %s (-want +got):\n%s", name, diff)
		}
	}
	want := map[schema.Type]int{schema.SessionStart: 1, schema.SessionEnd: 1, schema.Notification: 1, schema.TurnEnd: 1}
	if diff := cmp.Diff(want, count(actiongraph.TrackerOptions{})); diff != "" {
		t.Errorf("without any (-want +got):\n%s", diff)
	}
}

type explosive struct{}

func (explosive) MarshalJSON() ([]byte, error) { panic("boom") }

// What cannot be recorded is told, and the agent goes on.
func TestTrackerNeverFails(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "home")
	home := must(actiongraph.Open(dir, actiongraph.Options{}))(t)
	var errs []error
	o := actiongraph.TrackAll()
	o.ErrorFunc = func(err error) { errs = append(errs, err) }
	tracker := home.Tracker("s", o)
	tracker.PreToolUse(actiongraph.HookInput{ToolName: "Bash"})
	tracker.PreToolUse(actiongraph.HookInput{ToolName: "Bash", ToolUseID: "1", ToolInput: explosive{}})
	tracker.PostToolUse(actiongraph.HookInput{ToolName: "Bash", ToolUseID: "1", ToolResponse: make(chan int)})
	tracker.UserPromptSubmit(actiongraph.HookInput{Prompt: "x", Extra: map[string]any{"f": func() {}}})
	tracker.SubagentStart(actiongraph.HookInput{})
	tracker.Message(actiongraph.Message{Role: "narrator"})
	tracker.PostToolUse(actiongraph.HookInput{ToolName: "Bash", ToolUseID: "1", DurationMS: math.NaN()})
	tracker.PostToolUseFailure(actiongraph.HookInput{ToolName: "Bash", ToolUseID: "1", DurationMS: math.Inf(1)})
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	tracker.Stop(actiongraph.HookInput{})
	wants := []string{"track PreToolUse: record tool_start: invalid event: tool_use_id", "track PreToolUse: panic: boom", "track PostToolUse: tool_response",
		"track UserPromptSubmit: extra", "track SubagentStart: record agent_start: invalid event: agent_id", "track Message: record message: invalid event: role",
		"track PostToolUse: record tool_end: invalid event: duration_ms", "track PostToolUseFailure: record tool_end: invalid event: duration_ms", "track Stop: record turn_end: journal"}
	for i, want := range wants {
		if i >= len(errs) || !strings.HasPrefix(errs[i].Error(), want) {
			t.Errorf("error %d of %v, want %q…", i, errs, want)
		}
	}
	if recorded, failed := tracker.Counts(); recorded != 0 || failed != int64(len(wants)) {
		t.Errorf("%d recorded, %d failed", recorded, failed)
	}
	if !errors.Is(errs[0], schema.ErrInvalid) {
		t.Errorf("%v is no ErrInvalid", errs[0])
	}
	home.Tracker("s", actiongraph.TrackAll()).Stop(actiongraph.HookInput{}) // nobody is told
}

// The hooks are those that create_tracking_hooks of actions-graph 0.1.2 registers, and
// each is the method of its name.
func TestTrackerHooks(t *testing.T) {
	home := open(t)
	var mu sync.Mutex
	var names []string
	o := actiongraph.TrackAll()
	o.ErrorFunc = func(err error) {
		mu.Lock()
		defer mu.Unlock()
		names = append(names, strings.TrimSuffix(strings.Fields(err.Error())[1], ":"))
	}
	hooks := home.Tracker("s", o).Hooks()
	want := []string{"PreToolUse", "PostToolUse", "PostToolUseFailure", "UserPromptSubmit", "SubagentStart", "SubagentStop",
		"PermissionRequest", "Notification", "Stop"}
	var all sync.WaitGroup
	for _, name := range want {
		if hooks[name] == nil {
			t.Fatalf("no hook %s", name)
		}
		all.Go(func() { hooks[name](actiongraph.HookInput{Extra: map[string]any{"bad": func() {}}}) })
	}
	all.Wait()
	slices.Sort(want)
	slices.Sort(names)
	if diff := cmp.Diff(want, names); diff != "" || len(hooks) != len(want) {
		t.Errorf("hooks (-want +got):\n%s", diff)
	}
}
