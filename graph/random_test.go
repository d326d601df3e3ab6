package graph_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph/schema"
)

// randomSession returns events of a small world: few ids, texts and times, so that
// facts collide, contradict each other and come from every origin.
func randomSession(r *rand.Rand, session string, n int) []schema.Event {
	base := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	var out []schema.Event
	for range n {
		e := schema.Event{
			V: schema.Version, SessionID: session, SourceSDK: "claude-code", Host: pick("h1", "h2"),
			Timestamp: base.Add(time.Duration(r.IntN(400)) * 150 * time.Millisecond),
			Origin:    schema.Origin(pick("hook", "hook", "hook", "transcript", "api")),
			AgentID:   pick("", "", "", "a1", "a2", "a3"),
			PromptID:  pick("", "p1", "p2"),
		}
		if e.Origin == schema.OriginTranscript {
			e.Seq = int64(1 + r.IntN(50))
		}
		fillRandom(r, &e, pick)
		if e.EventID == "" {
			e.EventID = schema.EventID(e.Origin, string(e.EventType), fmt.Sprint(r.IntN(3*n)))
		}
		out = append(out, e)
	}
	return out
}

func fillRandom(r *rand.Rand, e *schema.Event, pick func(...string) string) {
	tool := func() {
		e.ToolUseID = pick("t1", "t2", "t3", "t4", "t5")
		e.ToolName = pick("Bash", "Bash", "Agent", "Read", "mcp__s__x")
		e.ToolInput = json.RawMessage(pick(`{"command":"ls"}`, `{"command":"pwd","x":"1"}`, `{"file_path":"/w/a"}`,
			`{"description":"d","prompt":"p"}`))
		if r.IntN(3) == 0 {
			e.Metadata = json.RawMessage(`{"repo_root":"/w"}`)
		}
	}
	spawnMeta := func() {
		if e.AgentID != "" && r.IntN(3) == 0 {
			e.Metadata = json.RawMessage(fmt.Sprintf(`{"agent":{"toolUseId":%q,"agentType":"Explore","parentAgentId":%q}}`,
				pick("t1", "t2", "t3"), pick("", "a1", "a2", "a3")))
		}
	}
	named := func(kind, key string) { e.EventID = schema.EventID(e.Origin, kind, key) }
	switch r.IntN(20) {
	case 0, 1, 2, 3:
		e.EventType = schema.ToolStart
		tool()
		spawnMeta()
		named("pre", e.ToolUseID)
	case 4, 5, 6:
		e.EventType = schema.ToolEnd
		tool()
		named("post", e.ToolUseID)
		e.Result = json.RawMessage(pick(`"out"`, `{"stdout":"x","code":1}`, `{"agentId":"a1"}`, `{"agentId":"a2"}`))
		if e.IsError = r.IntN(4) == 0; e.IsError {
			e.ErrorMessage = "Exit code 2\nno"
			named("fail", e.ToolUseID)
		}
		if r.IntN(2) == 0 {
			ms := float64(r.IntN(9))
			e.DurationMS = &ms
		}
		if e.Origin == schema.OriginTranscript {
			e.Status = pick("", "", "denied", "blocked", "interrupted", "failed")
		}
	case 7:
		e.EventType, e.Origin, e.Seq = schema.ToolBatch, schema.OriginHook, 0
		tool()
		named("batch", e.ToolUseID)
		e.Result = json.RawMessage(`"batch text"`)
	case 8, 9:
		e.EventType = schema.Permission
		tool()
		if e.ToolUseID = ""; r.IntN(5) == 0 {
			e.ToolUseID, e.Status = pick("t1", "t2"), pick("", "denied")
			named("denied", e.ToolUseID)
		}
	case 10, 11:
		e.EventType, e.Role = schema.Message, pick("user", "user", "system", "assistant")
		e.Content = pick("hello", "do it", "done")
	case 12:
		e.EventType, e.AgentType = schema.AgentStart, pick("Explore", "general-purpose")
	case 13:
		e.EventType, e.AgentType, e.Content = schema.AgentEnd, "Explore", pick("done", "bye", "")
		spawnMeta()
	case 14:
		e.EventType, e.Content = schema.TurnEnd, pick("done", "hello")
	case 15:
		e.EventType, e.HookEventName, e.ErrorType = schema.Error, pick("StopFailure", "x"), "server_error"
	case 16:
		e.EventType, e.AgentID, e.Reason = schema.SessionStart, "", pick("startup", "resume", "compact")
		e.HookEventName = "SessionStart"
	case 17:
		e.EventType, e.AgentID, e.Reason = schema.SessionEnd, "", "other"
		if r.IntN(4) == 0 {
			e.Status, e.Origin = schema.StatusAbandoned, schema.OriginAPI
		}
	case 18:
		e.EventType, e.HookEventName, e.AgentID = schema.Compaction, pick("PreCompact", "PostCompact", "SubagentStop"), ""
		e.Content, e.Reason = pick("", "summary 1", "summary 2"), pick("auto", "manual")
	case 19:
		fillRare(r, e, pick)
	}
}

func fillRare(r *rand.Rand, e *schema.Event, pick func(...string) string) {
	switch r.IntN(7) {
	case 0:
		e.EventType, e.TaskID, e.Status, e.Title = schema.Task, pick("1", "2"), pick("pending", "completed"), "task"
	case 1:
		e.EventType, e.MessageID, e.Model = schema.LLMEnd, pick("m1", "m2"), pick("", "opus")
		in, out, cost := int64(r.IntN(100)), int64(r.IntN(100)), float64(r.IntN(1000))/1e4
		e.InputTokens, e.OutputTokens, e.CostUSD = &in, &out, &cost
	case 2:
		e.EventType, e.Tags, e.Status = schema.Tag, []string{pick("x", "y")}, pick("", "removed")
	case 3:
		e.EventType, e.ParentSessionID = schema.Fork, pick("s-parent", "s-other")
	case 4:
		e.EventType, e.ToolUseID, e.ToolName = schema.StructuredOutput, pick("t1", "t2"), "StructuredOutput"
		e.Result = json.RawMessage(`{"a":1}`)
	case 5:
		e.EventType, e.Content = schema.Notification, pick("waiting", "idle")
	case 6:
		e.EventType, e.HookEventName, e.Content = schema.Skill, "UserPromptExpansion", "hello"
		e.Extra = json.RawMessage(`{"command_name":"review"}`)
	}
}

func TestRandomSessionsAreOrderFree(t *testing.T) {
	sessions, size := 300, 40
	if testing.Short() {
		sessions = 30
	}
	for seed := range uint64(sessions) {
		r := rand.New(rand.NewPCG(seed, 1))
		events := randomSession(r, fmt.Sprintf("random%d", seed), 3+r.IntN(size))
		want := fold(t, events[0].SessionID, events)
		for round := range 6 {
			mix := shuffled(r, events, false)
			what := fmt.Sprintf("seed %d round %d", seed, round)
			mustEqual(t, what, want, fold(t, events[0].SessionID, mix))
			mustEqual(t, what+", cut off", want, cutOff(t, r, events[0].SessionID, mix))
		}
	}
}
