package schema

import (
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"time"
)

// Decode reads one line of a journal. Unknown members are ignored (a newer
// writer's), a member of the wrong type is an error that names it. Raw fields
// are copies: nothing of the event aliases line.
func Decode(line []byte) (Event, error) { return (*Decoder)(nil).Decode(line) }

// Decoder decodes the lines of a journal. What lines repeat of each other (the session,
// the host, the model, a call's id) has one text in memory, which is most of the strings
// that there are. The zero Decoder is ready; a nil one keeps no texts. It is for one
// goroutine.
type Decoder struct {
	texts Texts
	// Alias leaves raw fields where they are: they are of the line, and good as long as it
	// is. Who folds an event keeps nothing of it, and copies were a twelfth of what it took.
	Alias bool
}

// Decode is the function Decode.
func (d *Decoder) Decode(line []byte) (e Event, err error) {
	var texts *Texts
	alias := false
	if d != nil {
		texts, alias = &d.texts, d.Alias
	}
	// One pass: a member is checked and, as long as nothing was wrong, taken.
	i := skipSpace(line, 0)
	if i >= len(line) || line[i] != '{' {
		if !Valid(line) {
			return Event{}, errNotJSON()
		}
		return e, invalidf("the line is not a JSON object")
	}
	i = skipSpace(line, i+1)
	for first := true; i >= len(line) || line[i] != '}'; first = false {
		if !first {
			if i >= len(line) || line[i] != ',' {
				return Event{}, errNotJSON()
			}
			i = skipSpace(line, i+1)
		}
		nameEnd, value := validName(line, i)
		if value < 0 {
			return Event{}, errNotJSON()
		}
		end := validValue(line, value, maxDepth-1)
		if end < 0 {
			return Event{}, errNotJSON()
		}
		if err == nil {
			err = e.take(texts, line[i:nameEnd], line[value:end:end], alias)
		}
		i = skipSpace(line, end)
	}
	if skipSpace(line, i+1) != len(line) {
		return Event{}, errNotJSON()
	}
	return e, err
}

func errNotJSON() error { return invalidf("the line is not valid JSON") }

// UnmarshalJSON makes encoding/json agree with Decode.
func (e *Event) UnmarshalJSON(line []byte) error {
	d, err := Decode(line)
	if err != nil {
		return err
	}
	*e = d
	return nil
}

// take takes one member into e; key is its raw name.
func (e *Event) take(texts *Texts, key []byte, raw json.RawMessage, alias bool) error {
	name, ok := plain(key)
	if !ok {
		name = []byte(Unquote(key))
	}
	if alias && raw[0] != 'n' {
		if field := e.rawField(name); field != nil {
			return setRaw(field, name, raw)
		}
	}
	_, err := e.Set(texts, name, raw)
	return err
}

// rawField returns the field of a name that holds JSON as it is.
func (e *Event) rawField(name []byte) *json.RawMessage {
	switch string(name) {
	case "tool_input":
		return &e.ToolInput
	case "result":
		return &e.Result
	case "metadata":
		return &e.Metadata
	case "extra":
		return &e.Extra
	}
	return nil
}

// setRaw sets such a field; metadata and extra are objects.
func setRaw(field *json.RawMessage, name []byte, raw json.RawMessage) error {
	if raw[0] != '{' && (string(name) == "metadata" || string(name) == "extra") {
		return fieldf(string(name), "want an object")
	}
	*field = raw
	return nil
}

// errNoField is that an event has no field of that name.
var errNoField = errors.New("no field of an event")

// Set sets the field of a name to a value, which is valid JSON and of which it keeps a
// copy; null is no value. known is false where an event has no such field. The error is
// a *FieldError. texts may be nil.
func (e *Event) Set(texts *Texts, name []byte, raw json.RawMessage) (known bool, err error) {
	null := raw[0] == 'n'
	if s := e.stringField(name); s != nil {
		switch {
		case raw[0] == '"':
			*s = texts.Unquote(raw)
		case !null:
			return true, fieldf(string(name), "want a string")
		}
		return true, nil
	}
	if null {
		var probe Event // of any value: does it have the field?
		return probe.set(name, json.RawMessage("0")) != errNoField, nil
	}
	if err := e.set(name, raw); err != errNoField {
		return true, err
	}
	return false, nil
}

func (e *Event) set(name []byte, raw json.RawMessage) error {
	switch string(name) {
	case "v":
		n, err := strconv.Atoi(string(raw))
		if err != nil {
			return fieldf("v", "want an integer")
		}
		e.V = n
	case "timestamp":
		return e.setTime(raw)
	case "seq":
		n, err := strconv.ParseInt(string(raw), 10, 64)
		if err != nil {
			return fieldf("seq", "want an integer")
		}
		e.Seq = n
	case "cut":
		n, err := strconv.Atoi(string(raw))
		if err != nil {
			return fieldf("cut", "want an integer")
		}
		e.Cut = n
	case "is_error":
		if s := string(raw); s != "true" && s != "false" {
			return fieldf("is_error", "want true or false")
		}
		e.IsError = raw[0] == 't'
	case "tool_input", "result", "metadata", "extra":
		return setRaw(e.rawField(name), name, slices.Clone(raw))
	case "duration_ms":
		return setFloat(&e.DurationMS, "duration_ms", raw)
	case "cost_usd":
		return setFloat(&e.CostUSD, "cost_usd", raw)
	case "input_tokens":
		return setCount(&e.InputTokens, "input_tokens", raw)
	case "output_tokens":
		return setCount(&e.OutputTokens, "output_tokens", raw)
	case "cache_read_input_tokens":
		return setCount(&e.CacheReadInputTokens, "cache_read_input_tokens", raw)
	case "cache_creation_input_tokens":
		return setCount(&e.CacheCreationInputTokens, "cache_creation_input_tokens", raw)
	case "ephemeral_5m_input_tokens":
		return setCount(&e.Ephemeral5mInputTokens, "ephemeral_5m_input_tokens", raw)
	case "ephemeral_1h_input_tokens":
		return setCount(&e.Ephemeral1hInputTokens, "ephemeral_1h_input_tokens", raw)
	case "tags":
		return setJSON(&e.Tags, "tags", raw, "a list of strings")
	case "related_to":
		return setJSON(&e.RelatedTo, "related_to", raw, "a list of strings")
	case "redacted":
		return setJSON(&e.Redacted, "redacted", raw, "an object of counts")
	default:
		return errNoField
	}
	return nil
}

func (e *Event) stringField(name []byte) *string {
	switch string(name) {
	case "event_id":
		return &e.EventID
	case "event_type":
		return (*string)(&e.EventType)
	case "origin":
		return (*string)(&e.Origin)
	case "session_id":
		return &e.SessionID
	case "source_sdk":
		return &e.SourceSDK
	case "hook_event_name":
		return &e.HookEventName
	case "agent_id":
		return &e.AgentID
	case "agent_type":
		return &e.AgentType
	case "actor":
		return &e.Actor
	case "caused_by":
		return &e.CausedBy
	case "frame_id":
		return &e.FrameID
	case "input_hash":
		return &e.InputHash
	case "prompt_hash":
		return &e.PromptHash
	case "prompt_id":
		return &e.PromptID
	case "host":
		return &e.Host
	case "user_id":
		return &e.UserID
	case "working_directory":
		return &e.WorkingDirectory
	case "tool_name":
		return &e.ToolName
	case "tool_use_id":
		return &e.ToolUseID
	case "error_type":
		return &e.ErrorType
	case "error_message":
		return &e.ErrorMessage
	case "agent_name":
		return &e.AgentName
	case "parent_agent_name":
		return &e.ParentAgentName
	case "from_agent":
		return &e.FromAgent
	case "to_agent":
		return &e.ToAgent
	case "role":
		return &e.Role
	case "content":
		return &e.Content
	case "model":
		return &e.Model
	case "status":
		return &e.Status
	case "reason":
		return &e.Reason
	case "title":
		return &e.Title
	case "message_id":
		return &e.MessageID
	case "task_id":
		return &e.TaskID
	case "parent_task_id":
		return &e.ParentTaskID
	case "parent_session_id":
		return &e.ParentSessionID
	case "parent_event_id":
		return &e.ParentEventID
	}
	return nil
}

// setTime does not use time.Parse, which also takes "T1:00:00Z" and "00,5".
func (e *Event) setTime(raw json.RawMessage) error {
	var t time.Time
	if raw[0] == '"' {
		text, ok := plain(raw)
		if !ok {
			text = []byte(Unquote(raw))
		}
		if t.UnmarshalText(text) == nil {
			e.Timestamp = t.UTC()
			return nil
		}
	}
	return fieldf("timestamp", "want an RFC 3339 time")
}

func setCount(dst **int64, name string, raw json.RawMessage) error {
	n, err := strconv.ParseInt(string(raw), 10, 64)
	if err != nil {
		return fieldf(name, "want a number")
	}
	*dst = &n
	return nil
}

func setFloat(dst **float64, name string, raw json.RawMessage) error {
	f, err := strconv.ParseFloat(string(raw), 64)
	if err != nil {
		return fieldf(name, "want a number")
	}
	*dst = &f
	return nil
}

func setJSON[T any](dst *T, name string, raw json.RawMessage, want string) error {
	v := *dst // not dst itself: every event would be on the heap for it
	if err := json.Unmarshal(raw, &v); err != nil {
		return fieldf(name, "want %s", want)
	}
	*dst = v
	return nil
}
