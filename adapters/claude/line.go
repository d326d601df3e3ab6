package claude

import (
	"bytes"
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

	message, toolUseResult, attachment, content json.RawMessage
	requestID, errorType                        string
	denialKind, decision                        string
	costUSD, durationMS                         *float64

	kept   []member // what goes into Extra, under our names
	others []member // what no field took, under the line's own names
	faults []error
}

func readLine(raw []byte, n int64) *line {
	l := &line{raw: raw, n: n}
	for key, v := range schema.Fields(raw) {
		l.member(key, v)
	}
	return l
}

func (l *line) member(key string, v json.RawMessage) {
	switch key {
	case "type":
		l.typ = schema.Unquote(v)
	case "subtype":
		l.subtype = schema.Unquote(v)
	case "uuid":
		l.uuid = schema.Unquote(v)
		l.keep("uuid", v)
	case "parentUuid":
		l.parent = schema.Unquote(v)
		l.root = string(v) == "null"
		l.keep("parent_uuid", v)
	case "timestamp":
		l.setTime(v)
	case "sessionId":
		l.session = schema.Unquote(v)
	case "requestSessionId":
		l.requestSession = schema.Unquote(v)
	case "forkedFrom":
		l.forkedFrom = schema.FieldString(v, "sessionId")
	case "agentId":
		l.agent = schema.Unquote(v)
	case "promptId":
		l.promptID = schema.Unquote(v)
	case "cwd":
		l.cwd = schema.Unquote(v)
	case "version":
		l.version = schema.Unquote(v)
	case "entrypoint":
		l.entrypoint = schema.Unquote(v)
	case "gitBranch":
		l.branch = schema.Unquote(v)
	case "isSidechain":
		l.sidechain = isTrue(v)
	case "isMeta":
		l.meta = isTrue(v)
	case "isCompactSummary":
		l.compactSummary = isTrue(v)
	case "isApiErrorMessage":
		l.apiError = isTrue(v)
	case "message":
		l.message = v
	case "content":
		l.content = v
	case "toolUseResult":
		l.toolUseResult = v
	case "attachment":
		l.attachment = v
		l.subtype = schema.FieldString(v, "type")
	case "requestId":
		l.requestID = schema.Unquote(v)
	case "costUSD":
		l.costUSD = number(v)
	case "durationMs":
		l.durationMS = number(v)
	case "error":
		l.errorType = schema.Unquote(v)
		l.others = append(l.others, member{key: key, raw: v})
	case "permissionMode":
		l.permissionMode = schema.Unquote(v)
		l.keep("permission_mode", v)
	case "toolDenialKind":
		l.denialKind = schema.Unquote(v)
		l.keep("tool_denial_kind", v)
	case "permissionDecision":
		l.decision = schema.FieldString(v, "decision")
		l.keep("permission_decision", v)
	case "logicalParentUuid", "userType", "slug", "session_id", "rendered", "renderedRole", "isVisibleInTranscriptOnly":
		// What every line repeats, and what another field says.
	default:
		if name := keptAs(key); name != "" {
			l.keep(name, v)
		} else {
			l.others = append(l.others, member{key: key, raw: v})
		}
	}
}

// keptAs returns the name under which Extra keeps a member, "" for one that it does
// not keep of a user's or assistant's line.
func keptAs(key string) string {
	switch key {
	case "origin", "effort":
		return key
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

func (l *line) keep(name string, v json.RawMessage) {
	if !hollow(v) && len(v) <= maxKept {
		l.kept = append(l.kept, member{key: name, raw: v})
	}
}

// extra returns what Extra keeps of the line, and more.
func (l *line) extra(more ...member) json.RawMessage {
	out := []byte{'{'}
	for _, list := range [][]member{l.kept, more} {
		for _, m := range list {
			out = appendMember(out, m.key, m.raw)
		}
	}
	if l.sidechain {
		out = appendMember(out, "is_sidechain", []byte("true"))
	}
	if l.meta {
		out = appendMember(out, "is_meta", []byte("true"))
	}
	if len(out) == 1 {
		return nil
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
	if len(v) < 2 || v[0] != '"' || t.UnmarshalText(v[1:len(v)-1]) != nil || t.UTC().Year() < 1970 || t.UTC().Year() > 2261 {
		return time.Time{}, errors.New("timestamp: want an RFC 3339 time of 1970 to 2261, the one of the line before is taken")
	}
	return t.UTC(), nil
}

func (l *line) fault(what string) { l.faults = append(l.faults, errors.New(what)) }

func (l *line) err() error { return errors.Join(l.faults...) }

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
		if !l.time.IsZero() && !l.time.After(o.Until) {
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

func count(v json.RawMessage) *int64 {
	n, err := strconv.ParseInt(string(v), 10, 64)
	if err != nil || n < 0 {
		return nil
	}
	return &n
}

func hashOf(s string) uint64 {
	h := uint64(14695981039346656037) // FNV-1a
	for i := 0; i < len(s); i++ {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}

// needless reports the kind of a line that is known by its type to hold no fact, by
// its first bytes: such a line can be a whole system prompt.
func needless(b []byte) (kind string, ok bool) {
	if b[0] != '{' || b[len(b)-1] != '}' {
		return "", false
	}
	for i := afterSpace(b, 1); i < len(b) && b[i] == '"'; {
		end := bytes.IndexByte(b[i+1:], '"')
		if end < 0 {
			return "", false
		}
		key := b[i+1 : i+1+end]
		i += end + 2
		if i >= len(b) || b[i] != ':' {
			return "", false
		}
		i = afterSpace(b, i+1)
		switch string(key) {
		case "type":
			kind = listed(needlessTypes, stringAt(b, i))
			return kind, kind != ""
		case "attachment":
			const begin = `{"type":`
			if !bytes.HasPrefix(b[i:], []byte(begin)) {
				return "", false
			}
			kind = listed(needlessAttachments, stringAt(b, afterSpace(b, i+len(begin))))
			return "attachment/" + kind, kind != ""
		case "message", "toolUseResult":
			return "", false // of a line that holds facts
		}
		end, complete := schema.ValueEnd(b[i:])
		if !complete || i+end >= len(b) || b[i+end] != ',' {
			return "", false
		}
		i = afterSpace(b, i+end+1)
	}
	return "", false
}

func afterSpace(b []byte, i int) int {
	for i < len(b) && b[i] == ' ' {
		i++
	}
	return i
}

// stringAt returns the string that begins at b[i], nil if there is none without an
// escape.
func stringAt(b []byte, i int) []byte {
	if i >= len(b) || b[i] != '"' {
		return nil
	}
	end := bytes.IndexByte(b[i+1:], '"')
	if end < 0 || bytes.IndexByte(b[i+1:i+1+end], '\\') >= 0 {
		return nil
	}
	return b[i+1 : i+1+end]
}
