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
		f.prompted(1, schema.Unquote(m.text), nil)
	case m.listed:
		f.userBlocks(m.blocks)
	default:
		f.l.fault("message: want an object with content")
	}
}

func (f *facts) userBlocks(blocks []block) {
	var texts []string
	var images []byte
	first, results := 0, 0
	for k := range blocks {
		b := &blocks[k]
		switch {
		case b.typ == "text":
			texts = append(texts, schema.Unquote(b.text))
		case b.isResult():
			results++
			continue
		case b.typ == "image", b.typ == "document":
			images = append(append(images, ','), named(b.raw, b.typ)...)
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
	for k := range blocks {
		if b := &blocks[k]; b.isResult() {
			f.toolEnd(k+1, b, results == 1)
		}
	}
}

func (b *block) isResult() bool { return b.typ == "tool_result" && b.toolUseID != "" }

// prompted adds what a user line says: text, and what named tells of its images, each
// after a comma.
func (f *facts) prompted(at int, text string, images []byte) {
	l := f.l
	more := pictures(images)
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
func (f *facts) toolEnd(at int, b *block, only bool) {
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
func (f *facts) resultStatus(b *block, text string) string {
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

// named says of an image or a document what it is and how many bytes it has, which are no
// part of the record: {"type":"image","media_type":"image/png","bytes":34127}. What the
// block does not say is absent.
func named(block json.RawMessage, typ string) []byte {
	out := appendMember([]byte{'{'}, "type", schema.AppendString(nil, typ))
	source := schema.Field(block, "source")
	if media := schema.FieldString(source, "media_type"); media != "" {
		out = appendMember(out, "media_type", schema.AppendString(nil, media))
	}
	data := schema.FieldString(source, "data")
	if schema.FieldString(source, "type") == "base64" {
		data = strings.TrimRight(data, "=")
		out = appendMember(out, "bytes", strconv.AppendInt(nil, int64(len(data))*3/4, 10))
	} else if data != "" { // a document that is text
		out = appendMember(out, "bytes", strconv.AppendInt(nil, int64(len(data)), 10))
	}
	return append(out, '}')
}

// pictures is the member of extra for what named tells of several, each after a comma.
func pictures(images []byte) []member {
	if len(images) == 0 {
		return nil
	}
	images[0] = '['
	return []member{{key: "images", raw: append(images, ']')}}
}

// withoutImages returns content with the data of images taken out.
func withoutImages(content json.RawMessage) json.RawMessage {
	if len(content) == 0 || content[0] != '[' || !bytes.Contains(content, []byte(`"base64"`)) {
		return content
	}
	out := []byte{'['}
	for raw := range schema.Elements(content) {
		if typ := schema.FieldString(raw, "type"); typ == "image" || typ == "document" {
			raw = named(raw, typ)
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(out, raw...)
	}
	return append(out, ']')
}
