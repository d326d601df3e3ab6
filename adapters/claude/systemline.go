package claude

import (
	"encoding/json"

	"github.com/actiongraph/actiongraph/schema"
)

// system adds the facts of a system line: what the runtime itself has to say.
func (f *facts) system() {
	l := f.l
	switch l.subtype {
	case "stop_hook_summary":
		e := f.add(schema.TurnEnd, 1)
		e.Extra = l.extra(l.rest("hookAdditionalContext", "level", "toolUseID")...)
	case "turn_duration":
		e := f.add(schema.TurnEnd, 1)
		e.DurationMS = l.durationMS
		e.Extra = l.extra(l.rest()...)
	case "compact_boundary":
		e := f.add(schema.Compaction, 1)
		e.Extra = f.compactExtra(e)
	case "api_error":
		f.retriedError()
	case "local_command":
		e := f.add(schema.Message, 1)
		e.Role, e.Content = schema.RoleSystem, schema.Unquote(l.content)
		e.Extra = l.extra(l.rest("level")...)
	default:
		e := f.add(schema.Context, 1)
		e.Content, e.DurationMS = schema.Unquote(l.content), l.durationMS
		e.Extra = l.extra(l.rest()...)
	}
}

// rest returns the members of a system line that no field took and that say
// something, but for those named.
func (l *line) rest(without ...string) (out []member) {
next:
	for _, m := range l.others {
		for _, name := range without {
			if m.key == name {
				continue next
			}
		}
		if !hollow(m.raw) {
			out = append(out, m)
		}
	}
	return out
}

// compactExtra takes compactMetadata, but for the lists of preserved messages, which
// grow with the session.
func (f *facts) compactExtra(e *schema.Event) json.RawMessage {
	var more []member
	for _, m := range f.l.rest("level") {
		if m.key != "compactMetadata" || m.raw[0] != '{' {
			more = append(more, m)
			continue
		}
		e.Reason = schema.FieldString(m.raw, "trigger")
		meta := []byte{'{'}
		for key, v := range schema.Fields(m.raw) {
			switch key {
			case "trigger", "preservedMessages", "preservedSegment":
			default:
				if !hollow(v) {
					meta = appendMember(meta, key, v)
				}
			}
		}
		more = append(more, member{key: m.key, raw: append(meta, '}')})
	}
	return f.l.extra(more...)
}

// retriedError adds an error of the model API after which the runtime tries again: it
// ends no turn.
func (f *facts) retriedError() {
	l := f.l
	e := f.add(schema.Error, 1)
	e.IsError = true
	var more []member
	for _, m := range l.rest("level") {
		switch m.key {
		case "error":
			status := f.errorOf(e, m.raw)
			if status != nil {
				more = append(more, member{key: "api_error_status", raw: status})
			}
		case "retryAttempt":
			more = append(more, member{key: "retry_attempt", raw: m.raw})
		case "retryInMs":
			more = append(more, member{key: "retry_in_ms", raw: m.raw})
		case "maxRetries":
			more = append(more, member{key: "max_retries", raw: m.raw})
		default:
			more = append(more, m)
		}
	}
	e.Extra = l.extra(more...)
}

// errorOf reads an API error, of which each version writes another shape, into e, and
// returns its HTTP status. 2.1.330: message, status, formatted. Before: status and
// the API's answer, error.error.type and message; or cause.code of a broken
// connection. The type is named as isApiErrorMessage lines name it.
func (f *facts) errorOf(e *schema.Event, raw json.RawMessage) (status json.RawMessage) {
	if raw[0] != '{' {
		e.ErrorMessage = schema.Unquote(raw)
		return nil
	}
	answer := schema.Field(schema.Field(raw, "error"), "error")
	for _, text := range []string{
		schema.FieldString(raw, "formatted"), schema.FieldString(raw, "message"), schema.FieldString(answer, "message"),
		schema.FieldString(schema.Field(raw, "cause"), "code"),
	} {
		if e.ErrorMessage == "" {
			e.ErrorMessage = text
		}
	}
	status = schema.Field(raw, "status")
	switch s := string(status); {
	case s == "429":
		e.ErrorType = "rate_limit"
	case s == "401":
		e.ErrorType = "authentication_failed"
	case len(s) == 3 && s[0] == '5':
		e.ErrorType = "server_error"
	default:
		e.ErrorType = "unknown"
	}
	if hollow(status) {
		return nil
	}
	return status
}

// attachment adds the facts of an attachment: a prompt that was queued while the turn
// ran, the answer in a fixed form.
func (f *facts) attachment() {
	l := f.l
	switch l.subtype {
	case "queued_command":
		if l.promptID == "" {
			l.promptID = f.prompt // the hook says that it is the running turn's
		}
		prompt := schema.Field(l.attachment, "prompt")
		text, _ := contentText(prompt)
		mode := schema.FieldString(l.attachment, "commandMode")
		var images []byte
		for raw := range schema.Elements(prompt) {
			if typ := schema.FieldString(raw, "type"); typ == "image" || typ == "document" {
				images = append(append(images, ','), named(raw, typ)...)
			}
		}
		more := append(pictures(images), member{key: "queued", raw: []byte("true")})
		// The note of a plugin, or what another session forwards, is queued like a prompt.
		meta := mode != "" && mode != "prompt" || isTrue(schema.Field(l.attachment, "isMeta"))
		f.message(1, text, meta, l.extra(more...))
	case "structured_output":
		e := f.add(schema.StructuredOutput, 1)
		e.Actor = schema.ActorAgent
		e.ToolName, e.ToolUseID = "StructuredOutput", schema.FieldString(l.attachment, "toolUseID")
		if data := schema.Field(l.attachment, "data"); !hollow(data) || len(data) > 4 {
			e.Result = data
		}
		e.Extra = l.extra()
	case cancelled:
		e := f.add(schema.Error, 1)
		e.SourceSDK, e.IsError = schema.Recorder, true // about the recording: see package failure
		e.Reason, e.ErrorMessage = "hook.cancelled", "the runtime ended ag-hook before it was done"
		if isTrue(schema.Field(l.attachment, "timedOut")) {
			e.ErrorMessage = "ag-hook did not end in time"
		}
		e.ToolUseID = schema.FieldString(l.attachment, "toolUseID")
		e.Extra = l.extra(member{key: "attachment", raw: l.attachment})
	}
}
