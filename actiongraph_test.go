package actiongraph_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/actiongraph/actiongraph"
	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/schema"
)

func open(t *testing.T) *actiongraph.Home {
	t.Helper()
	home, err := actiongraph.Open(filepath.Join(t.TempDir(), "home"), actiongraph.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { home.Close() })
	return home
}

// must is for calls that cannot fail in a test that means anything.
func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func minute(n int) time.Time { return time.Date(2026, 11, 20, 9, n, 0, 0, time.UTC) }

// Ids that a caller is given must be ids that it can ask for: of every type of
// event that is an action.
func TestRecordedIDsAreInTheGraph(t *testing.T) {
	home, ctx := open(t), context.Background()
	rec := home.Recorder("")
	must(rec.RecordSessionStart(actiongraph.Session{SessionID: "s", Timestamp: minute(0)}))(t)
	want := map[string]graph.ActionType{}
	numbered := 0
	add := func(r actiongraph.Recorded, typ graph.ActionType) {
		if r.ActionID == "" {
			numbered++
			return
		}
		want[r.ActionID] = typ
	}

	call := must(rec.RecordToolCall(actiongraph.ToolCall{SessionID: "s", ToolName: "Bash", Timestamp: minute(1)}))(t)
	if call.ToolUseID == "" {
		t.Fatal("a tool call without an id got none")
	}
	add(call, graph.ToolCall)
	add(must(rec.RecordToolResult(actiongraph.ToolResult{SessionID: "s", ToolUseID: call.ToolUseID, Timestamp: minute(2)}))(t), graph.ToolResult)
	for role, typ := range map[string]graph.ActionType{
		schema.RoleUser: graph.UserMessage, schema.RoleAssistant: graph.AssistantMessage, schema.RoleSystem: graph.SystemMessage,
	} {
		add(must(rec.RecordMessage(actiongraph.Message{SessionID: "s", Role: role, Content: role, Timestamp: minute(3)}))(t), typ)
	}
	for typ, action := range map[schema.Type]graph.ActionType{
		schema.AgentStart: graph.SubagentStart, schema.AgentEnd: graph.SubagentStop, schema.LLMEnd: graph.LLMCall,
		schema.Handoff: graph.Handoff, schema.Error: graph.ErrorEvent, schema.Permission: graph.PermissionRequest,
		schema.RateLimit: graph.RateLimitEvent, schema.StructuredOutput: graph.StructuredOutput,
		schema.Notification: graph.Notification, schema.Task: graph.Task, schema.Context: graph.Context,
		schema.Memory: graph.Memory, schema.Callback: graph.Callback, schema.Decision: graph.Decision,
		schema.Skill: graph.Skill, schema.Unknown: graph.Unknown, schema.TurnEnd: graph.TurnEnd,
		schema.Compaction: graph.Compaction,
	} {
		e := schema.Event{EventType: typ, SessionID: "s", Timestamp: minute(4)}
		switch typ {
		case schema.AgentStart, schema.AgentEnd:
			e.AgentID = "agent-1"
		case schema.Permission:
			e.ToolUseID = call.ToolUseID
		}
		add(must(rec.RecordAction(e))(t), action)
	}

	must(rec.RecordAction(schema.Event{EventType: schema.Permission, SessionID: "s", ToolName: "Bash", Timestamp: minute(5)}))(t)
	numbered++

	for id, typ := range want {
		got, err := home.Action(ctx, id)
		if err != nil {
			t.Errorf("%s: %v", typ, err)
		} else if got.ActionType != typ {
			t.Errorf("action %s is a %s, want %s", id, got.ActionType, typ)
		}
	}
	all := must(home.ActionSequence(ctx, "s", false))(t)
	if len(all) != len(want)+numbered || numbered != 3 {
		t.Errorf("%d actions in the graph, %d recorded with an id and %d of 3 without", len(all), len(want), numbered)
	}
}

func TestRecordingAFactAgainChangesNothing(t *testing.T) {
	home, ctx := open(t), context.Background()
	rec := home.Recorder("")
	record := func(at int) {
		must(rec.RecordSessionStart(actiongraph.Session{SessionID: "s", Key: "1", Tags: []string{"x"}, Timestamp: minute(0)}))(t)
		must(rec.RecordMessage(actiongraph.Message{SessionID: "s", Role: "user", Content: "hi", Key: "m", Timestamp: minute(at)}))(t)
		must(rec.RecordToolCall(actiongraph.ToolCall{SessionID: "s", ToolName: "Bash", ToolUseID: "t", Timestamp: minute(at + 1)}))(t)
		must(rec.RecordToolResult(actiongraph.ToolResult{SessionID: "s", ToolName: "Bash", ToolUseID: "t", Timestamp: minute(at + 2)}))(t)
		must(rec.EndSession(actiongraph.SessionEnd{SessionID: "s", Key: "1", Timestamp: minute(30)}))(t)
	}
	load := func() *graph.Graph {
		return must(must(home.Reader(ctx))(t).Load(ctx, "s"))(t)
	}
	record(0)
	once := load()
	if len(once.Nodes()) < 5 { // the session, three actions, a tool
		t.Fatalf("%d nodes", len(once.Nodes()))
	}
	record(10)
	for _, change := range graph.Diff(once, load()) {
		t.Error(change)
	}
	// And what has no key is a fact of its own.
	must(rec.RecordMessage(actiongraph.Message{SessionID: "s", Role: "user", Content: "hi", Timestamp: minute(20)}))(t)
	must(rec.RecordMessage(actiongraph.Message{SessionID: "s", Role: "user", Content: "hi", Timestamp: minute(20)}))(t)
	if n := must(home.SessionSummary(ctx, "s"))(t).MessageCount; n != 3 {
		t.Errorf("%d messages, want 3", n)
	}
}

func TestSessionsAreRead(t *testing.T) {
	home, ctx := open(t), context.Background()
	rec := home.Recorder("my-agent")
	for i, id := range []string{"one", "two", "three"} {
		must(rec.RecordSessionStart(actiongraph.Session{
			SessionID: id, Title: "title of " + id, Model: "m", WorkingDirectory: "/w", Host: "h", UserID: "u",
			Tags: []string{"tag-" + id}, Timestamp: minute(i),
		}))(t)
	}
	must(rec.EndSession(actiongraph.SessionEnd{SessionID: "two", Status: schema.StatusFailed, Timestamp: minute(9)}))(t)

	ids := func(f graph.SessionFilter) (ids []string) {
		for _, row := range must(home.Sessions(ctx, f))(t) {
			ids = append(ids, row.SessionID)
		}
		return ids
	}
	for _, tc := range []struct {
		name string
		f    graph.SessionFilter
		want []string
	}{
		{"all, newest first", graph.SessionFilter{}, []string{"three", "two", "one"}},
		{"limit", graph.SessionFilter{Limit: 1}, []string{"three"}},
		{"status", graph.SessionFilter{Status: schema.StatusFailed}, []string{"two"}},
		{"tag", graph.SessionFilter{Tag: "tag-one"}, []string{"one"}},
	} {
		if diff := cmp.Diff(tc.want, ids(tc.f)); diff != "" {
			t.Errorf("%s: -want +got:\n%s", tc.name, diff)
		}
	}

	got := must(home.Session(ctx, "two"))(t)
	want := graph.SessionRow{
		SessionID: "two", Title: "title of two", Status: schema.StatusFailed, StartedAt: minute(1), EndedAt: minute(9),
		LastEventAt: minute(9), Model: "m", SourceSDK: "my-agent", WorkingDirectory: "/w", Host: "h", User: "u",
		Tags: []string{"tag-two"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	// A prefix is not a session.
	if _, err := home.Session(ctx, "tw"); !errors.Is(err, graph.ErrNotFound) {
		t.Errorf("Session of a prefix: %v, want ErrNotFound", err)
	}
	if _, err := home.Action(ctx, "nothing"); !errors.Is(err, graph.ErrNotFound) {
		t.Errorf("Action of no id: %v, want ErrNotFound", err)
	}
}

func TestForeignSessionID(t *testing.T) {
	home, ctx := open(t), context.Background()
	const foreign = "../../etc/passwd"
	r := must(home.Recorder("").RecordMessage(actiongraph.Message{SessionID: foreign, Role: "user", Content: "x"}))(t)
	if !schema.ValidID(r.SessionID) {
		t.Errorf("session id %q", r.SessionID)
	}
	s := must(home.Session(ctx, foreign))(t)
	if s.SessionID != r.SessionID || s.ActionCount != 1 {
		t.Errorf("got %+v", s)
	}
	node := must(must(home.Reader(ctx))(t).Load(ctx, r.SessionID))(t).Node(graph.Ref{Label: graph.LabelSession, Key: r.SessionID})
	if got := graph.RenderProps(node.Props); got["session_id_original"] != foreign {
		t.Errorf("the original id is nowhere in %v", got)
	}
}

func TestInvalidEventsAreRefused(t *testing.T) {
	rec := open(t).Recorder("")
	for name, err := range map[string]error{
		"session_id":  second(rec.RecordMessage(actiongraph.Message{Role: "user"})),
		"role":        second(rec.RecordMessage(actiongraph.Message{SessionID: "s", Role: "narrator"})),
		"tool_use_id": second(rec.RecordToolResult(actiongraph.ToolResult{SessionID: "s"})),
		"tool_input":  second(rec.RecordToolCall(actiongraph.ToolCall{SessionID: "s", ToolInput: make(chan int)})),
		"content":     second(rec.RecordToolResult(actiongraph.ToolResult{SessionID: "s", ToolUseID: "t", Content: func() {}})),
		"event_type":  second(rec.RecordAction(schema.Event{SessionID: "s", EventType: "dance"})),
		"tags":        second(rec.RecordAction(schema.Event{SessionID: "s", EventType: schema.Tag})),
	} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: got the error %v", name, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// A secret that a caller passes is nowhere on the disk.
func TestSecretsAreNotRecorded(t *testing.T) {
	dir := t.TempDir()
	home := must(actiongraph.Open(dir, actiongraph.Options{}))(t)
	secret := "ghp_" + strings.Repeat("aB3dE6gH9j", 4)[:36]
	rec := home.Recorder("")
	must(rec.RecordToolCall(actiongraph.ToolCall{SessionID: "s", ToolName: "Bash", ToolInput: map[string]any{"command": "GITHUB_TOKEN=" + secret + " gh api"}}))(t)
	must(rec.RecordMessage(actiongraph.Message{SessionID: "s", Role: "user", Content: "my token is " + secret}))(t)
	if n := must(home.SessionSummary(context.Background(), "s"))(t).ActionCount; n != 2 {
		t.Fatalf("%d actions, want 2", n)
	}
	if err := home.Close(); err != nil {
		t.Fatal(err)
	}
	files := 0
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files++
		content, err := os.ReadFile(path)
		if strings.Contains(string(content), secret) {
			t.Errorf("%s holds the secret", path)
		}
		return err
	})
	if err != nil || files < 2 {
		t.Fatalf("%d files, %v", files, err)
	}
}

// While another process writes to the store, what is there is the answer; Sync says
// why it is not more.
func TestStoreLockedByAnotherProcess(t *testing.T) {
	dir, ctx := t.TempDir(), context.Background()
	home := must(actiongraph.Open(dir, actiongraph.Options{LockWait: time.Millisecond}))(t)
	defer home.Close()
	rec := home.Recorder("")
	must(rec.RecordMessage(actiongraph.Message{SessionID: "s", Role: "user", Content: "one"}))(t)
	must(home.Sync(ctx))(t)
	must(rec.RecordMessage(actiongraph.Message{SessionID: "s", Role: "user", Content: "two"}))(t)

	other := must(actiongraph.Open(dir, actiongraph.Options{LockWait: time.Millisecond}))(t)
	defer other.Close()
	lock := must(connector.LockHome(dir, connector.GraphLock, 0))(t)
	for name, h := range map[string]*actiongraph.Home{"the store is open": home, "it is not": other} {
		if _, err := h.Sync(ctx); !errors.Is(err, connector.ErrLocked) {
			t.Errorf("%s: Sync: %v, want ErrLocked", name, err)
		}
		if n := must(h.SessionSummary(ctx, "s"))(t).ActionCount; n != 1 {
			t.Errorf("%s: %d actions while locked, want the 1 that was there", name, n)
		}
	}
	if err := lock.Unlock(); err != nil {
		t.Fatal(err)
	}
	for _, h := range []*actiongraph.Home{home, other} {
		if n := must(h.SessionSummary(ctx, "s"))(t).ActionCount; n != 2 {
			t.Errorf("%d actions after the lock was released, want 2", n)
		}
	}
}

func TestActionsOfNoSession(t *testing.T) {
	home, err := actiongraph.Open(t.TempDir(), actiongraph.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer home.Close()
	if _, err := home.Recorder("test").RecordMessage(actiongraph.Message{SessionID: "there", Role: "user", Content: "hello"}); err != nil {
		t.Fatal(err)
	}
	for _, session := range []string{"", "elsewhere"} {
		if _, err := home.Actions(t.Context(), graph.ActionFilter{Session: session}); !errors.Is(err, graph.ErrNotFound) {
			t.Errorf("session %q: %v, want graph.ErrNotFound", session, err)
		}
	}
	if a, err := home.Actions(t.Context(), graph.ActionFilter{Session: "there", Tool: "Bash"}); err != nil || len(a) != 0 {
		t.Errorf("a session without such actions: %v, %v", a, err)
	}
}
