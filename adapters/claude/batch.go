package claude

import (
	"encoding/json"
	"strconv"

	"github.com/actiongraph/actiongraph/schema"
)

// toolCall is the member of Extra that holds what no typed field took of one entry
// of a PostToolBatch's tool_calls.
const toolCall = "tool_call"

// batch returns one event for each entry of tool_calls. What the payload has beside
// them is in the first event's Extra only: an entry's own leftovers are in its
// toolCall.
func (p *payload) batch(first schema.Event, env Env) []schema.Event {
	first.Actor = schema.ActorAgent
	var entries []json.RawMessage
	if calls := p.get("tool_calls"); calls != nil {
		for entry := range schema.Elements(calls.raw) {
			entries = append(entries, entry)
		}
		calls.taken = len(entries) > 0
	}
	switch {
	case len(entries) == 0:
		first.EventType = schema.ToolBatch
		first.Extra = p.rest()
		p.finish(&first, env)
		return []schema.Event{first}
	case p.count(toolCall) > 0 || p.count("tool_calls") > 1:
		// Extra could not say whose member it is.
		p.members = membersOf(p.raw)
		whole := p.start(env)
		p.note("PostToolBatch with a second tool_calls, or a " + toolCall)
		whole.Extra = p.rest()
		p.finish(&whole, env)
		return []schema.Event{whole}
	}
	events := make([]schema.Event, len(entries))
	first.EventType = schema.ToolBatch
	for i, entry := range entries {
		e := first
		if i == 0 {
			e.Extra = p.rest()
		}
		p.entry(&e, entry, i)
		p.finish(&e, env)
		events[i] = e
	}
	return events
}

// entry takes one entry of tool_calls into e.
func (p *payload) entry(e *schema.Event, entry json.RawMessage, i int) {
	call := payload{raw: entry, members: membersOf(entry)}
	if call.text("tool_use_id", &e.ToolUseID) {
		e.EventID = schema.EventID(schema.OriginHook, "batch", e.ToolUseID)
	} else {
		e.EventID = p.keylessID(*e, strconv.Itoa(i))
	}
	call.text("tool_name", &e.ToolName)
	call.value("tool_input", &e.ToolInput)
	call.value("tool_response", &e.Result)
	left := call.rest()
	if entry[0] != '{' {
		left = entry
	}
	if left == nil {
		return
	}
	extra := []byte{'{'}
	if e.Extra != nil {
		extra = e.Extra[:len(e.Extra)-1]
	}
	e.Extra = append(appendMember(extra, toolCall, left), '}')
}

// structuredOutput returns the answer that a run was asked to give in a fixed form:
// Claude Code delivers it as the input of a tool of that name.
func structuredOutput(call schema.Event) (schema.Event, bool) {
	if call.HookEventName != "PostToolUse" || call.ToolName != "StructuredOutput" || call.ToolInput == nil {
		return schema.Event{}, false
	}
	e := call
	e.EventType = schema.StructuredOutput
	e.EventID = schema.EventID(schema.OriginHook, "structured_output", call.ToolUseID)
	e.Result, e.ToolInput, e.DurationMS, e.Extra = call.ToolInput, nil, nil, nil
	return e, true
}
