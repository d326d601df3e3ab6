package jsonl

import (
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/actiongraph/actiongraph/schema"
)

// SessionID names the session of a dump: the stem of its file's name and a short hash of
// its first line, so that two machines' dumps of one second stay apart.
func SessionID(stem string, firstLine []byte) string {
	return schema.SafeID(stem + "-" + schema.NewID("audit", string(firstLine))[:8])
}

// Kinds of the lines of a dump: the `type` of a typed record, and AgentCallAuditRecord,
// which has none. They are the hook_event_name of what comes of them.
const (
	kindAgentCall  = "agent_call"
	kindUserOutput = "user_output"
	kindUserInput  = "user_input"
	kindPermission = "permission_request"
	kindMemory     = "memory_operation"
)

// Parts of an AgentCallAuditRecord: hook_event_name of what comes of them.
const (
	partDecision = "agent_decision"
	partCallback = "callback"
	partSkill    = "skill_invocation"
	partEvent    = "event"
)

// audit reads one line of a dump (agent_framework.audit_trace).
func (d *Decoder) audit(dst []schema.Event, line []byte, n int64, at time.Time) ([]schema.Event, Line, error) {
	v, err := lineValue(line)
	if err != nil {
		return dst, Line{}, err
	}
	f := d.draft(dst, n, at, lineKey(line))
	var c agentCall
	if v.begins("type") { // as typed records do, whose fields are not an agent call's
		c.typ = v.member("type")
	}
	if c.typ.null() {
		readCall(&c, v, true)
	}
	switch {
	case c.typ.null():
		f.agentCall(v, &c)
	case c.typ.first() != '"':
		f.fail(c.typ.fault("type", "want a string, got %s", c.typ.what()))
	default:
		f.typed(c.typ.text(), v)
	}
	return f.done(n)
}

// lineKey is what a line without a name of its own is known by: the hash of its bytes.
func lineKey(line []byte) string {
	sum := sha256.Sum256(line)
	return hex.EncodeToString(sum[:16])
}

// typed adds the one event of a typed record. Fields are kept in extra unless the event
// says them in the same words.
func (f *draft) typed(kind string, v value) {
	if f.kind = shortName(kind); kind == "" {
		f.kind = "untyped" // of which nobody knows a kind
	}
	switch kind {
	case kindUserOutput:
		f.userOutput(v)
	case kindUserInput:
		f.userInput(v)
	case kindPermission:
		f.permission(v)
	case kindMemory:
		f.memory(v)
	default:
		f.unknown(v)
	}
}

func (f *draft) userOutput(v value) {
	var extra object
	var role string
	e := f.add(schema.Message, idMain)
	for name, m := range v.members() {
		switch string(name) {
		case "type":
		case "timestamp":
			f.setTime(m)
		case "role":
			role = f.takeText(m, "role", &extra)
		case "text":
			e.Content = f.takeText(m, "text", &extra)
		default:
			extra.raw(string(name), m)
		}
	}
	e.Role, e.Actor = schema.RoleSystem, schema.ActorRuntime
	switch role {
	case schema.RoleSystem, "":
	case schema.RoleAssistant:
		e.Role, e.Actor = role, schema.ActorAgent
	case schema.RoleUser:
		e.Role, e.Actor = role, schema.ActorUser
	default:
		extra.text("role", role)
	}
	f.finish(e, &extra)
}

func (f *draft) userInput(v value) {
	var extra object
	e := f.add(schema.Message, idMain)
	e.Role, e.Actor = schema.RoleUser, schema.ActorUser
	for name, m := range v.members() {
		switch string(name) {
		case "type":
		case "timestamp":
			f.setTime(m)
		case "response":
			e.Content = f.takeText(m, "response", &extra)
		default:
			extra.raw(string(name), m)
		}
	}
	f.finish(e, &extra)
}

// permission names no call, so it is a fact of the session's main lane.
func (f *draft) permission(v value) {
	var extra object
	e := f.add(schema.Permission, idMain)
	e.Actor = schema.ActorRuntime
	e.Status = schema.StatusUnknown
	for name, m := range v.members() {
		switch string(name) {
		case "type":
		case "timestamp":
			f.setTime(m)
		case "tool_name":
			e.ToolName = f.takeText(m, "tool_name", &extra)
		case "summary":
			e.Content = f.takeText(m, "summary", &extra)
		case "action":
			e.Reason = f.text(m, "action")
			extra.raw("action", m)
		case "allowed":
			switch m.first() {
			case 't':
				e.Status = schema.StatusCompleted
			case 'f':
				e.Status = schema.StatusDenied
			case 'n':
			default:
				f.fail(m.fault("allowed", "want true or false, got %s", m.what()))
			}
			extra.raw("allowed", m)
		default:
			extra.raw(string(name), m)
		}
	}
	f.finish(e, &extra)
}

// memory keeps all fields in extra: title, content and reason only show them.
func (f *draft) memory(v value) {
	var extra object
	e := f.add(schema.Memory, idMain)
	e.Actor = schema.ActorRuntime
	for name, m := range v.members() {
		switch string(name) {
		case "type":
			continue
		case "timestamp":
			f.setTime(m)
			continue
		case "operation":
			e.Reason = f.text(m, "operation")
		case "title":
			e.Title = f.text(m, "title")
		case "summary":
			e.Content = f.text(m, "summary")
		}
		extra.raw(string(name), m)
	}
	f.finish(e, &extra)
}

// unknown keeps a line of a kind that nobody knows, whole. Even its timestamp may be
// something else there.
func (f *draft) unknown(v value) {
	f.line.Unknown = true
	f.time = f.at
	if t, ok := parseTime(v.member("timestamp").text()); ok {
		f.time = t
	}
	e := f.add(schema.Unknown, idMain)
	e.Actor = schema.ActorRuntime
	e.Timestamp = f.time
	e.Extra = v.cloned()
}

// shortName is a name from a payload, as it is counted and shown.
func shortName(name string) string {
	name, _ = schema.CutString(name, maxName)
	return name
}
