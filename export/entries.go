package export

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/internal/render"
	"github.com/actiongraph/actiongraph/schema"
)

// maxDepth is how deep subagents may hang under one another in a document.
const maxDepth = 100

func (b *builder) entries(items []*graph.TreeItem, depth int) (out []*entry) {
	if depth > maxDepth {
		return []*entry{{Kind: "note", Head: "nested too deeply to be shown"}}
	}
	for _, it := range items {
		e := b.entry(it, depth)
		if e != nil {
			out = append(out, e)
		}
		if it.Action == nil || it.Action.ActionType != graph.ToolCall {
			if kids := b.kidsOf(it, e, depth); e == nil {
				out = append(out, kids...)
			} else {
				e.Entries = kids
			}
		}
	}
	return out
}

func (b *builder) kidsOf(it *graph.TreeItem, e *entry, depth int) []*entry {
	kids := b.entries(it.Kids, depth+1)
	if it.Agent == nil {
		return kids
	}
	if prompt := b.text(render.AgentPrompt(it)); prompt != "" {
		kids = slices.Insert(kids, 0, &entry{Kind: "prompt", Text: prompt, When: clock(it.Agent.StartedAt)})
	}
	if last := b.text(it.Agent.LastAssistantMessage); last != "" {
		kids = append(kids, &entry{Kind: "answer", Text: last, When: clock(it.Agent.EndedAt)})
	}
	return kids
}

// entry is what one item is in the document; nil is nothing.
func (b *builder) entry(it *graph.TreeItem, depth int) *entry {
	if it.Agent != nil {
		return b.agent(it.Agent)
	}
	a := it.Action
	switch a.ActionType {
	case graph.UserMessage:
		return b.said("prompt", a)
	case graph.AssistantMessage:
		if a.Thinking {
			return b.said("thinking", a)
		}
		return b.said("answer", a)
	case graph.TurnEnd:
		if a.Text == "" && a.Status != "failed" {
			return nil
		}
		return b.said("answer", a)
	case graph.SystemMessage:
		if render.Needless(a) {
			b.left[a.ActionType]++
			return nil
		}
		return b.said("system", a)
	case graph.ToolCall:
		return b.call(it, depth)
	case graph.ErrorEvent, graph.RateLimitEvent:
		return b.said("error", a)
	case graph.StructuredOutput:
		return &entry{Kind: "note", Head: "structured output", When: clock(a.Timestamp), Output: b.value("", []byte(a.Text))}
	case graph.LLMCall, graph.Context, graph.Notification:
		if a.Status != "failed" {
			b.left[a.ActionType]++
			return nil
		}
	case graph.PermissionRequest:
		if a.ParentActionID != "" {
			b.left[a.ActionType]++ // how it was answered is the call's status
			return nil
		}
	}
	e := b.said("note", a)
	what := a.Name
	switch a.ActionType {
	case graph.Decision, graph.Callback, graph.PermissionRequest:
		what = render.Gist(a, b.Session.WorkingDirectory) // which says how it was answered, too
	}
	e.Head = strings.TrimSuffix(words(a.ActionType)+": "+b.line(what, 200), ": ")
	if answer := render.Answer(a); answer != "" {
		e.Head += " — " + answer
	}
	if e.Text == e.Head || strings.Contains(b.text(what), e.Text) {
		e.Text = ""
	}
	return e
}

// said is a text that somebody said, or that the runtime did.
func (b *builder) said(kind string, a *graph.ActionRow) *entry {
	e := &entry{Kind: kind, When: clock(a.Timestamp), Text: b.text(a.Text)}
	for _, image := range render.Images(a) {
		e.Text = strings.TrimLeft(e.Text+"\n\n"+b.line(image, 120), "\n")
	}
	if a.Status == "failed" {
		e.Status, e.Mark = "failed", "✗"
	}
	switch kind {
	case "system":
		e.Head = b.line(render.WithoutTags(a.Text), 120)
	case "error":
		e.Head, e.Mark, e.Status = words(a.ActionType), "✗", "failed"
		if e.Text == "" {
			e.Text = b.text(render.Gist(a, ""))
		}
	case "thinking":
		if e.Text == "" {
			e.Text = "(not readable: the model's provider keeps it encrypted)"
		}
	}
	if e.Text == "" && e.Head == "" {
		e.Head = b.line(a.Name, 120)
	}
	return e
}

func (b *builder) agent(a *graph.AgentRow) *entry {
	e := &entry{Kind: "agent", Head: b.line(a.AgentType, 80), When: clock(a.StartedAt)}
	if e.Head == "" {
		e.Head = "subagent"
	}
	if d := b.line(a.Description, 120); d != "" {
		e.Head += ": " + d
	}
	if a.ParentUnknown {
		e.Head += " (which call spawned it is not known)"
	}
	e.Mark, e.Status = ending(a.Status, false)
	took := []string{}
	if tokens := (render.Style{UTF8: true}).AgentTokens(a); tokens != "" {
		took = append(took, tokens)
	}
	if !a.StartedAt.IsZero() && a.EndedAt.After(a.StartedAt) {
		took = append(took, render.Duration(a.EndedAt.Sub(a.StartedAt)))
	}
	e.Took = strings.Join(took, " · ")
	return e
}

// call is a tool call with its input, what subagents did in it, and its result.
func (b *builder) call(it *graph.TreeItem, depth int) *entry {
	a := it.Action
	e := &entry{Kind: "call", Head: b.line(cmpOr(a.Name, a.ToolName), 160), When: clock(a.Timestamp)}
	e.Mark, e.Status = ending(a.Status, a.NeverRan)
	e.Took = render.Took(a)
	e.Entries = b.kidsOf(it, e, depth)
	e.Input = b.input(a, it.Kids)
	if it.Result != nil {
		e.Output = b.result(it.Result)
	}
	if slices.ContainsFunc(e.Output, func(f field) bool { return f.Lang == "diff" }) {
		e.Input = slices.DeleteFunc(e.Input, func(f field) bool { return f.Name == "old_string" || f.Name == "new_string" })
	}
	if len(e.Output) == 0 {
		if text := b.text(cmpOr(property(a, "error_message"), a.Text)); text != "" {
			e.Output = []field{whole("", text, "")}
		}
	}
	b.dropRepeated(e)
	return e
}

// dropRepeated leaves a subagent's last message out of the result of its call, which is
// that text with perhaps a line before it.
func (b *builder) dropRepeated(e *entry) {
	for _, agent := range e.Entries {
		n := len(agent.Entries)
		if agent.Kind != "agent" || n == 0 || agent.Entries[n-1].Kind != "answer" {
			continue
		}
		last := agent.Entries[n-1].Text
		for i, f := range e.Output {
			if before, ok := strings.CutSuffix(f.Text, last); ok && last != "" {
				e.Output[i].Text = strings.TrimLeft(before+"(the answer above)", "\n")
			}
		}
	}
}

// ending is a sign for a status, and its words where it is not the usual one.
func ending(status string, neverRan bool) (mark, text string) {
	switch status {
	case "completed":
		return "✓", ""
	case "failed":
		if neverRan {
			return "✗", "failed, never ran"
		}
		return "✗", "failed"
	case "denied", "blocked":
		return "⊘", status
	case "interrupted":
		return "■", status
	case "unknown":
		return "?", "not known how it ended"
	case "":
		return "·", ""
	}
	return "●", strings.ReplaceAll(status, "_", " ")
}

// input gives the members of a call's input. A subagent's prompt is in the subagent.
func (b *builder) input(a *graph.ActionRow, kids []*graph.TreeItem) (out []field) {
	raw := schema.Field([]byte(property(a, "properties")), "tool_input")
	if c := []byte(b.redact(string(raw))); schema.Valid(c) {
		raw = c // a name may tell that its value is a secret
	}
	members := map[string]json.RawMessage{}
	for k, v := range schema.Fields(raw) {
		members[k] = v
	}
	for _, k := range []string{"command", "file_path", "url", "pattern"} {
		if v := property(a, k); v != "" && members[k] == nil {
			members[k] = schema.AppendString(nil, v)
		}
	}
	if len(members) == 0 && len(raw) > 2 {
		return b.value("", raw)
	}
	for _, k := range slices.Sorted(maps.Keys(members)) {
		if k == "prompt" && slices.ContainsFunc(kids, func(it *graph.TreeItem) bool {
			return it.Agent != nil && it.Agent.Prompt != "" && it.Agent.Prompt == schema.Unquote(members[k])
		}) {
			continue
		}
		out = append(out, b.value(k, members[k])...)
	}
	return out
}

// result gives what a call returned: its text, the lines that it changed, and only where
// there is neither all that is known of it.
func (b *builder) result(r *graph.ActionRow) (out []field) {
	text, problem := b.text(r.Text), b.text(r.ErrorAside())
	switch {
	case text != "" && problem != "":
		out = append(out, whole("error", problem, ""), whole("output", text, ""))
	case text+problem != "":
		out = append(out, whole("", text+problem, ""))
	}
	rest := schema.Field([]byte(property(r, "properties")), "result")
	if picture := b.line(render.Picture(rest), 120); picture != "" {
		return append(out, whole("", picture, ""))
	}
	hunks := schema.Field(rest, "structuredPatch")
	if patch := b.text(patchText(hunks)); patch != "" {
		return append(out, whole("", patch, "diff"))
	}
	if len(out) == 0 && hunks == nil && tells(rest) { // a new file's content is the input
		return b.value("", rest)
	}
	return out
}

// tells reports whether a value has a text or a list in it: flags alone, as a command
// without output gives, say nothing.
func tells(raw []byte) bool {
	for _, v := range schema.Fields(raw) {
		if len(v) > 2 && (v[0] == '"' || v[0] == '[' || v[0] == '{') {
			return true
		}
	}
	return len(raw) > 2 && raw[0] != '{'
}

// patchText is a runtime's list of hunks as a diff has them.
func patchText(hunks []byte) string {
	var text strings.Builder
	for hunk := range schema.Elements(hunks) {
		for line := range schema.Elements(schema.Field(hunk, "lines")) {
			text.WriteString(schema.Unquote(line) + "\n")
		}
	}
	return text.String()
}

// value is a JSON value under a name: a string as its text, any other indented.
func (b *builder) value(name string, raw []byte) []field {
	name = b.line(name, 80)
	var text string
	if json.Unmarshal(raw, &text) == nil {
		if text = b.text(text); text == "" {
			return nil
		}
		return []field{whole(name, text, "")}
	}
	var v bytes.Buffer
	if json.Indent(&v, raw, "", "  ") != nil {
		return []field{whole(name, b.text(string(raw)), "")}
	}
	return []field{whole(name, b.text(v.String()), "json")}
}

func whole(name, text, lang string) field {
	f := field{Name: name, Text: text, Lang: lang}
	f.Inline = name != "" && len(text) <= 120 && !strings.Contains(text, "\n")
	if f.Inline {
		f.Lang = ""
	}
	return f
}

func property(a *graph.ActionRow, name string) string {
	s, _ := a.Properties[name].(string)
	return s
}

func cmpOr(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
