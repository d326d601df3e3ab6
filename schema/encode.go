package schema

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
)

// TimeLayout is RFC 3339 in UTC with fixed-width nanoseconds: the order of such
// strings is the order of time.
const TimeLayout = "2006-01-02T15:04:05.000000000Z"

// FormatTime renders t in TimeLayout.
func FormatTime(t time.Time) string { return t.UTC().Format(TimeLayout) }

// AppendJSON appends the event as one line of JSON, without a newline. Raw fields
// are copied as they are: json.Marshal would parse and compact each of them again,
// which for a 2 MB payload is most of a hook's time.
func (e *Event) AppendJSON(dst []byte) []byte {
	w := objectWriter{buf: append(dst, '{')}
	w.int("v", int64(e.V))
	w.string("event_id", e.EventID)
	w.string("event_type", string(e.EventType))
	w.string("session_id", e.SessionID)
	w.key("timestamp")
	w.buf = append(w.buf, '"')
	w.buf = e.Timestamp.UTC().AppendFormat(w.buf, TimeLayout)
	w.buf = append(w.buf, '"')
	w.string("source_sdk", e.SourceSDK)
	w.string("origin", string(e.Origin))
	w.optional("hook_event_name", e.HookEventName)
	w.optional("agent_id", e.AgentID)
	w.optional("agent_type", e.AgentType)
	if e.Seq != 0 {
		w.int("seq", e.Seq)
	}
	w.optional("actor", e.Actor)
	w.optional("caused_by", e.CausedBy)
	w.optional("frame_id", e.FrameID)
	w.optional("input_hash", e.InputHash)
	w.optional("prompt_hash", e.PromptHash)
	w.optional("prompt_id", e.PromptID)
	w.optional("host", e.Host)
	w.optional("user_id", e.UserID)
	w.optional("working_directory", e.WorkingDirectory)
	w.optional("tool_name", e.ToolName)
	w.optional("tool_use_id", e.ToolUseID)
	w.raw("tool_input", e.ToolInput)
	w.raw("result", e.Result)
	if e.IsError {
		w.key("is_error")
		w.buf = append(w.buf, "true"...)
	}
	w.optional("error_type", e.ErrorType)
	w.optional("error_message", e.ErrorMessage)
	w.float("duration_ms", e.DurationMS)
	w.optional("agent_name", e.AgentName)
	w.optional("parent_agent_name", e.ParentAgentName)
	w.optional("from_agent", e.FromAgent)
	w.optional("to_agent", e.ToAgent)
	w.optional("role", e.Role)
	w.optional("content", e.Content)
	w.optional("model", e.Model)
	w.optional("status", e.Status)
	w.optional("reason", e.Reason)
	w.optional("title", e.Title)
	w.optional("message_id", e.MessageID)
	w.count("input_tokens", e.InputTokens)
	w.count("output_tokens", e.OutputTokens)
	w.count("cache_read_input_tokens", e.CacheReadInputTokens)
	w.count("cache_creation_input_tokens", e.CacheCreationInputTokens)
	w.count("ephemeral_5m_input_tokens", e.Ephemeral5mInputTokens)
	w.count("ephemeral_1h_input_tokens", e.Ephemeral1hInputTokens)
	w.float("cost_usd", e.CostUSD)
	w.optional("task_id", e.TaskID)
	w.optional("parent_task_id", e.ParentTaskID)
	w.strings("tags", e.Tags)
	w.strings("related_to", e.RelatedTo)
	w.optional("parent_session_id", e.ParentSessionID)
	w.optional("parent_event_id", e.ParentEventID)
	w.counts("redacted", e.Redacted)
	if e.Cut != 0 {
		w.int("cut", int64(e.Cut))
	}
	w.raw("metadata", e.Metadata)
	w.raw("extra", e.Extra)
	return append(w.buf, '}')
}

// MarshalJSON makes encoding/json agree with AppendJSON.
func (e Event) MarshalJSON() ([]byte, error) { return e.AppendJSON(nil), nil }

type objectWriter struct{ buf []byte }

func (w *objectWriter) key(name string) {
	if w.buf[len(w.buf)-1] != '{' {
		w.buf = append(w.buf, ',')
	}
	w.buf = append(w.buf, '"')
	w.buf = append(w.buf, name...)
	w.buf = append(w.buf, '"', ':')
}

func (w *objectWriter) string(name, s string) {
	w.key(name)
	w.buf = AppendString(w.buf, s)
}

func (w *objectWriter) optional(name, s string) {
	if s != "" {
		w.string(name, s)
	}
}

func (w *objectWriter) int(name string, n int64) {
	w.key(name)
	w.buf = strconv.AppendInt(w.buf, n, 10)
}

func (w *objectWriter) count(name string, n *int64) {
	if n != nil {
		w.int(name, *n)
	}
}

// float writes a finite number: JSON has no NaN and no infinity, and one of them
// would make the whole line unreadable.
func (w *objectWriter) float(name string, f *float64) {
	if f == nil || math.IsNaN(*f) || math.IsInf(*f, 0) {
		return
	}
	w.key(name)
	b, _ := json.Marshal(*f)
	w.buf = append(w.buf, b...)
}

func (w *objectWriter) raw(name string, raw json.RawMessage) {
	if len(raw) > 0 {
		w.key(name)
		w.buf = append(w.buf, raw...)
	}
}

func (w *objectWriter) strings(name string, list []string) {
	if len(list) == 0 {
		return
	}
	w.key(name)
	w.buf = append(w.buf, '[')
	for i, s := range list {
		if i > 0 {
			w.buf = append(w.buf, ',')
		}
		w.buf = AppendString(w.buf, s)
	}
	w.buf = append(w.buf, ']')
}

func (w *objectWriter) counts(name string, m map[string]int) {
	if len(m) == 0 {
		return
	}
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	w.key(name)
	w.buf = append(w.buf, '{')
	for i, k := range keys {
		if i > 0 {
			w.buf = append(w.buf, ',')
		}
		w.buf = AppendString(w.buf, k)
		w.buf = append(w.buf, ':')
		w.buf = strconv.AppendInt(w.buf, int64(m[k]), 10)
	}
	w.buf = append(w.buf, '}')
}

const hexDigits = "0123456789abcdef"

// AppendString appends s as a JSON string. Only what JSON requires is escaped;
// invalid UTF-8 becomes U+FFFD.
func AppendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		if i+8 <= len(s) && asIs(s[i:i+8]) {
			i += 8
			continue
		}
		c := s[i]
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && n == 1 {
				dst = append(dst, s[start:i]...)
				dst = append(dst, "\ufffd"...)
				start = i + 1
			}
			i += n
			continue
		}
		if c >= ' ' && c != '"' && c != '\\' {
			i++
			continue
		}
		dst = append(dst, s[start:i]...)
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
		i++
		start = i
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}

// asIs reports whether eight bytes stand in a JSON string as they are: ASCII, and neither
// a control character nor a quote or a backslash.
func asIs(s string) bool {
	_ = s[7]
	w := uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
	return (w|below(w, ' ')|equal(w, '"')|equal(w, '\\'))&tops == 0
}
