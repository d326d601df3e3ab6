package graph

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/actiongraph/actiongraph/schema"
)

// dice makes the choices of a generated session: a seeded generator, or the bytes
// of a fuzz input.
type dice func(n int) int

func seeded(seed uint64) (*rand.Rand, dice) {
	r := rand.New(rand.NewPCG(seed, 1))
	return r, r.IntN
}

func (d dice) pick(list ...string) string { return list[d(len(list))] }

func (d dice) one(in int) bool { return d(in) == 0 }

var epoch = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// randomSession returns n events of a small world: few ids, texts and times, so that
// facts collide, contradict each other and come from every origin. Each world has
// its own density of times, lanes and kinds of facts: in one with few kinds they meet
// in ways that they hardly do among many.
func randomSession(d dice, session string, n int) []schema.Event {
	step, slots := 150*time.Millisecond, 400
	switch d(4) {
	case 0:
		step, slots = 110*time.Millisecond, 30
	case 1:
		step, slots = 3*time.Second, 40
	}
	all := []func(dice, *schema.Event){
		toolStart, toolStart, toolStart, toolStart, toolEnd, toolEnd, toolEnd, toolBatch, permission, permission,
		message, message, message, agentEvent, agentEvent, turnEnd, failure, sessionEvent, sessionEvent, compaction,
		modelUse, rare, rare, framework, framework,
	}
	kinds := all
	switch d(12) {
	case 10:
		kinds = []func(dice, *schema.Event){repaired, repaired, modelRecord, modelUse, run, grain, failure}
	case 8:
		kinds = []func(dice, *schema.Event){run, run, run, framework, decision, toolStart, repaired, repaired}
	case 9:
		kinds = []func(dice, *schema.Event){grain, grain, grain, grain, toolEnd, agentEvent, rare}
	case 0:
		kinds = []func(dice, *schema.Event){toolBatch, toolEnd, permission, permission} // calls that only their ends tell of
	case 1, 2, 3:
		kinds = nil
		for range 2 + d(4) {
			kinds = append(kinds, all[d(len(all))])
		}
	}
	lanes := [][]string{{"", "", "", "a1", "a2", "a3"}, {"", "a1"}, {""}}[d(3)]
	var out []schema.Event
	for range n {
		if len(out) > 0 && d.one(5) {
			out = append(out, again(d, out[d(len(out))]))
			continue
		}
		e := schema.Event{SessionID: session, Timestamp: epoch.Add(time.Duration(d(slots)) * step), AgentID: d.pick(lanes...)}
		randomEvent(d, &e, kinds[d(len(kinds))])
		out = append(out, e)
	}
	return out
}

// again returns an event that says what e says, a little earlier or later: the same
// fact received twice, a fact between two that makes them one, another fact, or the same
// one sent again.
func again(d dice, e schema.Event) schema.Event {
	keyless := e.EventID == receivedID(&e)
	e.Timestamp = e.Timestamp.Add(time.Duration(d(9)-4) * 250 * time.Millisecond)
	if keyless && !d.one(3) {
		e.EventID = receivedID(&e)
	}
	return e
}

// receivedID names an event by when and what was received.
func receivedID(e *schema.Event) string {
	return schema.EventID(e.Origin, string(e.EventType), fmt.Sprint(e.Timestamp.UnixNano(), contentSum(e)))
}

func randomEvent(d dice, e *schema.Event, fill func(dice, *schema.Event)) {
	e.V, e.SourceSDK, e.Host = schema.Version, "claude-code", d.pick("h1", "h2")
	e.Origin = schema.Origin(d.pick("hook", "hook", "hook", "transcript", "api", "audit"))
	e.PromptID = d.pick("", "p1", "p2")
	if e.Origin == schema.OriginTranscript {
		e.Seq = int64(1 + d(50))
	}
	if d.one(8) {
		e.Extra = json.RawMessage(`{"transcript_path":"/t","permission_mode":"` + d.pick("plan", "default") + `"}`)
	}
	fill(d, e)
	if len(e.Metadata) == 0 && d.one(16) {
		spawnRecord(d, e) // any hook of a subagent reads it
	}
	if e.Origin != schema.OriginHook && d.one(4) {
		e.RelatedTo = []string{nameOf(d, e), nameOf(d, e)}
	}
	switch {
	case e.EventID != "":
	case e.Origin == schema.OriginHook:
		e.EventID = receivedID(e)
	default:
		e.EventID = nameOf(d, e)
	}
}

// nameOf returns the id of one of a few events like e. What an id names has one type;
// the rest of two records may differ.
func nameOf(d dice, e *schema.Event) string {
	return schema.EventID(e.Origin, string(e.EventType), e.Role, fmt.Sprint(d(12)))
}

func named(e *schema.Event, kind, key string) { e.EventID = schema.EventID(e.Origin, kind, key) }

// tool makes e a fact about one of five calls, whose facts agree on nothing.
func tool(d dice, e *schema.Event) {
	e.ToolUseID = d.pick("t1", "t2", "t3", "t4", "t5")
	e.ToolName = d.pick("Bash", "Bash", "Agent", "Read", "Write", "mcp__s__x", "apply_patch", "")
	e.ToolInput = json.RawMessage(d.pick(`{"command":"ls"}`, `{"command":"pwd","x":"1"}`, `{"file_path":"/w/a"}`,
		`{"description":"d","prompt":"p","subagent_type":"`+d.pick("Explore", "Plan")+`"}`, "", `{"input":"*** Update File: a\n-x\n+y\n*** Add File: /b\n+z\n"}`))
	if d.one(4) {
		e.ToolName = d.pick("Read", "Write")
		e.ToolInput = json.RawMessage(d.pick(`{"file_path":"/w/a"}`, `{"file_path":"/b"}`, `{"file_path":"../w/a"}`))
		e.WorkingDirectory = d.pick("", "/w")
	}
	if d.one(3) && len(e.ToolInput) > 0 {
		e.InputHash = schema.NewID(string(e.ToolInput))
	}
	if d.one(3) {
		e.Metadata = json.RawMessage(`{"repo_root":"/w"}`)
	}
}

// spawnRecord gives e the runtime's own record of the subagent it happened in: who
// spawned it, in circles too.
func spawnRecord(d dice, e *schema.Event) {
	if e.AgentID != "" && d.one(3) {
		e.Metadata = json.RawMessage(fmt.Sprintf(`{"agent":{"toolUseId":%q,"agentType":%q,"parentAgentId":%q,"description":%q,"model":%q,"requestShape":%q}}`,
			d.pick("t1", "t2", "t3", "t6", ""), d.pick("Explore", ""), d.pick("", "a1", "a2", "a3"), d.pick("", "look"), d.pick("", "haiku"), d.pick("foreground", "background")))
	}
}

func toolStart(d dice, e *schema.Event) {
	e.EventType = schema.ToolStart
	tool(d, e)
	spawnRecord(d, e)
	named(e, "pre", e.ToolUseID)
	e.Model = d.pick("", "", "opus")
	if e.Origin == schema.OriginAPI {
		e.Status = d.pick("", "pending")
	}
}

func toolEnd(d dice, e *schema.Event) {
	e.EventType = schema.ToolEnd
	tool(d, e)
	named(e, "post", e.ToolUseID)
	e.Result = json.RawMessage(d.pick(`"out"`, `{"stdout":"x","code":1}`, `{"agentId":"a1","resolvedModel":"opus"}`, `{"agent_id":"a2"}`, "",
		`{"agentId":"a3","status":"completed","prompt":"q","description":"e"}`, `{"agentId":"a1","status":"async_launched"}`,
		`{"filePath":"/w/a","oldString":"o","structuredPatch":[{"lines":["-a","+b","+c"," d"]}],"originalFile":"a"}`,
		`{"type":"create","content":"x\ny","structuredPatch":[]}`))
	if e.Origin == schema.OriginTranscript && !d.one(4) {
		e.ToolName, e.ToolInput, e.InputHash = "", nil, ""
	}
	if e.IsError = d.one(4); e.IsError {
		e.ErrorMessage = d.pick("Exit code 2\nno", "<tool_use_error>no such tool", "out", strings.Repeat("why it failed\n", 40)+"the end")
		named(e, "fail", e.ToolUseID)
	}
	if d.one(2) {
		ms := float64(d(9))
		e.DurationMS = &ms
	}
	switch e.Origin {
	case schema.OriginTranscript:
		e.Status = d.pick("", "", "", "denied", "blocked", "interrupted", "failed")
	case schema.OriginAPI:
		e.Status = d.pick("", "interrupted")
	}
}

func toolBatch(d dice, e *schema.Event) {
	e.EventType, e.Origin, e.Seq = schema.ToolBatch, schema.OriginHook, 0
	tool(d, e)
	named(e, "batch", e.ToolUseID)
	e.Result = json.RawMessage(`"batch text"`)
	if d.one(8) {
		e.ToolUseID, e.EventID = "", ""
	}
}

func permission(d dice, e *schema.Event) {
	e.EventType = schema.Permission
	tool(d, e)
	if d.one(5) {
		e.ToolUseID, e.Status, e.Reason = d.pick("t1", "t2", "t7"), d.pick("", "denied"), d.pick("", "rule")
		named(e, "denied", e.ToolUseID)
		return
	}
	e.ToolUseID, e.ToolName, e.ToolInput = "", d.pick("Bash", "Read"), json.RawMessage(d.pick(`{"command":"ls"}`, `{"file_path":"/w/a"}`))
	if e.InputHash != "" {
		e.InputHash = schema.NewID(string(e.ToolInput))
	}
	if d.one(3) {
		e.Extra = json.RawMessage(`{"permission_suggestions":[{"type":"` + d.pick("allow", "ask") + `"}]}`)
	}
}

func message(d dice, e *schema.Event) {
	e.EventType, e.Role = schema.Message, d.pick("user", "user", "system", "assistant", "assistant")
	e.Content = d.pick("hello", "/review 1", "<command-name>review</command-name><command-args>1</command-args>",
		"<command-message>review</command-message><command-name>review</command-name><command-args>1</command-args>", "done", "bye", " ")
	e.Title = d.pick("", "", "", "title", "other title")
	if e.Origin == schema.OriginTranscript && d.one(3) {
		e.Timestamp = e.Timestamp.Add(-10*time.Second + time.Duration(d(3)-1))
	}
	if e.Role == schema.RoleAssistant {
		e.Model, e.MessageID = d.pick("", "opus", "haiku", "<synthetic>"), d.pick("", "m1")
		e.Reason = d.pick("", "", "thinking", "redacted_thinking")
	}
	if e.Role == schema.RoleSystem && d.one(2) {
		e.Content = "<task-notification><task-id>" + d.pick("a1", "a2", "b7") + "</task-id><status>" +
			d.pick("completed", "failed", "killed", "running") + "</status></task-notification>"
	}
	if e.Role != schema.RoleAssistant && d.one(4) {
		e.Extra = json.RawMessage(d.pick(`{"images":[{"type":"image","media_type":"image/png","bytes":9}]}`, `{"images":[{"type":"image"}]}`))
	}
	if e.Origin == schema.OriginTranscript && e.Role == schema.RoleUser && d.one(3) {
		e.Extra = json.RawMessage(d.pick(`{"queued":true}`, `{"prompt_source":"queued"}`))
		e.Timestamp = e.Timestamp.Add(time.Duration(d(3)-1)*24*time.Hour + time.Duration(d(3)-1))
	}
	if e.Origin == schema.OriginTranscript && d.one(4) {
		e.EventType, e.Role = schema.SessionUpdate, ""
		e.HookEventName, e.Reason, e.Model = d.pick("custom-title", "agent-name", "ai-title", "summary", "mode"), "", ""
		e.Metadata = json.RawMessage(d.pick(`{"git_branch":"dev"}`, ""))
		e.Extra = json.RawMessage(d.pick(`{"version":"2.1.330","entrypoint":"cli"}`, `{"version":"2.1.331","permission_mode":"plan"}`, ""))
	}
}

func agentEvent(d dice, e *schema.Event) {
	e.EventType, e.AgentType = schema.AgentStart, d.pick("Explore", "general-purpose", "")
	if d.one(2) {
		e.EventType, e.Content = schema.AgentEnd, d.pick("done", "bye", "")
	} else if e.Origin == schema.OriginTranscript {
		e.Content = d.pick("look for it", "")
	}
	spawnRecord(d, e)
}

func turnEnd(d dice, e *schema.Event) {
	e.EventType, e.Content = schema.TurnEnd, d.pick("done", "hello", "")
	if e.Origin == schema.OriginTranscript {
		e.HookEventName, e.Extra = d.pick("stop_hook_summary", "turn_duration"), json.RawMessage(d.pick("", `{"hookCount":1}`))
		if e.HookEventName == "turn_duration" {
			ms := float64(d(5000))
			e.DurationMS = &ms
		}
	}
}

func failure(d dice, e *schema.Event) {
	e.EventType, e.HookEventName, e.ErrorType = schema.Error, d.pick("StopFailure", "x", "assistant"), d.pick("server_error", "")
	if d.one(2) {
		e.Extra = json.RawMessage(`{"api_error_status":529}`)
	}
	e.IsError = d.one(2)
	if d.one(3) {
		e.EventType, e.ErrorType = schema.RateLimit, "rate_limit"
	} else if d.one(3) { // of the recording, whatever else it says
		e.SourceSDK, e.WorkingDirectory, e.Model = schema.Recorder, "/elsewhere", "none"
	}
}

func sessionEvent(d dice, e *schema.Event) {
	e.AgentID = d.pick("", "", "", "", "a1")
	e.EventType, e.HookEventName, e.Reason = schema.SessionStart, "SessionStart", d.pick("startup", "resume", "compact")
	e.Model, e.Title = d.pick("", "opus", "haiku"), d.pick("", "title")
	e.Metadata = json.RawMessage(`{"git_branch":"` + d.pick("main", "x") + `","git_commit":"` + d.pick("c1", "c2") + `","session_id_original":"weird id"}`)
	if d.one(2) {
		return
	}
	e.EventType, e.HookEventName, e.Reason = schema.SessionEnd, "SessionEnd", d.pick("other", "clear", "")
	e.Status = d.pick("", "", "", "failed")
	if d.one(2) {
		e.Status, e.Origin, e.Seq = schema.StatusAbandoned, schema.OriginAPI, 0
	} else {
		usage(d, e)
	}
}

func compaction(d dice, e *schema.Event) {
	e.EventType, e.AgentID = schema.Compaction, d.pick("", "", "", "a1")
	e.HookEventName = d.pick("PreCompact", "PostCompact", "SubagentStop", "compact_boundary", "summary")
	e.Content, e.Reason = d.pick("", "summary 1", "summary 2"), d.pick("auto", "manual", "")
	e.Timestamp = e.Timestamp.Add(time.Duration(d(3)) * 10 * time.Minute)
}

func usage(d dice, e *schema.Event) {
	figure := func() *int64 {
		n := int64(d(100))
		if d.one(40) {
			n = 9e18
		}
		return []*int64{&n, nil}[d(2)]
	}
	e.InputTokens, e.OutputTokens = figure(), figure()
	e.CacheReadInputTokens, e.CacheCreationInputTokens = figure(), figure()
	e.Ephemeral5mInputTokens, e.Ephemeral1hInputTokens = figure(), figure()
	if len(e.Extra) == 0 && d.one(2) {
		e.Extra = json.RawMessage(d.pick(`{"usage":{"speed":"fast","server_tool_use":{"web_search_requests":2}}}`, `{"usage":{"speed":"slow"}}`))
	}
	if d.one(2) {
		cost := float64(d(1000)) / 1e4
		if d.one(40) {
			cost = 1e300
		}
		e.CostUSD = &cost
	}
}

func modelUse(d dice, e *schema.Event) {
	e.EventType, e.Model, e.PromptHash = schema.LLMStart, d.pick("", "opus", "haiku"), d.pick("", "", "hash")
	switch d(3) {
	case 0:
		e.EventType, e.Content, e.IsError = schema.LLMEnd, d.pick("", "text"), d.one(4)
		e.CausedBy = d.pick("", schema.EventID(e.Origin, string(schema.LLMStart), "", fmt.Sprint(d(12))))
	case 1:
		e.EventType, e.MessageID, e.Reason = schema.LLMEnd, d.pick("m1", "m2"), d.pick("", "", "end_turn")
	}
	usage(d, e)
}

func rare(d dice, e *schema.Event) {
	switch d(9) {
	case 0:
		e.EventType, e.TaskID, e.Status, e.Title = schema.Task, d.pick("1", "2", ""), d.pick("pending", "completed", "in_progress", ""), "task"
		e.Content, e.Reason = d.pick("", "details"), d.pick("", "because")
	case 1:
		e.EventType, e.Tags, e.Status = schema.Tag, []string{d.pick("x", "y"), d.pick("x", "z")}, d.pick("", "removed")
	case 2:
		e.EventType, e.ParentSessionID, e.ParentEventID = schema.Fork, d.pick("s-parent", "s-other", e.SessionID), d.pick("", "at1", "at2")
		e.Title = d.pick("", "without the cache")
	case 3:
		e.EventType, e.ToolUseID, e.ToolName = schema.StructuredOutput, d.pick("t1", "t2", "t8"), "StructuredOutput"
		e.Result = json.RawMessage(d.pick(`{"a":1}`, `{"a":2}`))
		if d.one(4) {
			e.ToolUseID = ""
		}
	case 4:
		e.EventType, e.Content = schema.Notification, d.pick("waiting", "idle")
	case 5, 6:
		e.EventType, e.HookEventName, e.Content = schema.Skill, "UserPromptExpansion", d.pick("hello", "/review 1")
		e.Extra = json.RawMessage(`{"command_name":"` + d.pick("review", "simplify") + `","command_args":"1"}`)
	case 7:
		if d.one(4) {
			e.EventType, e.Metadata = schema.SourcePosition, json.RawMessage(`{"journal":"other","offset":1}`)
			return
		}
		e.EventType = []schema.Type{schema.Handoff, schema.Memory, schema.Callback, schema.Decision, schema.Unknown, "new_type"}[d(6)]
		e.FromAgent, e.ToAgent = d.pick("", "x"), d.pick("", "y")
		e.IsError, e.Status = d.one(3), d.pick("", "pending")
		if d.one(2) {
			ms := float64(d(3))
			e.DurationMS = &ms
		}
	case 8:
		e.EventType, e.Model = schema.Context, d.pick("", "opus", "haiku")
		e.Extra = json.RawMessage(`{"file_path":"/w/CLAUDE.md"}`)
	}
}
