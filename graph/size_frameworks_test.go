package graph_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/schema"
)

// steadyGrains calls f with the events of a namespace of n Action grains, of which each is
// a call and its result of one time. With newest they come backwards; with chained all are
// part of one task, tagged, and each is related to the one before it.
func steadyGrains(session string, n int, newest, chained bool, f func(*schema.Event)) {
	at := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	hash := func(i int) string { return fmt.Sprintf("%064x", i*7919) }
	extra := json.RawMessage(`{"grain_type":"action","namespace":"size"}`)
	for k := range n {
		i := k
		if newest {
			i = n - 1 - k
		}
		e := schema.Event{V: schema.Version, SessionID: session, SourceSDK: "oms", Origin: schema.OriginAudit,
			Timestamp: at.Add(time.Duration(i) * 37 * time.Millisecond), Host: "host", ToolName: "web_search", ToolUseID: hash(i)}
		start, end := e, e
		start.EventType, start.EventID, start.Extra = schema.ToolStart, schema.EventID(e.Origin, "tool_start", e.ToolUseID), extra
		start.ToolInput = json.RawMessage(fmt.Sprintf(`{"query":"weather in town %d"}`, i))
		start.InputHash = fmt.Sprintf("%032d", i)
		if chained {
			start.ParentTaskID, start.Tags, start.RelatedTo = "task-001", []string{"api-call"}, []string{hash(i - 1)}
		}
		f(&start)
		ms := 340.0
		end.EventType, end.EventID, end.DurationMS = schema.ToolEnd, schema.EventID(e.Origin, "tool_end", e.ToolUseID), &ms
		end.Result = json.RawMessage(fmt.Sprintf(`"72F, partly cloudy in town %d"`, i))
		f(&end)
	}
}

// steadyRuns calls f with the events of an audit dump of about n actions: runs of agents, a
// tenth of them called by another one, as their records have them.
func steadyRuns(session string, n int, f func(*schema.Event)) {
	at := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	for run := range n / 10 {
		k := int64(0)
		id, lane := "", fmt.Sprintf("run-7-%07d", run)
		emit := func(t schema.Type, e schema.Event) {
			k++
			e.V, e.SessionID, e.SourceSDK, e.Origin, e.EventType = schema.Version, session, "agent-framework", schema.OriginAudit, t
			e.Timestamp, e.Seq, e.AgentID, e.Host = at.Add(time.Duration(run)*3*time.Second), int64(run+1)*1000+k, lane, "host"
			e.EventID = schema.EventID(e.Origin, string(t), session, fmt.Sprint(e.Seq))
			id = e.EventID
			f(&e)
		}
		start := schema.Event{AgentName: "orchestrator", AgentType: "orchestrator", Content: "cause of it", Extra: json.RawMessage(`{"caller_id":null}`)}
		decision := schema.Event{HookEventName: "agent_decision", Title: "call_tool", ToolName: "run_shell", Extra: json.RawMessage(`{"parameters":{"query":"x"}}`)}
		switch run % 10 {
		case 3: // records are written when a run ends: this one is called by the next
			start.AgentName, start.ParentAgentName = "tester", fmt.Sprintf("run-7-%07d", run+1)
			start.Extra = json.RawMessage(fmt.Sprintf(`{"caller_id":%q}`, start.ParentAgentName))
		case 4:
			decision.Title, decision.ToolName, decision.ToAgent = "delegate", "", "tester"
		}
		emit(schema.AgentStart, start)
		emit(schema.Message, schema.Event{Role: schema.RoleSystem, Content: "You are orchestrator."})
		emit(schema.Message, schema.Event{Role: schema.RoleUser, Content: fmt.Sprintf("do step %d", run)})
		emit(schema.LLMStart, schema.Event{Model: "opus", Extra: json.RawMessage(`{"request":{"model":"opus"}}`)})
		emit(schema.LLMEnd, schema.Event{CausedBy: id, Content: `{"kind":"call_tool"}`, Extra: json.RawMessage(`{"model_response":{"kind":"call_tool"}}`)})
		emit(schema.Decision, decision)
		emit(schema.ToolStart, schema.Event{ToolName: "run_shell", ToolUseID: fmt.Sprintf("%032x", run), ToolInput: json.RawMessage(fmt.Sprintf(`{"query":"x %d"}`, run))})
		emit(schema.Context, schema.Event{HookEventName: "event", Title: "tool_result", Content: "found it", Extra: json.RawMessage(`{"name":"tool_result","ok":true}`)})
		emit(schema.AgentEnd, schema.Event{Status: schema.StatusCompleted, Extra: json.RawMessage(`{"end_time":"unknown"}`)})
		lane = ""
		emit(schema.Message, schema.Event{Role: schema.RoleAssistant, Content: fmt.Sprintf("did step %d", run)})
	}
}

// A namespace has as many grains as anybody adds, and what one costs does not grow with
// them, whichever comes first.
func BenchmarkApplyRecords(b *testing.B) {
	for _, n := range []int{10_000, 100_000, 1_000_000} {
		for _, c := range []struct {
			name string
			play func(f func(*schema.Event))
		}{
			{"grains", func(f func(*schema.Event)) { steadyGrains("bench", n, false, false, f) }},
			{"grains of one task, related", func(f func(*schema.Event)) { steadyGrains("bench", n, false, true, f) }},
			{"grains of one task, newest first", func(f func(*schema.Event)) { steadyGrains("bench", n, true, true, f) }},
			{"runs", func(f func(*schema.Event)) { steadyRuns("bench", n, f) }},
		} {
			b.Run(fmt.Sprint(n, " ", c.name), func(b *testing.B) {
				events := 0
				for b.Loop() {
					s := graph.NewSession("bench", "journal0")
					c.play(func(e *schema.Event) {
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
}

// The room of a large batch serves the next one: what a fold gives then is what one gives
// that takes each event alone, also where batches are small in between.
func TestRoomIsUsedAgain(t *testing.T) {
	alone, inBatches := graph.New(), graph.New()
	one, many := graph.NewSession("size", "journal0"), graph.NewSession("size", "journal0")
	var room []graph.Op
	n, large := 0, 0
	take := func() {
		room = many.TakeInto(room)
		inBatches.Apply(room...)
		if len(room) > 2000 {
			large++
		}
		clear(room)
	}
	play := func(e *schema.Event) {
		one.Apply(e)
		alone.Apply(one.Take()...)
		many.Apply(e)
		if n++; n%1000 == 0 || n%1000 < 4 {
			take()
		}
	}
	steadyRuns("size", 5000, play)
	steadyGrains("size", 2000, true, true, play)
	take()
	if large < 5 {
		t.Fatalf("only %d batches were large", large)
	}
	if diff := graph.Diff(alone, inBatches); len(diff) > 0 {
		t.Fatalf("%d differences, first %v", len(diff), diff[0])
	}
}
