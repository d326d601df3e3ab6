package claude

import (
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"github.com/actiongraph/actiongraph/schema"
)

// line is one line of a transcript, taken apart once. Raw fields alias it.
type line struct {
	raw []byte
	n   int64

	typ, subtype string // "system", "turn_duration"
	uuid, parent string
	root         bool // parentUuid is null
	time         time.Time

	session, agent, promptID, cwd string
	version, entrypoint, branch   string
	permissionMode                string
	requestSession, forkedFrom    string // of a copy: whose it is

	sidechain, meta, compactSummary, apiError bool

	message                            message
	toolUseResult, attachment, content json.RawMessage
	requestID, errorType               string
	denialKind, decision, decidedBy    string
	costUSD, durationMS                *float64

	taken  string        // the prompt that a line of the queue hands to the agent
	texts  *schema.Texts // most lines repeat what lines before said; may be nil
	kept   []member      // what goes into Extra, under our names
	others []member      // what no field took, under the line's own names
	faults []error
}

// readLine takes a line apart into l, whose memory it uses again. whole is false where the
// line is not one JSON object; what is in l means nothing then.
func readLine(l *line, raw []byte, n int64) (_ *line, whole bool) {
	*l = line{raw: raw, n: n, texts: l.texts, kept: l.kept[:0], others: l.others[:0], message: message{blocks: l.message.blocks[:0]}}
	c := cursor{b: raw, texts: l.texts}
	if c.at() != '{' {
		return l, false
	}
	for c.enter(); c.member(); {
		l.member(&c)
	}
	return l, c.whole()
}

// release lets go of the bytes of the line: a file that nobody writes to any more must
// not keep its last line, which can be long.
func (l *line) release() {
	l.raw, l.toolUseResult, l.attachment, l.content = nil, nil, nil, nil
	l.message.usage, l.message.text = nil, nil
	clear(l.message.blocks)
	clear(l.kept)
	clear(l.others)
}

// parts is how many events the line mostly gives.
func (l *line) parts() int {
	n := max(1, len(l.message.blocks))
	if l.message.usage != nil {
		n++
	}
	return n
}

func (l *line) member(c *cursor) {
	switch string(c.key) {
	case "type":
		l.typ = c.text()
	case "subtype":
		l.subtype = c.text()
	case "uuid":
		l.uuid = l.keep("uuid", c)
	case "parentUuid":
		l.root = c.at() == 'n'
		l.parent = l.keep("parent_uuid", c)
	case "timestamp":
		l.setTime(c.value())
	case "sessionId":
		l.session = c.text()
	case "requestSessionId":
		l.requestSession = c.text()
	case "forkedFrom":
		l.forkedFrom = schema.FieldString(c.value(), "sessionId")
	case "agentId":
		l.agent = c.text()
	case "promptId":
		l.promptID = c.text()
	case "cwd":
		l.cwd = c.text()
	case "version":
		l.version = c.text()
	case "entrypoint":
		l.entrypoint = c.text()
	case "gitBranch":
		l.branch = c.text()
	case "isSidechain":
		l.sidechain = isTrue(c.value())
	case "isMeta":
		l.meta = isTrue(c.value())
	case "isCompactSummary":
		l.compactSummary = isTrue(c.value())
	case "isApiErrorMessage":
		l.apiError = isTrue(c.value())
	case "message":
		l.message.read(c)
	case "content":
		l.content = c.value()
	case "toolUseResult":
		l.toolUseResult = c.value()
	case "attachment":
		l.attachment = c.value()
		l.subtype = schema.FieldString(l.attachment, "type")
	case "requestId":
		l.requestID = c.text()
	case "costUSD":
		l.costUSD = number(c.value())
	case "durationMs":
		l.durationMS = number(c.value())
	case "error":
		v := c.value()
		l.errorType = l.texts.Unquote(v)
		l.others = append(l.others, member{key: "error", raw: v})
	case "permissionMode":
		l.permissionMode = l.keep("permission_mode", c)
	case "toolDenialKind":
		l.denialKind = l.keep("tool_denial_kind", c)
	case "permissionDecision":
		l.decision = schema.FieldString(c.b[c.i:], "decision")
		l.decidedBy = schema.FieldString(c.b[c.i:], "source")
		l.keep("permission_decision", c)
	case "logicalParentUuid", "userType", "slug", "session_id", "rendered", "renderedRole", "isVisibleInTranscriptOnly":
		// What every line repeats, and what another field says.
	default:
		if name := keptAs(c.key); name != "" {
			l.keep(name, c)
		} else if l.typ != "user" && l.typ != "assistant" {
			l.others = append(l.others, member{key: schema.Unquote(quoted(c.key)), raw: c.value()})
		}
	}
}

// quoted returns the JSON string that key is the inside of.
func quoted(key []byte) []byte { return append(append([]byte{'"'}, key...), '"') }

// keptAs returns the name under which Extra keeps a member, "" for one that it does
// not keep of a user's or assistant's line.
func keptAs(key []byte) string {
	switch string(key) {
	case "origin":
		return "origin"
	case "effort":
		return "effort"
	case "promptSource":
		return "prompt_source"
	case "sourceToolUseID":
		return "source_tool_use_id"
	case "interruptedMessageId":
		return "interrupted_message_id"
	case "teamName":
		return "team_name"
	case "attributionAgent":
		return "attribution_agent"
	case "attributionSkill":
		return "attribution_skill"
	case "thinkingDurationMs":
		return "thinking_duration_ms"
	case "apiErrorStatus":
		return "api_error_status"
	case "apiErrorType":
		return "api_error_type"
	case "quotaLimits":
		return "quota_limits"
	}
	return ""
}

// maxKept is how long a value may be that Extra keeps beside the typed fields.
const maxKept = 2 << 10

// keep takes the value that c is at for Extra, and returns its text.
func (l *line) keep(name string, c *cursor) string {
	v := c.value()
	if !hollow(v) && len(v) <= maxKept {
		l.kept = append(l.kept, member{key: name, raw: v})
	}
	return l.texts.Unquote(v)
}

// extra returns what Extra keeps of the line, and more.
func (l *line) extra(more ...member) json.RawMessage {
	if l.sidechain {
		more = append(more, member{key: "is_sidechain", raw: []byte("true")})
	}
	if l.meta {
		more = append(more, member{key: "is_meta", raw: []byte("true")})
	}
	size := 2
	for _, m := range l.kept {
		size += m.size()
	}
	for _, m := range more {
		size += m.size()
	}
	if size == 2 {
		return nil
	}
	out := append(make([]byte, 0, size), '{')
	for _, m := range l.kept {
		out = appendMember(out, m.key, m.raw)
	}
	for _, m := range more {
		out = appendMember(out, m.key, m.raw)
	}
	return append(out, '}')
}

func (l *line) setTime(v json.RawMessage) {
	t, err := parseTime(v)
	if err != nil {
		l.faults = append(l.faults, err)
		return
	}
	l.time = t
}

func parseTime(v json.RawMessage) (time.Time, error) {
	var t time.Time
	if len(v) < 2 || v[0] != '"' || t.UnmarshalText(v[1:len(v)-1]) != nil || !inRange(t.UTC()) {
		return time.Time{}, errors.New("timestamp: want an RFC 3339 time of 1970 to 2261, the one of the line before is taken")
	}
	return t.UTC(), nil
}

// inRange reports whether an event can have the time, which is in UTC.
func inRange(t time.Time) bool { return t.Year() >= 1970 && t.Year() <= 2261 }

func (l *line) fault(what string) { l.faults = append(l.faults, errors.New(what)) }

// key names the line: its uuid, else where it is.
func (l *line) key(src Source) string {
	if l.uuid != "" {
		return l.uuid
	}
	return schema.NewID(src.Session, src.Agent, strconv.FormatInt(l.n, 10), string(l.raw))
}

// kind is the line's type, with the subtype where it has one.
func (l *line) kind() string {
	if l.subtype != "" && (l.typ == "system" || l.typ == "attachment") {
		return l.typ + "/" + l.subtype
	}
	return l.typ
}

// name is the event's hook_event_name.
func (l *line) name() string {
	switch {
	case l.compactSummary:
		return "summary"
	case l.subtype != "":
		return l.subtype
	}
	return l.typ
}

// copiedFrom returns the session that a fork copied the line from, "" where the line
// is the file's own.
func (l *line) copiedFrom(origins []Origin) (session string, copied bool) {
	if l.uuid == "" || l.session == "" {
		return "", false
	}
	if l.requestSession != "" && l.requestSession != l.session {
		return l.requestSession, true
	}
	for _, o := range origins {
		if l.n <= o.Line && !l.time.IsZero() && !l.time.After(o.Until) {
			return o.Session, true
		}
	}
	if l.forkedFrom != "" && l.forkedFrom != l.session {
		return l.forkedFrom, true
	}
	return "", false
}

func isTrue(v json.RawMessage) bool { return string(v) == "true" }

// hollow reports whether a value says nothing: null, false, 0, "", an empty array, or
// an object of such values.
func hollow(v json.RawMessage) bool {
	switch string(v) {
	case "null", "false", "0", `""`, "[]", "{}":
		return true
	}
	if len(v) == 0 || v[0] != '{' {
		return len(v) == 0
	}
	for _, m := range schema.Fields(v) {
		if !hollow(m) {
			return false
		}
	}
	return true
}

func number(v json.RawMessage) *float64 {
	f, err := strconv.ParseFloat(string(v), 64)
	if err != nil || f < 0 {
		return nil
	}
	return &f
}

func hashOf(s string) uint64 {
	h := uint64(14695981039346656037) // FNV-1a
	for i := 0; i < len(s); i++ {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}
