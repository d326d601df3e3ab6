package jsonl

import (
	"time"

	"github.com/actiongraph/actiongraph/schema"
)

// decision adds what an agent decided, and what that led to: an answer, or a call. The
// seed's dumps say respond, delegate and invoke_skill for what agent_framework
// (agents/agent_decision.py) has called final_message, call_subagent and invoke_skill.
func (f *draft) decision(v value, place, next int) {
	var kind, message, tool string
	var response, parameters value
	var extra object
	e := f.part(schema.Decision, partDecision, place)
	for name, m := range v.members() {
		switch string(name) {
		case "message":
			message = f.takeText(m, "agent_decision.message", &extra)
			continue
		case "tool_name":
			tool = f.takeText(m, "agent_decision.tool_name", &extra)
			continue
		case "subagent_id":
			var exact bool
			if e.ToAgent, exact = f.name(m, "agent_decision.subagent_id"); exact {
				continue
			}
		case "kind":
			kind = f.text(m, "agent_decision.kind")
		case "response":
			response = m
		case "parameters":
			parameters = m
		}
		extra.raw(string(name), m)
	}
	e.Title, e.Content, e.ToolName = kind, message, tool
	e.Extra = extra.json()
	cause := e.EventID
	switch kind {
	case "respond", "final_message":
		f.answer(response, message, cause, next)
	case "call_tool":
		if tool != "" && !f.callsTold {
			f.call(partDecision, tool, next, parameters.cloned()).CausedBy = cause
		}
	}
}

// answer adds what an agent said to its caller. The response may be a JSON object.
func (f *draft) answer(response value, message, cause string, place int) {
	text := response.text()
	if text == "" {
		text = message
	}
	if text == "" && !response.empty() {
		text = string(clean(response.raw()))
	}
	if text == "" {
		return
	}
	e := f.part(schema.Message, partDecision, place)
	e.Role, e.Content, e.CausedBy = schema.RoleAssistant, text, cause
}

// callback adds a CallbackAuditRecord and returns its time.
func (f *draft) callback(v value, field string, place int) time.Time {
	if !f.isObject(v, field) {
		return time.Time{}
	}
	var extra object
	e := f.part(schema.Callback, partCallback, place)
	timed := false
	for name, m := range v.members() {
		switch string(name) {
		case "timestamp":
			e.Timestamp, timed = f.partTime(m, field)
			continue
		case "intent":
			e.Title = f.text(m, field+".intent")
		case "prompt":
			if e.Content = f.text(m, field+".prompt"); e.Content != "" {
				continue
			}
		}
		extra.raw(string(name), m)
	}
	if !timed {
		markTimeless(&extra)
	}
	e.Extra = extra.json()
	return e.Timestamp
}

// partTime is the time of a part of the line, the line's own where it has none.
func (f *draft) partTime(v value, field string) (t time.Time, ok bool) {
	if t, ok = f.timeOf(v, field+".timestamp"); ok {
		return t, true
	}
	return f.time, false
}

// skill adds a SkillInvocationRecord, a call of the tool Skill and what it invoked, and
// returns its time.
func (f *draft) skill(v value, field string, place int) time.Time {
	if !f.isObject(v, field) {
		return time.Time{}
	}
	var extra object
	at, timed := f.time, false
	var skill, parameters value
	for name, m := range v.members() {
		switch string(name) {
		case "timestamp":
			at, timed = f.partTime(m, field)
		case "skill_name":
			skill = m
		case "parameters":
			parameters = m
		default:
			extra.raw(string(name), m)
		}
	}
	if !timed {
		markTimeless(&extra)
	}
	f.invoke(skill, parameters, field, place, at, &extra)
	return at
}

// invoke adds the events of a skill's invocation.
func (f *draft) invoke(skill, parameters value, field string, place int, at time.Time, extra *object) {
	name := f.text(skill, field+".skill_name")
	var input object
	input.raw("skill", skill)
	input.raw("parameters", parameters)
	call := f.call(partSkill, "Skill", place, input.json())
	call.Timestamp, call.Extra = at, extra.json()
	id := call.ToolUseID
	e := f.part(schema.Skill, partSkill, place+1)
	e.Timestamp, e.Title, e.ToolUseID = at, name, id
}

// entry adds an entry of events[]: anything that somebody found worth a note.
func (f *draft) entry(v value, place int) {
	n := readEntry(v)
	typ, title := schema.Context, n.title()
	if title == nameLLMError {
		typ = schema.Error
	}
	e := f.part(typ, partEvent, place)
	e.Title = title
	if v.first() == '{' {
		e.Extra = v.cloned()
	} else {
		var extra object
		extra.raw("event", v)
		e.Extra = extra.json()
	}
	if typ == schema.Error {
		e.ErrorType, e.ErrorMessage = nameLLMError, n.failure()
		return
	}
	e.Content = firstText(n.output, n.result, n.message, n.error, n.words)
}

// entryFields are the fields that entries of events[], of which each kind has its own,
// are shown by.
type entryFields struct{ name, kind, output, result, message, error, words value }

func readEntry(v value) (e entryFields) {
	for name, m := range v.members() {
		switch string(name) {
		case "name":
			e.name = m
		case "type":
			e.kind = m
		case "output":
			e.output = m
		case "result":
			e.result = m
		case "message":
			e.message = m
		case "error":
			e.error = m
		case "text":
			e.words = m
		}
	}
	return e
}

// title is what an entry is called: its name in the dumps of the seed, its type in those
// of agent_framework.
func (e entryFields) title() string { return firstText(e.name, e.kind) }

// failure is what it says of an error, which may be as an API says it:
// {"error":{"message":"…"}}.
func (e entryFields) failure() string {
	if text := firstText(e.error, e.message, e.words, e.output); text != "" {
		return text
	}
	return firstText(e.error.member("message"), e.error.member("type"))
}

// firstText is the first text that is not empty.
func firstText(values ...value) string {
	for _, v := range values {
		if text := v.text(); text != "" {
			return text
		}
	}
	return ""
}
