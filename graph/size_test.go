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

// steadyTranscript calls f with the events of the transcript of a session like that of
// steadySession, as it is followed: a prompt, ten times a call of the model (what it used,
// a thought, a text, the call of a tool, its result), the end of the turn. With hooks the
// same session's hooks come between.
func steadyTranscript(session string, n int, hooks bool, f func(*schema.Event)) {
	at := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	line, k := int64(0), int64(0)
	figure := func(n int) *int64 { v := int64(n); return &v }
	emit := func(origin schema.Origin, name string, e schema.Event) {
		at = at.Add(7 * time.Millisecond)
		k++
		e.V, e.SessionID, e.SourceSDK, e.Origin, e.HookEventName = schema.Version, session, "claude-code", origin, name
		e.Timestamp, e.Host, e.WorkingDirectory = at, "host", "/home/dev/repo"
		e.EventID = schema.EventID(origin, string(e.EventType), fmt.Sprint(k))
		if origin == schema.OriginTranscript {
			line++
			e.Seq = line * 1000
		} else if !hooks {
			return
		}
		f(&e)
	}
	hook, file := schema.OriginHook, schema.OriginTranscript
	for i := range n {
		prompt := fmt.Sprintf("p%d", i/10)
		if i%10 == 0 {
			e := schema.Event{EventType: schema.Message, Role: schema.RoleUser, Content: fmt.Sprintf("please do step %d", i), PromptID: prompt}
			emit(hook, "UserPromptSubmit", e)
			emit(file, "user", e)
		}
		message, id := fmt.Sprintf("msg_%08d", i), fmt.Sprintf("toolu_%08d", i)
		said := schema.Event{EventType: schema.Message, Role: schema.RoleAssistant, Model: "opus", MessageID: message}
		said.Content, said.Reason = fmt.Sprintf("I think of %d", i), "thinking"
		emit(file, "assistant", schema.Event{EventType: schema.LLMEnd, Model: "opus", MessageID: message, Reason: "tool_use",
			InputTokens: figure(3), OutputTokens: figure(i), CacheReadInputTokens: figure(1000), CacheCreationInputTokens: figure(10)})
		emit(file, "assistant", said)
		said.Content, said.Reason = fmt.Sprintf("I do %d", i), ""
		emit(file, "assistant", said)
		call := schema.Event{EventType: schema.ToolStart, PromptID: prompt, ToolName: "Bash", ToolUseID: id,
			ToolInput: json.RawMessage(fmt.Sprintf(`{"command":"go test ./pkg%d/..."}`, i)), InputHash: fmt.Sprintf("%032d", i)}
		emit(file, "assistant", call)
		emit(hook, "PreToolUse", call)
		call.EventType, call.Result = schema.ToolEnd, json.RawMessage(fmt.Sprintf(`{"stdout":"ok pkg%d"}`, i))
		emit(hook, "PostToolUse", call)
		call.EventType = schema.ToolBatch
		emit(hook, "PostToolBatch", call)
		emit(file, "user", schema.Event{EventType: schema.ToolEnd, PromptID: prompt, ToolUseID: id, Result: call.Result})
		if i%10 == 9 {
			emit(hook, "Stop", schema.Event{EventType: schema.TurnEnd, PromptID: prompt, Content: fmt.Sprintf("step %d is done", i)})
			emit(file, "stop_hook_summary", schema.Event{EventType: schema.TurnEnd,
				Extra: json.RawMessage(fmt.Sprintf(`{"hookCount":1,"hookInfos":[{"command":"ag-hook","durationMs":%d}]}`, i))})
		}
	}
}

// maxStateBytes is what a folded session may hold an action (design.md §5). Of a model call
// that is some 20 bytes for the id of its end (told), which runs have here, one in ten actions.
const maxStateBytes = 300

func TestStateIsSmall(t *testing.T) {
	const calls = 50_000
	for name, play := range map[string]func(string, int, func(*schema.Event)){
		"hooks":      steadySession,
		"transcript": func(id string, n int, f func(*schema.Event)) { steadyTranscript(id, n, false, f) },
		"both":       func(id string, n int, f func(*schema.Event)) { steadyTranscript(id, n, true, f) },
		"grains":     func(id string, n int, f func(*schema.Event)) { steadyGrains(id, n, false, false, f) },
		"chained":    func(id string, n int, f func(*schema.Event)) { steadyGrains(id, n, false, true, f) },
		"runs":       func(id string, n int, f func(*schema.Event)) { steadyRuns(id, 4*n, f) },
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			s := graph.NewSession("size", "journal0")
			runtime.GC()
			runtime.ReadMemStats(&before)
			actions := 0
			play("size", calls, func(e *schema.Event) {
				s.Apply(e)
				for _, op := range s.Take() {
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
		})
	}
}

// batch is about how many events a catch-up folds at a time.
const batch = 500

// BenchmarkApply reports the cost of one event in a session that grows to a million
// of them.
func BenchmarkApply(b *testing.B) {
	for _, calls := range []int{1_000, 10_000, 100_000} {
		b.Run(fmt.Sprint(calls), func(b *testing.B) {
			events := 0
			for b.Loop() {
				s := graph.NewSession("bench", "journal0")
				steadySession("bench", calls, func(e *schema.Event) {
					s.Apply(e)
					if events++; events%batch == 0 {
						s.Take()
					}
				})
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(events), "ns/event")
		})
		b.Run(fmt.Sprint(calls, " with a transcript"), func(b *testing.B) {
			events := 0
			for b.Loop() {
				s := graph.NewSession("bench", "journal0")
				steadyTranscript("bench", calls, true, func(e *schema.Event) {
					s.Apply(e)
					if events++; events%batch == 0 {
						s.Take()
					}
				})
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(events), "ns/event")
		})
	}
}
