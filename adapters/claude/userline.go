package claude

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/actiongraph/actiongraph/schema"
)

// user adds the facts of a user line: a prompt, what the runtime wrote in the user's
// name, the results of tool calls.
func (f *facts) user() {
	m := &f.l.message
	switch {
	case m.text != nil:
		f.prompted(1, schema.Unquote(m.text), 0)
	case m.listed:
		f.userBlocks(m.blocks)
	default:
		f.l.fault("message: want an object with content")
	}
}

func (f *facts) userBlocks(blocks []block) {
	var texts []string
	var results []result
	first, images := 0, 0
	for k, b := range blocks {
		switch {
		case b.typ == "text":
			texts = append(texts, schema.Unquote(b.text))
		case b.typ == "tool_result" && b.toolUseID != "":
			results = append(results, result{k + 1, b})
			continue
		case b.typ == "image", b.typ == "document":
			images++
		default:
			f.unread(k+1, b.raw, "a block of type "+strconv.Quote(b.typ)+" in a user's message")
			continue
		}
		if first == 0 {
			first = k + 1
		}
	}
	if first > 0 {
		f.prompted(first, strings.Join(texts, "\n"), images)
	}
	for _, r := range results {
		f.toolEnd(r.at, r.block, len(results) == 1)
	}
}

type result struct {
	at int
	block
}

// prompted adds what a user line says: text, and images, of which only the number is
// kept.
func (f *facts) prompted(at int, text string, images int) {
	l := f.l
	var more []member
	if images > 0 {
		more = append(more, member{key: "images", raw: strconv.AppendInt(nil, int64(images), 10)})
	}
	switch {
	case l.compactSummary:
		e := f.add(schema.Compaction, at)
		e.Content = text
		e.Extra = l.extra(more...)
	case l.agent != "" && l.root && !l.meta:
		e := f.add(schema.AgentStart, at)
		e.Content = text
		e.Extra = l.extra(more...)
		if call := f.side.spawned(text); call != nil && l.sidechain {
			e.Metadata = appendMetadata(e.Metadata, schema.MetaAgent, call)
		}
	default:
		f.message(at, text, l.meta, l.extra(more...))
	}
}

// message adds a message of the user, or one that the runtime wrote in the user's
// name.
func (f *facts) message(at int, text string, meta bool, extra json.RawMessage) {
	e := f.add(schema.Message, at)
	e.Content, e.Extra = text, extra
	e.Role, e.Actor = schema.RoleUser, schema.ActorUser
	if meta || injected(text) {
		e.Role, e.Actor = schema.RoleSystem, schema.ActorRuntime
	}
}

// toolEnd adds the result of a call. The line's toolUseResult is that of its only
// result; a line with several is of a version that wrote none.
func (f *facts) toolEnd(at int, b block, only bool) {
	l := f.l
	e := f.add(schema.ToolEnd, at)
	e.Actor = schema.ActorAgent
	e.ToolUseID = b.toolUseID
	e.IsError = b.isError
	seen := b.content
	if b.isError {
		text, isText := contentText(seen)
		e.ErrorMessage = text
		if isText {
			seen = nil // ErrorMessage says it
		}
	}
	var more []member
	switch structured := len(l.toolUseResult) > 0 && (l.toolUseResult[0] == '{' || l.toolUseResult[0] == '['); {
	case structured && only:
		e.Result = l.toolUseResult
		if seen = unsaid(l.toolUseResult, seen); seen != nil {
			more = append(more, member{key: "content", raw: seen})
		}
	case structured && at == 1:
		more = append(more, member{key: "tool_use_result", raw: l.toolUseResult})
		fallthrough
	default:
		if string(seen) != "null" {
			e.Result = withoutImages(seen)
		}
	}
	e.Status = f.resultStatus(b, e.ErrorMessage)
	e.Extra = l.extra(more...)
}

// resultStatus is what the line itself knows of how the call ended; "" is left to the
// fold (design.md §9, "Status evidence").
func (f *facts) resultStatus(b block, text string) string {
	l := f.l
	switch {
	case l.decision == "reject" && l.denialKind == "permission-rule" && !strings.HasPrefix(l.decidedBy, "user"):
		// A rule, a mode or a hook: nobody was asked. The hooks of such a call say blocked, too.
		return schema.StatusBlocked
	case l.decision == "reject":
		return schema.StatusDenied
	case l.decision == "accept" && b.isError:
		return schema.StatusFailed
	case l.denialKind == "permission-rule":
		return schema.StatusBlocked
	case l.decision != "":
		return ""
	case l.denialKind == "user-rejected", l.denialKind == "interrupted":
		return schema.StatusInterrupted
	case l.denialKind == "" && b.isError:
		return oldStatus(text, schema.Unquote(l.toolUseResult))
	}
	return ""
}

// oldStatus is the status of a failed call in versions before toolDenialKind, which
// say it in words only.
func oldStatus(text, structured string) string {
	if structured == "User rejected tool use" || interruption(text) {
		return schema.StatusInterrupted
	}
	for _, begin := range []string{"Permission to use ", "Claude requested permissions to "} {
		if strings.HasPrefix(text, begin) {
			return schema.StatusDenied
		}
	}
	return ""
}

func interruption(text string) bool {
	return strings.HasPrefix(text, "[Request interrupted by user") || strings.HasPrefix(text, "The user doesn't want to proceed with this tool use.")
}

// contentText returns the text of a tool_result's content, and whether it is nothing
// but text.
func contentText(content json.RawMessage) (text string, only bool) {
	if len(content) == 0 || content[0] != '[' {
		return schema.Unquote(content), len(content) == 0 || content[0] == '"'
	}
	var texts []string
	only = true
	for raw := range schema.Elements(content) {
		if schema.FieldString(raw, "type") != "text" {
			only = false
			continue
		}
		texts = append(texts, schema.Unquote(schema.Field(raw, "text")))
	}
	return strings.Join(texts, "\n"), only
}

// unsaid returns content, what the model saw of a call's result, but for what the
// structured result says in the same bytes; nil where nothing is left.
func unsaid(structured, content json.RawMessage) json.RawMessage {
	if len(content) == 0 || string(content) == "null" || bytes.Equal(structured, content) {
		return nil
	}
	for _, v := range schema.Fields(structured) {
		if bytes.Equal(v, content) {
			return nil
		}
	}
	return withoutImages(content)
}

// withoutImages returns content with the data of images taken out: they are no part of
// the record, which says that there was one.
func withoutImages(content json.RawMessage) json.RawMessage {
	if len(content) == 0 || content[0] != '[' || !bytes.Contains(content, []byte(`"base64"`)) {
		return content
	}
	out := []byte{'['}
	for raw := range schema.Elements(content) {
		if typ := schema.FieldString(raw, "type"); typ == "image" || typ == "document" {
			raw = append(appendMember([]byte{'{'}, "type", schema.AppendString(nil, typ)), '}')
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(out, raw...)
	}
	return append(out, ']')
}
