package claude

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/actiongraph/actiongraph/schema"
)

// synthetic is the model of a message that the runtime wrote in the model's name.
const synthetic = "<synthetic>"

// assistant adds the facts of an assistant line: the model call, and what it said,
// thought and asked for.
func (f *facts) assistant() {
	m := &f.l.message
	if f.l.apiError || m.model == synthetic && f.l.errorType != "" {
		f.apiError()
		return
	}
	f.llmEnd()
	switch {
	case m.text != nil:
		f.says(1, m.text)
	case m.listed:
		for k := range m.blocks {
			f.assistantBlock(k+1, &m.blocks[k])
		}
	default:
		f.l.fault("message: want an object with content")
	}
}

func (f *facts) assistantBlock(at int, b *block) {
	switch b.typ {
	case "text":
		f.says(at, b.text)
	case "thinking", "redacted_thinking":
		e := f.add(schema.Message, at)
		e.Role, e.Actor = schema.RoleAssistant, schema.ActorAgent
		e.Content, e.Reason = schema.Unquote(b.thinking), b.typ
		e.MessageID = f.l.message.id
		e.Extra = f.lineExtra(at)
	case "tool_use", "server_tool_use", "mcp_tool_use":
		f.toolStart(at, b)
	default:
		if b.toolUseID != "" { // web_search_tool_result and its like
			f.serverResult(at, b)
			return
		}
		f.unread(at, b.raw, "a block of type "+strconv.Quote(b.typ)+" in an assistant's message")
	}
}

// lineExtra gives what Extra keeps of the line to its first block only.
func (f *facts) lineExtra(at int) json.RawMessage {
	if at != 1 {
		return nil
	}
	return f.l.extra()
}

// says adds a text of the model.
func (f *facts) says(at int, text json.RawMessage) {
	e := f.add(schema.Message, at)
	e.Content, e.Extra = schema.Unquote(text), f.lineExtra(at)
	e.Role, e.Actor = schema.RoleAssistant, schema.ActorAgent
	e.MessageID, e.Model = f.l.message.id, f.l.message.model
	if e.Model == synthetic { // "No response requested."
		e.Role, e.Actor = schema.RoleSystem, schema.ActorRuntime
	}
}

func (f *facts) toolStart(at int, b *block) {
	if b.id == "" {
		f.unread(at, b.raw, b.typ+" without id")
		return
	}
	e := f.add(schema.ToolStart, at)
	e.Actor = schema.ActorAgent
	e.ToolName, e.ToolUseID = b.name, b.id
	e.Model, e.MessageID = f.l.message.model, f.l.message.id
	if string(b.input) != "null" {
		e.ToolInput = b.input
	}
	if e.ToolInput != nil && f.mac != nil {
		e.InputHash = inputHash(f.mac, e.ToolInput)
	}
	e.Extra = f.lineExtra(at)
	if f.l.agent == "" && b.name == "Task" {
		f.side.note(b)
	}
}

// serverResult adds the result of a tool that ran at the model's API.
func (f *facts) serverResult(at int, b *block) {
	e := f.add(schema.ToolEnd, at)
	e.Actor = schema.ActorAgent
	e.ToolUseID, e.IsError = b.toolUseID, b.isError
	if string(b.content) != "null" {
		e.Result = b.content
	}
	if code := schema.FieldString(b.content, "error_code"); code != "" {
		e.IsError, e.ErrorType = true, code
	}
	e.Extra = f.lineExtra(at)
}

// apiError adds an error of the model API that ended the turn, which the runtime
// writes as an answer: the same as the hook StopFailure.
func (f *facts) apiError() {
	l := f.l
	e := f.add(schema.Error, 1)
	e.ErrorType = l.errorType
	if e.ErrorType == "rate_limit" {
		e.EventType = schema.RateLimit
	}
	e.IsError = true
	e.ErrorMessage = l.message.allText()
	e.Extra = l.extra()
}

// llmEnd adds what the model call used, as far as this line knows it: a call's lines
// repeat its usage, and in some versions and in subagents' files let it grow. Its
// event id is of the call, so that all of them are one fact.
func (f *facts) llmEnd() {
	l, r := f.l, &f.l.message
	if len(r.usage) == 0 || r.usage[0] != '{' || r.model == synthetic {
		return
	}
	id := r.id
	if id == "" {
		id = l.requestID
	}
	if id == "" {
		id = l.key(f.src)
	}
	if was, ok := strings.CutPrefix(f.said[id], r.stopReason); ok && was == string(r.usage) {
		return
	}
	if len(f.said) >= 64 { // lines of one call are near each other
		clear(f.said)
	}
	f.said[id] = r.stopReason + string(r.usage)
	e := f.add(schema.LLMEnd, 0)
	e.EventID = schema.EventID(schema.OriginTranscript, "llm_end", id)
	e.Actor = schema.ActorAgent
	e.MessageID, e.Model, e.Reason = id, r.model, r.stopReason
	e.CostUSD, e.DurationMS = l.costUSD, l.durationMS
	usage := l.usage(e, r.usage)
	extra := append(make([]byte, 0, len(usage)+len(l.requestID)+40), '{')
	if usage != nil {
		extra = appendMember(extra, "usage", usage)
	}
	if l.requestID != "" && l.requestID != id {
		extra = appendText(extra, "request_id", l.requestID)
	}
	if len(extra) > 1 {
		e.Extra = append(extra, '}')
	}
}

// usage takes the counts of raw into e and returns what else it says, nil for nothing.
// A count that can be none is left out, and noted in metadata.hook_error with the line's
// other faults.
func (l *line) usage(e *schema.Event, raw json.RawMessage) json.RawMessage {
	out := append(make([]byte, 0, min(len(raw), 256)), '{')
	faults := l.faults[:len(l.faults):len(l.faults)]
	take := func(to **int64, key string, v json.RawMessage) {
		n, err := count(v)
		if err != nil {
			faults = append(faults, fmt.Errorf("usage.%s: %w", key, err))
		}
		*to = n
	}
	for key, v := range schema.Fields(raw) {
		switch key {
		case "input_tokens":
			take(&e.InputTokens, key, v)
		case "output_tokens":
			take(&e.OutputTokens, key, v)
		case "cache_read_input_tokens":
			take(&e.CacheReadInputTokens, key, v)
		case "cache_creation_input_tokens":
			take(&e.CacheCreationInputTokens, key, v)
		case "cache_creation":
			for key, v := range schema.Fields(v) {
				switch key {
				case "ephemeral_5m_input_tokens":
					take(&e.Ephemeral5mInputTokens, key, v)
				case "ephemeral_1h_input_tokens":
					take(&e.Ephemeral1hInputTokens, key, v)
				}
			}
		default:
			if !hollow(v) {
				out = appendMember(out, key, v)
			}
		}
	}
	if len(faults) > len(l.faults) {
		e.Metadata = appendMetadata(e.Metadata, schema.MetaHookError, schema.AppendString(nil, errors.Join(faults...).Error()))
	}
	if len(out) == 1 {
		return nil
	}
	return append(out, '}')
}

// maxCount is more tokens than any call uses: a greater number would make every sum that
// it is in worthless.
const maxCount = 1e12

// count reads a count of tokens, nil for null.
func count(v json.RawMessage) (*int64, error) {
	if string(v) == "null" {
		return nil, nil
	}
	n, err := strconv.ParseInt(string(v), 10, 64)
	if err == nil && n >= 0 && n <= maxCount {
		return &n, nil
	}
	said := string(v)
	if len(said) > 32 {
		said = "a long value"
	}
	return nil, fmt.Errorf("%s is left out: want an integer from 0 to 1000000000000", said)
}
