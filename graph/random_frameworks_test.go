package graph

import (
	"encoding/json"
	"fmt"

	"github.com/actiongraph/actiongraph/schema"
)

// framework makes e one of the facts that agent frameworks record in files: of a run, of
// what it decided, of a grain.
func framework(d dice, e *schema.Event) {
	e.Origin = schema.Origin(d.pick("audit", "audit", "audit", "api"))
	if e.Origin == schema.OriginAudit {
		e.Seq = int64(1+d(9)) * 1000
	}
	[]func(dice, *schema.Event){run, decision, grain, answer, skill, recorded, modelRecord, repaired}[d(8)](d, e)
}

// caller is what a start says of who called it: a run, a name, itself, one that never
// comes, nobody.
func caller(d dice, e *schema.Event) {
	switch e.ParentAgentName = d.pick("a1", "a2", "a3", "planner", "tester", "a9", "", ""); {
	case e.ParentAgentName != "":
		e.Extra = json.RawMessage(d.pick("", fmt.Sprintf(`{"caller_id":%q,"depth":1}`, e.ParentAgentName)))
	case d.one(2):
		e.Extra = json.RawMessage(`{"caller_id":null}`)
	}
}

// run is the start or the end of a run. Several have one name.
func run(d dice, e *schema.Event) {
	e.Origin, e.AgentID = schema.Origin(d.pick("audit", "api")), d.pick("a1", "a2", "a3", "a4")
	e.EventType, e.AgentName, e.Content = schema.AgentStart, d.pick("planner", "tester", "tester", "a2", ""), d.pick("look for it", "")
	e.AgentType = e.AgentName
	caller(d, e)
	if d.one(3) {
		e.EventType, e.ParentAgentName, e.Content = schema.AgentEnd, "", ""
		e.Status, e.IsError, e.Extra = d.pick("completed", "completed", "failed", ""), d.one(5), json.RawMessage(d.pick(`{"end_time":"unknown"}`, ""))
	}
}

func decision(d dice, e *schema.Event) {
	e.Origin, e.EventType = schema.Origin(d.pick("audit", "audit", "api", "hook")), schema.Decision
	e.AgentID = d.pick("a1", "a2", "a3", "a4", "")
	e.Title, e.ToAgent = d.pick("delegate", "delegate", "call_subagent", "respond", "call_tool"), d.pick("planner", "tester", "a1", "a2", "")
	e.Content = d.pick("because", "")
	e.Extra = json.RawMessage(d.pick(`{"kind":"delegate","response":null,"parameters":{"x":1}}`, ""))
}

// grain makes e the call or the result of one of a few grains, which agree on nothing.
func grain(d dice, e *schema.Event) {
	e.Origin = schema.Origin(d.pick("audit", "api"))
	e.EventType, e.ToolUseID, e.ToolName = schema.ToolStart, d.pick("t1", "t2", "t3", "g4"), d.pick("web_search", "Bash", "")
	e.ToolInput = json.RawMessage(d.pick(`{"query":"weather"}`, `{"command":"ls"}`, ""))
	e.ParentTaskID = d.pick("1", "2", "task-001", "", "")
	e.Tags = [][]string{nil, {"api-call"}, {"x", "y", ""}}[d(3)]
	e.RelatedTo = [][]string{nil, {"t1"}, {"g4", "t9"}, {nameOf(d, e)}}[d(4)]
	e.Extra = json.RawMessage(d.pick(`{"grain_type":"action","namespace":"n","confidence":0.5}`, `{"a<b":null,"transcript_path":"/t"}`, ""))
	named(e, "pre", e.ToolUseID)
	if d.one(2) {
		e.EventType, e.Result, e.IsError = schema.ToolEnd, json.RawMessage(d.pick(`"72F"`, "")), d.one(3)
		named(e, "post", e.ToolUseID)
		ms := float64(d(400))
		e.DurationMS = &ms
	}
}

// answer is the record of a permission request by who answered it.
func answer(d dice, e *schema.Event) {
	e.EventType, e.ToolName, e.Content = schema.Permission, d.pick("Bash", "write_file"), d.pick("may I", "")
	e.Status, e.Reason = d.pick("completed", "denied", ""), d.pick("write", "execute", "")
	e.Extra = json.RawMessage(d.pick(`{"action":"write","resource":"a.py","allowed":true,"remember_for_session":false}`,
		`{"action":"x","resource":"Bash","allowed":false,"why":{"a":1}}`, ""))
}

// skill is the call of a skill with the files that it lists, or the skill of a call.
func skill(d dice, e *schema.Event) {
	e.ToolUseID = d.pick("t1", "t2", "s3", "")
	if d.one(2) {
		e.EventType, e.Title = schema.Skill, d.pick("pdf-report", "review")
		return
	}
	e.EventType, e.ToolName, e.ToolInput = schema.ToolStart, d.pick("Skill", "Skill", "Bash"), json.RawMessage(`{"skill":"pdf-report","parameters":{"n":2}}`)
	e.Extra = json.RawMessage(d.pick(`{"inventory":["SKILL.md","scripts/run.py","SKILL.md"]}`, `{"inventory":["/abs/x","../up","C:\\y",""],"z":1}`, ""))
	named(e, "pre", e.ToolUseID)
}

// recorded is what a record tells beside: of memory, callbacks, its events.
func recorded(d dice, e *schema.Event) {
	e.EventType = []schema.Type{schema.Memory, schema.Callback, schema.Context, schema.Error}[d(4)]
	e.HookEventName, e.Title, e.Content, e.Reason = d.pick("event", ""), d.pick("note", ""), d.pick("summary", ""), d.pick("memory_put", "")
	e.Extra = json.RawMessage(d.pick(`{"title":"note","memory_uri":"mem://1","scope":null,"metadata":{}}`, `{"name":"note","ok":false}`, ""))
	e.Tags = [][]string{nil, {"x"}}[d(2)]
}

// repaired is a record of an end that there are several of: in some a line before it was not
// read, and nothing says what it is the end of.
func repaired(d dice, e *schema.Event) {
	e.Origin = schema.Origin(d.pick("audit", "api"))
	name := fmt.Sprint(d(3))
	e.Tags, e.RelatedTo = [][]string{nil, nil, {"x", "y"}}[d(3)], [][]string{nil, {"t3"}, {"g4", "t2"}}[d(3)]
	if d.one(2) {
		e.EventType, e.EventID = schema.LLMEnd, schema.EventID(e.Origin, "answer", name)
		e.Model, e.Content, e.Reason = d.pick("opus", ""), d.pick("text", ""), d.pick("", "end_turn")
		if d.one(2) {
			e.CausedBy = schema.EventID(e.Origin, string(schema.LLMStart), "", name)
		}
		usage(d, e)
		return
	}
	e.EventType, e.EventID, e.ToolName = schema.Error, schema.EventID(e.Origin, "failure", name), d.pick("Bash", "")
	e.ErrorType, e.ErrorMessage = "E", d.pick("boom", "")
	if d.one(2) {
		e.EventType, e.ToolUseID, e.IsError = schema.ToolEnd, d.pick("t1", "t2"), !d.one(4)
	}
}

// modelRecord is a model call as a record has it, whole.
func modelRecord(d dice, e *schema.Event) {
	start := schema.EventID(e.Origin, string(schema.LLMStart), "", fmt.Sprint(d(3)))
	e.EventType, e.EventID, e.Model = schema.LLMStart, start, d.pick("opus", "")
	e.Extra = json.RawMessage(d.pick(`{"request":{"model":"opus"}}`, `{"request":"x"}`, ""))
	if d.one(2) {
		e.EventType, e.CausedBy, e.EventID = schema.LLMEnd, start, ""
		e.Content = d.pick(`{"kind": "respond"}`, "text", "")
		e.Extra = json.RawMessage(d.pick(`{"model_response":{"kind":"respond"}}`, `{"model_response":{"kind":"delegate"}}`, `{"model_response":null}`, ""))
		if e.IsError = d.one(3); e.IsError {
			e.ErrorMessage = "connection timeout"
		}
	}
}
