package graph_test

import (
	"encoding/json"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/schema"
)

// steadySession calls f with the events of a session of n tool calls as hooks report
// it: a prompt, ten calls (start, end, batch), a stop, and so on.
func steadySession(session string, n int, f func(*schema.Event)) {
	at := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	ms := 12.0
	emit := func(e schema.Event, kind string, key string) {
		at = at.Add(37 * time.Millisecond)
		e.V, e.SessionID, e.SourceSDK, e.Origin = schema.Version, session, "claude-code", schema.OriginHook
		e.Timestamp, e.Host, e.WorkingDirectory = at, "host", "/home/dev/repo"
		e.EventID = schema.EventID(schema.OriginHook, kind, key)
		e.Extra = json.RawMessage(`{"transcript_path":"/home/dev/t.jsonl","permission_mode":"acceptEdits","effort":{"level":"high"}}`)
		f(&e)
	}
	for i := range n {
		prompt := fmt.Sprintf("p%d", i/10)
		if i%10 == 0 {
			emit(schema.Event{EventType: schema.Message, HookEventName: "UserPromptSubmit", Role: schema.RoleUser,
				Content: fmt.Sprintf("please do step %d of the plan", i), PromptID: prompt}, "prompt", prompt)
		}
		id := fmt.Sprintf("toolu_%08d", i)
		input := json.RawMessage(fmt.Sprintf(`{"command":"go test ./pkg%d/...","description":"run the tests of package %d"}`, i, i))
		call := schema.Event{PromptID: prompt, ToolName: "Bash", ToolUseID: id, ToolInput: input, InputHash: fmt.Sprintf("%032d", i)}
		start, end, batch := call, call, call
		start.EventType, start.HookEventName = schema.ToolStart, "PreToolUse"
		emit(start, "pre", id)
		end.EventType, end.HookEventName, end.DurationMS = schema.ToolEnd, "PostToolUse", &ms
		end.Result = json.RawMessage(fmt.Sprintf(`{"stdout":"ok pkg%d 0.%03ds","stderr":"","interrupted":false}`, i, i%1000))
		emit(end, "post", id)
		batch.EventType, batch.HookEventName = schema.ToolBatch, "PostToolBatch"
		batch.Result = json.RawMessage(fmt.Sprintf(`"ok pkg%d 0.%03ds"`, i, i%1000))
		emit(batch, "batch", id)
		if i%10 == 9 {
			emit(schema.Event{EventType: schema.TurnEnd, HookEventName: "Stop", PromptID: prompt,
				Content: fmt.Sprintf("step %d is done", i)}, "Stop", at.String())
		}
	}
}

// maxStateBytes is what a folded session may hold an action (design.md §5).
const maxStateBytes = 600

func TestStateIsSmall(t *testing.T) {
	const calls = 100_000
	var before, after runtime.MemStats
	s := graph.NewSession("size", "journal0")
	runtime.GC()
	runtime.ReadMemStats(&before)
	actions := 0
	steadySession("size", calls, func(e *schema.Event) {
		for _, op := range s.Apply(e) {
			if op.Kind == graph.PutEdge && op.Edge.Type == graph.HasAction {
				actions++
			}
		}
	})
	runtime.GC()
	runtime.ReadMemStats(&after)
	runtime.KeepAlive(s)
	per := float64(after.HeapAlloc-before.HeapAlloc) / float64(actions)
	t.Logf("%d actions, %.0f bytes each", actions, per)
	if per > maxStateBytes {
		t.Errorf("%.0f bytes an action, want at most %d", per, maxStateBytes)
	}
}

// BenchmarkApply reports the cost of one event in a session that grows to a million
// of them.
func BenchmarkApply(b *testing.B) {
	for _, calls := range []int{1_000, 10_000, 100_000} {
		b.Run(fmt.Sprint(calls), func(b *testing.B) {
			events := 0
			for b.Loop() {
				s := graph.NewSession("bench", "journal0")
				steadySession("bench", calls, func(e *schema.Event) { s.Apply(e); events++ })
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(events), "ns/event")
		})
	}
}
