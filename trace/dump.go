package trace

import (
	"bufio"
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/actiongraph/actiongraph/history"
	"github.com/actiongraph/actiongraph/schema"
)

// dump gives the lines of an audit dump back from the events that adapters/jsonl made of them,
// whose package doc has the table that this is the inverse of. What says no more than if it
// were not there (null, an empty list of a record) is written as Python writes it; times are in
// UTC, whatever their offset was.
type dump struct {
	report *Report
	w      *bufio.Writer
	lines  map[int64][]schema.Event // by number
}

// partsOfLine is how many numbers of Event.Seq one line has.
const partsOfLine = 1000

// add takes an event of a dump. Other events of its session, such as a tag, are of no line.
func (d *dump) add(r *history.Record) {
	e := r.Event
	switch {
	case e.EventType == schema.SourcePosition, e.EventType == schema.SessionUpdate && e.Origin == schema.OriginAudit:
		return
	case e.Origin != schema.OriginAudit, e.SourceSDK != "agent-framework", len(schema.Field(e.Extra, "trace_event")) > 0:
		if d.lines != nil {
			d.report.leave(string(e.EventType))
		}
		return
	}
	if d.lines == nil {
		d.lines = map[int64][]schema.Event{}
	}
	kept, err := schema.Decode(slices.Clone(r.Line)) // r's fields are of a line that is not ours
	if err == nil {
		d.lines[e.Seq/partsOfLine] = append(d.lines[e.Seq/partsOfLine], kept)
	}
}

func (d *dump) write() error {
	for _, n := range slices.Sorted(maps.Keys(d.lines)) {
		events := d.lines[n]
		slices.SortStableFunc(events, func(a, b schema.Event) int { return int(a.Seq - b.Seq) })
		d.report.Items++
		d.w.Write(lineOf(events).json())
		if err := d.w.WriteByte('\n'); err != nil {
			return err
		}
	}
	return nil
}

// The fields of the dataclasses, in their order, with what stands for nothing.
var (
	agentCallFields = []pyField{{"timestamp", ""}, {"run_id", ""}, {"caller_id", "null"}, {"agent_name", ""}, {"system_prompt", `""`},
		{"system_prompt_sources", "[]"}, {"user_prompt", `""`}, {"user_prompt_sources", "[]"}, {"llm_message_sent", "null"},
		{"llm_message_received", "null"}, {"model_response", "null"}, {"agent_decision", "null"}, {"callbacks", "[]"},
		{"skill_invocations", "[]"}, {"events", "[]"}}
	decisionFields   = fields("kind message response parameters subagent_id tool_name callback_intent")
	callbackFields   = fields("timestamp intent prompt target response")
	skillFields      = fields("timestamp skill_name parameters inventory")
	userOutputFields = fields("type timestamp role text")
	userInputFields  = fields("type timestamp prompt response")
	permissionFields = fields("type timestamp tool_name action resource summary allowed remember_for_session")
	memoryFields     = fields("type timestamp operation memory_uri scope mime_type title summary size_bytes version metadata")
)

func fields(names string) (out []pyField) {
	for _, name := range strings.Fields(names) {
		out = append(out, pyField{name: name})
	}
	return out
}

// lineOf is the line that made these events.
func lineOf(events []schema.Event) *pyObject {
	record, order := pyMembers{}, []string(nil)
	for i := range events {
		e := &events[i]
		m, names := membersOf(e.Extra)
		switch e.HookEventName {
		case "agent_call":
			order = append(order, callPart(record, m, names, e)...)
		case "agent_decision":
			if e.EventType == schema.Decision {
				record["agent_decision"] = decisionOf(m, names, e)
			}
		case "callback":
			m.setTime(e)
			m.set("prompt", e.Content)
			record.add("callbacks", m.object(callbackFields, names).or(""))
		case "skill_invocation":
			if e.EventType == schema.ToolStart {
				record.add("skill_invocations", skillOf(m, names, e))
			}
		case "event":
			if entry, ok := m["event"]; ok && len(m) == 1 {
				record.add("events", entry) // a note that was no object
			} else {
				record.add("events", m.object(nil, names).or(""))
			}
		default:
			return typedLine(m, names, e)
		}
	}
	return record.object(agentCallFields, order)
}

// callPart takes the part of a record that an event of the call itself tells, and returns the
// names of members that no field takes.
func callPart(record, m pyMembers, names []string, e *schema.Event) []string {
	switch e.EventType {
	case schema.AgentStart:
		maps.Copy(record, m)
		record.set("run_id", e.AgentID)
		if given, ok := m["run_id"]; ok {
			record["run_id"] = given // an id too long for a lane, or a number
		}
		record.set("agent_name", e.AgentName)
		if given, ok := m["agent_name"]; ok {
			record["agent_name"] = given
		}
		record.set("user_prompt", e.Content)
		record.setTime(e)
		return names
	case schema.Message:
		name := "user_prompt"
		if e.Role == schema.RoleSystem {
			name = "system_prompt"
			record.set(name, e.Content)
		}
		if sources, ok := m[name+"_sources"]; ok {
			record[name+"_sources"] = sources
		}
	case schema.LLMStart:
		record["llm_message_sent"] = cmp.Or(m["request"], "null")
	case schema.LLMEnd:
		maps.Copy(record, m)
		record.set("llm_message_received", e.Content)
	}
	return nil
}

func decisionOf(m pyMembers, names []string, e *schema.Event) string {
	m.set("message", e.Content)
	m.set("tool_name", e.ToolName)
	if _, ok := m["subagent_id"]; !ok {
		m.set("subagent_id", e.ToAgent)
	}
	return m.object(decisionFields, names).or("")
}

func skillOf(m pyMembers, names []string, e *schema.Event) string {
	m.setTime(e)
	for name, in := range map[string]string{"skill_name": "skill", "parameters": "parameters"} {
		if v := schema.Field(e.ToolInput, in); len(v) > 0 {
			m[name] = string(v)
		}
	}
	return m.object(skillFields, names).or("")
}

// typedLine is the line of a typed record; one of a kind that nobody knows is whole in extra.
func typedLine(m pyMembers, names []string, e *schema.Event) *pyObject {
	if e.EventType == schema.Unknown {
		return m.object(nil, names)
	}
	m.set("type", e.HookEventName)
	m.setTime(e)
	switch e.HookEventName {
	case "user_output":
		if _, ok := m["role"]; !ok {
			m.set("role", e.Role)
		}
		m.set("text", e.Content)
		return m.object(userOutputFields, names)
	case "user_input":
		m.set("response", e.Content)
		return m.object(userInputFields, names)
	case "permission_request":
		m.set("tool_name", e.ToolName)
		m.set("summary", e.Content)
		return m.object(permissionFields, names)
	}
	return m.object(memoryFields, names)
}

// setTime sets the line's time, where it had one.
func (m pyMembers) setTime(e *schema.Event) {
	if _, missing := m["timestamp_missing"]; missing {
		delete(m, "timestamp_missing")
		return
	}
	m.set("timestamp", pyTime(e.Timestamp))
}
