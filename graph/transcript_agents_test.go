package graph

import (
	"encoding/json"
	"fmt"
	"math"
	"testing"

	"github.com/actiongraph/actiongraph/schema"
)

func agentCall(id string) schema.Event {
	return schema.Event{EventType: schema.ToolStart, ToolName: "Agent", ToolUseID: id, ToolInput: json.RawMessage(`{"prompt":"look"}`)}
}

func returned(id, result string) schema.Event {
	return schema.Event{EventType: schema.ToolEnd, ToolUseID: id, Result: json.RawMessage(result)}
}

func notified(id, status string) schema.Event {
	return schema.Event{EventType: schema.Message, Role: schema.RoleSystem, PromptID: "n",
		Content: fmt.Sprintf("<task-notification>\n<task-id>%s</task-id>\n<status>%s</status>\n</task-notification>", id, status)}
}

// TestAgentsOfTranscripts is what session files alone tell of the ends of subagents.
func TestAgentsOfTranscripts(t *testing.T) {
	first := schema.Event{EventType: schema.AgentStart, AgentID: "a1", AgentType: "Explore", Content: "look for it"}
	meta := schema.Event{EventType: schema.SessionUpdate, AgentID: "a1", Metadata: json.RawMessage(`{"agent":{"toolUseId":"t1"}}`)}
	failed := returned("t1", `"Error: interrupted"`)
	failed.IsError, failed.Status = true, schema.StatusFailed
	rejected := failed
	rejected.Status = schema.StatusInterrupted
	for name, c := range map[string]struct {
		say   func(*said)
		want  string
		ended any
	}{
		"its call returns": {func(l *said) {
			l.line("user", 5, returned("t1", `{"agentId":"a1","status":"completed"}`))
		}, schema.StatusCompleted, at(5)},
		"it goes on in the background": {func(l *said) {
			l.line("user", 1.5, returned("t1", `{"agentId":"a1","status":"async_launched"}`))
		}, schema.StatusUnknown, nil},
		"a notification": {func(l *said) {
			l.line("user", 1.5, returned("t1", `{"agentId":"a1","status":"async_launched"}`))
			l.line("user", 6, notified("a1", "failed"))
		}, schema.StatusFailed, at(6)},
		"killed": {func(l *said) { l.line("user", 6, notified("a1", "killed")) }, schema.StatusInterrupted, at(6)},
		"resumed and done again": {func(l *said) {
			l.line("user", 6, notified("a1", "killed"))
			l.line("user", 9, notified("a1", "completed"))
		}, schema.StatusCompleted, at(9)},
		"an API error": {func(l *said) {
			e := apiError("unknown")
			e.AgentID = "a1"
			l.line("assistant", 3, e)
		}, schema.StatusFailed, at(3)},
		"its call fails and names no agent": {func(l *said) { l.line("user", 4, failed) }, schema.StatusFailed, at(4)},
		"its call, in a subagent, waited for it": {func(l *said) {
			waited := meta
			waited.EventID, waited.Metadata = "meta", json.RawMessage(`{"agent":{"toolUseId":"t1","requestShape":"foreground"}}`)
			l.line("agent_meta", 1.2, waited)
			l.line("user", 5, returned("t1", `"its report"`))
		}, schema.StatusCompleted, at(5)},
		"its call is interrupted": {func(l *said) { l.line("user", 4, rejected) }, schema.StatusInterrupted, at(4)},
	} {
		t.Run(name, func(t *testing.T) {
			var l said
			l.line("assistant", 1, agentCall("t1"))
			l.line("user", 1.2, first)
			l.line("agent_meta", 1.2, meta)
			c.say(&l)
			g := l.graph(t)
			agent := Ref{LabelAgent, AgentKey("s", "a1")}
			n := g.Node(agent)
			want(t, "status", n.Prop("status"), any(c.want))
			want(t, "ended_at", n.Prop("ended_at"), c.ended)
			want(t, "prompt", n.Prop("prompt"), any("look for it"))
			want(t, "starts", actions(g, SubagentStart), []string{"completed"})
			if !g.HasEdge(EdgeKey{Spawned, Ref{LabelAction, ToolCallID("s", "t1")}, agent}) {
				t.Error("nobody spawned it")
			}
		})
	}
}

func at(seconds float64) any {
	var l said
	l.line("", seconds, schema.Event{})
	return Time(l.events[0].Timestamp.UnixNano())
}

// A subagent that is a fork of its parent repeats the parent's lines in its own file.
func TestForkedSubagentRepeatsItsParent(t *testing.T) {
	for k := range 8 {
		var l said
		for _, agent := range []string{"a1", ""} {
			answer := schema.Event{EventType: schema.LLMEnd, AgentID: agent, EventID: "llm", MessageID: "m", Reason: "end_turn", Model: fmt.Sprint("m", k)}
			l.line("assistant", 1, answer)
			call := agentCall("t1")
			call.AgentID, call.EventID, call.PromptID = agent, "call", fmt.Sprint(k)
			l.line("assistant", 1, call)
		}
		g := l.graph(t)
		want(t, "the model's call", actions(g, LLMCall, "agent_id"), []string{"completed"})
		want(t, "the tool's", actions(g, ToolCall, "agent_id"), []string{"unknown"})
	}
}

// A shell in the background has a task id too, and is no subagent.
func TestNoticeOfAShell(t *testing.T) {
	var l said
	l.line("user", 6, notified("b7", "completed"))
	want(t, "agents", session(l.graph(t), "agent_count"), any(int64(0)))
}

func TestUsageOfATranscript(t *testing.T) {
	spent := func(agent, message, reason string, out int64) schema.Event {
		in, short := int64(3), int64(100)
		return schema.Event{EventType: schema.LLMEnd, AgentID: agent, MessageID: message, Model: "opus", Reason: reason,
			EventID: "llm " + message, InputTokens: &in, OutputTokens: &out, Ephemeral5mInputTokens: &short,
			Extra: json.RawMessage(`{"usage":{"speed":"fast","server_tool_use":{"web_search_requests":1}}}`)}
	}
	var l said
	l.line("assistant", 1, spent("", "m1", "", 2))
	l.line("assistant", 2, spent("", "m1", "end_turn", 40))
	l.line("assistant", 3, spent("a1", "m2", "", 9))
	g := l.graph(t)
	want(t, "calls", actions(g, LLMCall, "output_tokens", "ephemeral_5m_input_tokens", "stop_reason", "speed", "web_search_requests", "lower_bound"),
		[]string{"completed, output_tokens 40, ephemeral_5m_input_tokens 100, stop_reason end_turn, speed fast, web_search_requests 1",
			"completed, output_tokens 9, ephemeral_5m_input_tokens 100, speed fast, web_search_requests 1, lower_bound true"})
	agent := g.Node(Ref{LabelAgent, AgentKey("s", "a1")})
	want(t, "the session's", []any{session(g, "total_output_tokens"), session(g, "total_lower_bound"), session(g, "total_ephemeral_5m_input_tokens")},
		[]any{int64(49), true, int64(200)})
	want(t, "the agent's", []any{agent.Prop("total_output_tokens"), agent.Prop("total_lower_bound")}, []any{int64(9), true})

	l.line("assistant", 4, spent("a1", "m2", "end_turn", 12))
	g = l.graph(t)
	want(t, "the session's, once all is known", []any{session(g, "total_output_tokens"), session(g, "total_lower_bound")}, []any{int64(52), nil})
}

// TestUsageOfAnAgentWithoutAFile: where a subagent's own file is missing, what it used is in
// no sum, and the sums say so; its type and start are those of the call that spawned it.
func TestUsageOfAnAgentWithoutAFile(t *testing.T) {
	spent := func(agent, message string) schema.Event {
		out := int64(10)
		return schema.Event{EventType: schema.LLMEnd, AgentID: agent, MessageID: message, Reason: "end_turn", EventID: "llm " + message, OutputTokens: &out}
	}
	call := agentCall("t1")
	call.ToolName, call.ToolInput = "Task", json.RawMessage(`{"prompt":"look","subagent_type":"Explore"}`)
	shown := func(l *said) []any {
		g := l.graph(t)
		a := g.Node(Ref{LabelAgent, AgentKey("s", "a1")})
		return []any{session(g, "total_lower_bound"), a.Prop("total_lower_bound"), a.Prop("agent_type"), a.Prop("name"), a.Prop("started_at"), a.Prop("ended_at")}
	}
	result := returned("t1", `{"agentId":"a1","status":"completed","totalTokens":55555,"totalDurationMs":27000}`)
	var bare said
	bare.line("user", 28, result)
	want(t, "nothing has a sum", shown(&bare), []any{nil, nil, nil, "agent a1", at(28), at(28)})

	var l said
	l.line("assistant", 1, call)
	l.line("user", 28, result)
	l.line("assistant", 29, spent("", "m1"))
	want(t, "without its file", shown(&l), []any{true, true, "Explore", "Explore", at(1), at(28)})
	l.line("assistant", 2, spent("a1", "m2"))
	want(t, "with its file", shown(&l), []any{nil, nil, "Explore", "Explore", at(2), at(28)})
	l.line("user", 2, schema.Event{EventType: schema.SessionUpdate, AgentID: "a1", Metadata: json.RawMessage(`{"agent":{"agentType":"Plan"}}`)})
	want(t, "with its record", shown(&l), []any{nil, nil, "Plan", "Plan", at(2), at(28)})
}

// TestSumsDoNotOverflow: whatever a journal holds, a sum is no less than what is in it.
func TestSumsDoNotOverflow(t *testing.T) {
	s := NewSession("s", "")
	most, cost := int64(math.MaxInt64), 1e300
	g := New()
	for k := range 5000 {
		g.Apply(step(s, &schema.Event{EventType: schema.LLMEnd, SessionID: "s", EventID: fmt.Sprint(k), Timestamp: epoch, Origin: schema.OriginAPI,
			MessageID: fmt.Sprint(k), AgentID: "a1", InputTokens: &most, CostUSD: &cost})...)
	}
	agent := g.Node(Ref{LabelAgent, AgentKey("s", "a1")})
	for _, sums := range [][]any{
		{session(g, "total_input_tokens"), session(g, "total_cost_usd")},
		{agent.Prop("total_input_tokens"), agent.Prop("total_cost_usd")},
	} {
		want(t, "sums", sums, []any{int64(5000e12), float64(1<<62-1) / 1e9})
	}
	var u sum
	for range 10 {
		u.add(inputTokens, 1<<61)
	}
	for range 10 {
		u.add(inputTokens, -1<<61)
	}
	if u != (sum{}) {
		t.Errorf("what was added is not what was taken away: %+v", u)
	}
}

func TestSessionUpdates(t *testing.T) {
	update := func(title, branch, extra string) schema.Event {
		e := schema.Event{EventType: schema.SessionUpdate, Title: title, Extra: json.RawMessage(extra)}
		if branch != "" {
			e.Metadata = json.RawMessage(`{"git_branch":"` + branch + `"}`)
		}
		return e
	}
	var l said
	l.line("summary", 9, update("a summary", "", ""))
	l.line("ai-title", 2, update("first guess", "", ""))
	l.line("ai-title", 3, update("second guess", "", ""))
	l.line("user", 1, update("", "main", `{"version":"2.1.329","entrypoint":"cli"}`))
	l.line("user", 4, update("", "topic", `{"version":"2.1.330","permission_mode":"plan"}`))
	g := l.graph(t)
	want(t, "titled by the model", session(g, "title"), any("second guess"))
	l.line("custom-title", 0, update("mine", "", ""))
	g = l.graph(t)
	for name, v := range map[string]any{"title": "mine", "name": "mine", "git_branch": "main", "version": "2.1.330", "entrypoint": "cli",
		"permission_mode": "plan", "action_count": int64(0)} {
		want(t, name, session(g, name), v)
	}
}

// What a fork copied is older than the fork.
func TestForkStartsWhereItLeft(t *testing.T) {
	var l said
	for _, event := range []string{"half", "event"} { // of a file that was still written when it was read first
		l.line("fork", float64(len(event)), schema.Event{EventType: schema.Fork, EventID: "fork", ParentSessionID: "parent", ParentEventID: event})
	}
	l.line("user", 100, prompt("p", "go on"))
	g := l.graph(t)
	want(t, "started_at", session(g, "started_at"), at(100))
	want(t, "forks", g.edges[EdgeKey{ForkedFrom, Ref{LabelSession, "s"}, Ref{LabelSession, "parent"}}], []Prop{{"at", "event"}, {"at_time", at(5).(Time).String()}})
	if g.Node(Ref{LabelSession, "parent"}) == nil {
		t.Error("no parent")
	}
}

// A tag put on an imported session does not make it run.
func TestATagIsNoSignOfLife(t *testing.T) {
	var l said
	l.line("assistant", 1, schema.Event{EventType: schema.ToolStart, ToolName: "Bash", ToolUseID: "t1"})
	l.add(schema.OriginAPI, "", 5, schema.Event{EventType: schema.Tag, Tags: []string{"x"}})
	g := l.graph(t)
	want(t, "status", session(g, "status"), any(schema.StatusUnknown))
	want(t, "calls", actions(g, ToolCall), []string{"unknown"})
	l.hook("SessionStart", 7, schema.Event{EventType: schema.SessionStart, Reason: "startup"})
	g = l.graph(t)
	want(t, "status of one that runs", session(g, "status"), any(schema.StatusActive))
	want(t, "its calls", actions(g, ToolCall), []string{"in_progress"})
}

// A fork that somebody made, and nobody ran yet, is as its parent left it: it neither runs nor
// will ever be abandoned. Its label is its title.
func TestAForkIsNoSignOfLife(t *testing.T) {
	var l said
	l.add(schema.OriginAPI, "", 5, schema.Event{EventType: schema.Fork, ParentSessionID: "parent", ParentEventID: "event", Title: "without the cache"})
	g := l.graph(t)
	for name, v := range map[string]any{"status": schema.StatusUnknown, "started_at": at(5), "title": "without the cache", "name": "without the cache",
		"action_count": int64(0), "ended_at": nil} {
		want(t, name, session(g, name), v)
	}
	want(t, "fork", g.edges[EdgeKey{ForkedFrom, Ref{LabelSession, "s"}, Ref{LabelSession, "parent"}}],
		[]Prop{{"at", "event"}, {"at_time", at(5).(Time).String()}, {"label", "without the cache"}})
	l.hook("SessionStart", 90, schema.Event{EventType: schema.SessionStart, Reason: "startup"})
	g = l.graph(t)
	want(t, "status of one that runs", session(g, "status"), any(schema.StatusActive))
	want(t, "its start", session(g, "started_at"), at(90))
}
