package graph_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/schema"
)

// shapes are sessions of n steps that are long in one way each: what a lookup that
// walks a list would make quadratic.
var shapes = []struct {
	name  string
	build func(n int, emit func(schema.Event))
}{
	{"one command, permission each time", func(n int, emit func(schema.Event)) {
		for i := range n {
			e := call(i, "ls")
			emit(e)
			ask := e
			ask.EventType, ask.ToolUseID = schema.Permission, ""
			emit(ask)
			e.EventType = schema.ToolEnd
			emit(e)
			e.EventType = schema.ToolBatch
			emit(e)
		}
	}},
	{"an agent each step", func(n int, emit func(schema.Event)) {
		for i := range n {
			spawn := call(i, "")
			spawn.ToolName = "Agent"
			emit(spawn)
			lane := "a" + spawn.ToolUseID
			meta := json.RawMessage(`{"agent":{"toolUseId":"` + spawn.ToolUseID + `"}}`)
			emit(schema.Event{EventType: schema.AgentStart, AgentID: lane})
			inner := call(n+i, fmt.Sprint(i))
			inner.AgentID, inner.Metadata = lane, meta
			emit(inner)
			inner.EventType = schema.ToolEnd
			emit(inner)
			emit(schema.Event{EventType: schema.AgentEnd, AgentID: lane, Content: "done", Metadata: meta})
			spawn.EventType, spawn.Result = schema.ToolEnd, json.RawMessage(`{"agentId":"`+lane+`"}`)
			emit(spawn)
		}
	}},
	{"agents in agents", func(n int, emit func(schema.Event)) {
		lane := ""
		for i := range n {
			spawn := call(i, "")
			spawn.ToolName, spawn.AgentID = "Agent", lane
			emit(spawn)
			meta := fmt.Sprintf(`{"agent":{"toolUseId":%q,"parentAgentId":%q}}`, spawn.ToolUseID, lane)
			lane = "a" + spawn.ToolUseID
			emit(schema.Event{EventType: schema.AgentStart, AgentID: lane, Metadata: json.RawMessage(meta)})
			if i%5 == 4 {
				lane = ""
			}
		}
	}},
	{"an agent that starts again", func(n int, emit func(schema.Event)) {
		for i := range n {
			emit(schema.Event{EventType: schema.AgentStart, AgentID: "a"})
			e := call(i, fmt.Sprint(i))
			e.AgentID = "a"
			emit(e)
		}
	}},
	{"one prompt", func(n int, emit func(schema.Event)) {
		for range n {
			emit(schema.Event{EventType: schema.Message, Role: schema.RoleUser, Content: "continue"})
		}
	}},
	{"one notification", func(n int, emit func(schema.Event)) {
		for range n {
			emit(schema.Event{EventType: schema.Notification, Content: "waiting"})
		}
	}},
	{"one lane of turns", func(n int, emit func(schema.Event)) { turns(n, emit) }},
	{"the transcript after the hooks", func(n int, emit func(schema.Event)) {
		for _, line := range turns(n, emit) {
			emit(line)
		}
	}},
	{"calls that hang", func(n int, emit func(schema.Event)) {
		for i := range n {
			emit(call(i, fmt.Sprint(i)))
			emit(schema.Event{EventType: schema.SessionEnd})
			emit(schema.Event{EventType: schema.SessionStart, Reason: "resume"})
		}
	}},
}

func call(i int, command string) schema.Event {
	return schema.Event{EventType: schema.ToolStart, ToolName: "Bash", ToolUseID: fmt.Sprint("t", i), PromptID: fmt.Sprint(i / 10),
		ToolInput: json.RawMessage(`{"command":"` + command + `"}`)}
}

// turns emits n turns of one call, and returns what a transcript has of them.
func turns(n int, emit func(schema.Event)) (lines []schema.Event) {
	start := time.Unix(0, 0)
	for i := range n {
		prompt := schema.Event{EventType: schema.Message, Role: schema.RoleUser, Content: "go on", PromptID: fmt.Sprint(i)}
		emit(prompt)
		e := call(i, fmt.Sprint(i))
		emit(e)
		e.EventType = schema.ToolEnd
		emit(e)
		emit(schema.Event{EventType: schema.TurnEnd, Content: fmt.Sprint(i)})
		at := start.Add(time.Duration(4*i) * time.Second)
		prompt.Origin, prompt.Seq, prompt.Timestamp = schema.OriginTranscript, int64(2*i), at.Add(-time.Millisecond)
		e.Origin, e.Seq, e.Timestamp = schema.OriginTranscript, int64(2*i+1), at.Add(1500*time.Millisecond)
		lines = append(lines, prompt, e)
	}
	return lines
}

// BenchmarkShapes reports the cost of one event: it must not grow with the session.
func BenchmarkShapes(b *testing.B) {
	for _, shape := range shapes {
		for _, n := range []int{1_000, 10_000} {
			b.Run(fmt.Sprintf("%s/%d", shape.name, n), func(b *testing.B) {
				events := 0
				for b.Loop() {
					s := graph.NewSession("shape", "journal0")
					k := int64(0)
					shape.build(n, func(e schema.Event) {
						k++
						e.SessionID, e.EventID = "shape", fmt.Sprint(k)
						if e.Origin == "" {
							e.Origin, e.Timestamp = schema.OriginHook, time.Unix(k, 0)
						}
						s.Apply(&e)
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
