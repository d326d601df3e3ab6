package jsonl

import (
	"strings"

	"github.com/actiongraph/actiongraph/schema"
)

// Detect says what a line is by what is in it, in whatever order; ok is false where nobody
// can tell. It is for the first line of a file that says anything. The line need not be
// valid, nor whole: what is before the fault counts.
func Detect(line []byte) (f Format, ok bool) {
	line = line[spaceEnd(line):]
	if len(line) > 0 && line[0] == '[' { // a batch: its first member is one for all
		rest := line[1:]
		line = rest[spaceEnd(rest):]
	}
	var m marks
	for name, raw := range schema.Fields(line) {
		if len(raw) > 0 && raw[0] != 'n' {
			m.mark(name, raw)
		}
	}
	f = m.format()
	return f, f != ""
}

// spaceEnd is where what is no blank begins, nor the mark that some editors begin a file with.
func spaceEnd(b []byte) int {
	i := 0
	for i < len(b) && (b[i] == ' ' || b[i] == '\t' || b[i] == '\r' || b[i] == '\n' || b[i] == 0xEF || b[i] == 0xBB || b[i] == 0xBF) {
		i++
	}
	return i
}

// marks are the members by which formats are told apart.
type marks struct {
	kind, typ                   string // kind, type
	grains, fields, grainType   bool
	eventType, session          bool
	context, payload, timestamp bool
	runID, agentName, caller    bool
	toolName, hook, claude      bool
}

func (m *marks) mark(name string, raw []byte) {
	text := raw[0] == '"'
	switch name {
	case "kind":
		m.kind = schema.Unquote(raw)
	case "type":
		m.typ = schema.Unquote(raw)
	case "grains":
		m.grains = raw[0] == '['
	case "fields":
		m.fields = raw[0] == '{'
	case "grain_type":
		m.grainType = text
	case "event_type":
		m.eventType = text
	case "session_id":
		m.session = text
	case "context":
		m.context = raw[0] == '{'
	case "payload":
		m.payload = true
	case "timestamp":
		m.timestamp = true
	case "run_id":
		m.runID = true
	case "agent_name":
		m.agentName = text
	case "caller_id", "llm_message_sent", "system_prompt_sources", "user_prompt_sources", "agent_decision":
		m.caller = true
	case "tool_name":
		m.toolName = text
	case "hook_event_name":
		m.hook = true
	case "sessionId", "parentUuid", "leafUuid", "isSidechain", "messageId":
		m.claude = true
	}
}

func (m *marks) format() Format {
	switch {
	case m.eventType && m.session:
		return Events
	case m.hook, m.eventType:
		return "" // what a runtime gives its hooks: no file of it is read
	case m.grains, m.grainType && (m.fields || m.toolName):
		return OMS
	case m.claude && m.typ != "":
		return Claude
	case m.kind != "" && (m.context && m.payload || (m.context || m.payload) && strings.Contains(m.kind, ".")):
		return TraceEvents
	case isAuditType(m.typ) && m.timestamp, m.typ == "" && m.runID && (m.agentName || m.caller):
		return Audit
	case m.toolName && (m.typ == "" || isActionType(m.typ)), m.grainType:
		return OMS
	}
	return ""
}

// isAuditType reports whether an audit dump's typed record is of that type.
func isAuditType(typ string) bool {
	switch typ {
	case "user_output", "user_input", "permission_request", "memory_operation":
		return true
	}
	return false
}
