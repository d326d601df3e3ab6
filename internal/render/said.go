package render

import (
	"encoding/json"
	"math"
	"slices"
	"strings"

	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/schema"
)

// mostSaid is how many columns of one line of a prompt or message are shown, however
// wide the place is, unless all is asked for: people paste whole files.
const mostSaid = 500

// said is what somebody said, in lines that fit room columns: at most limit of them
// and the beginning of each, or, in full, all of it.
func (p *painter) said(text string, limit, room int) []string {
	if !p.view.Full {
		if s := notice(text); s != "" {
			text = s
		}
		lines := p.textLines(text, limit)
		for i, l := range lines {
			lines[i] = p.clipLong(l, room, int64(len(text)))
		}
		return lines
	}
	var lines []string
	for _, l := range p.textLines(text, math.MaxInt) {
		lines = append(lines, p.wrapLine(l, room)...)
	}
	return lines
}

// clipLong is clipSaid which, of a text of more bytes than are ever shown, says how
// many there are and how to see them.
func (p *painter) clipLong(line string, room int, bytes int64) string {
	short := p.clipSaid(line, room)
	if short == line || bytes <= mostSaid {
		return short
	}
	hint := " (" + Bytes(bytes) + ", --full)"
	if p.Width == 0 {
		room = mostSaid
	}
	return p.Truncate(line, max(min(room, mostSaid)-len(hint), 10)) + hint
}

// clipSaid cuts a line to room columns and to what is shown of any line.
func (p *painter) clipSaid(line string, room int) string {
	return p.Truncate(p.clip(line, room), mostSaid)
}

// wrapLine breaks a line between words, or within one that is too long, into lines of
// room columns.
func (p *painter) wrapLine(line string, room int) (out []string) {
	if p.Width == 0 {
		return []string{line}
	}
	room = max(room, 10)
	for {
		head := beginning(line, room+1)
		if len(head) == len(line) && width(line) <= room {
			return append(out, line)
		}
		if i := strings.LastIndexByte(head, ' '); i > 0 && strings.TrimSpace(head[:i]) != "" {
			head = head[:i]
		} else {
			head = beginning(line, room)
		}
		if head == "" { // a character wider than the room
			return append(out, line)
		}
		out = append(out, head)
		line = strings.TrimPrefix(line[len(head):], " ")
	}
}

// told is what a message says, as said has it, and the names of its images.
func (p *painter) told(a *graph.ActionRow, limit, room int) []string {
	return p.images(p.said(a.Text, limit, room), a, room)
}

// images adds the names of a message's images to its lines.
func (p *painter) images(lines []string, a *graph.ActionRow, room int) []string {
	for _, image := range Images(a) {
		lines = append(lines, p.clip(image, room))
	}
	return lines
}

// notice is the summary of a <task-notification>, by which a runtime tells the model
// that something in the background ended; "" of any other text.
func notice(text string) string {
	rest, ok := strings.CutPrefix(strings.TrimSpace(text), "<task-notification>")
	if !ok {
		return ""
	}
	_, rest, _ = strings.Cut(rest, "<summary>")
	summary, _, closed := strings.Cut(rest, "</summary>")
	if !closed {
		return ""
	}
	return OneLine(summary)
}

func (p *painter) noteHead(a *graph.ActionRow) string {
	if a.ActionType != graph.PermissionRequest {
		return p.paint(dim, p.pick("·", "-")+" "+typeWords(a.ActionType))
	}
	head := "? " + typeWords(a.ActionType)
	if a.ParentActionID != "" {
		return p.paint(dim, head) // the call shows how it was answered
	}
	head = p.paint(dim, head+" for "+OneLine(a.ToolName))
	switch answer := Answer(a); answer {
	case "":
	case "allowed":
		head += " " + p.paint(green, p.pick("✓ ", "")+answer)
	default:
		head += " " + p.paint(red, p.pick("✗ ", "")+answer)
	}
	return head
}

// Answer is how a request for permission that no call tells of was answered, "" where that
// is not known and of any other action.
func Answer(a *graph.ActionRow) string {
	if a.ActionType != graph.PermissionRequest || a.ParentActionID != "" {
		return ""
	}
	switch a.Status {
	case "completed":
		return "allowed"
	case "denied", "blocked":
		return a.Status
	}
	return ""
}

// typeWords is an action type as people say it.
func typeWords(t graph.ActionType) string {
	switch t {
	case graph.PermissionRequest:
		return "permission asked"
	case graph.RateLimitEvent:
		return "rate limit"
	case graph.StructuredOutput:
		return "structured output"
	}
	return strings.ReplaceAll(OneLine(string(t)), "_", " ")
}

// modelCall draws one call of a model: which, and the tokens that it took.
func (p *painter) modelCall(branch, below string, a *graph.ActionRow) {
	var parts []string
	for _, t := range [][2]string{
		{"input_tokens", "in"}, {"output_tokens", "out"}, {"cache_read_input_tokens", "from cache"}, {"cache_creation_input_tokens", "to cache"},
	} {
		if n, _ := a.Properties[t[0]].(int64); n > 0 {
			parts = append(parts, Count(n)+" "+t[1])
		}
	}
	gist := strings.TrimSpace(OneLine(a.Model) + "  " + strings.Join(parts, ", "))
	head, color := p.pick("·", "-")+" model call", dim
	if a.Status == "failed" {
		head, color = p.pick("✗", "x")+" model call", red
		if why := FirstLine(a.Text); why != "" {
			gist = strings.TrimLeft(gist+p.pick(" — ", " - ")+why, " ")
		}
	}
	if gist != "" {
		head += ":"
	}
	p.aligned(branch, p.paint(color, head)+" ", width(head)+1, gist, Took(a), color)
	if p.view.Full && strings.Contains(a.Text, "\n") || p.view.Full && a.Status != "failed" {
		p.body(below, "text", a.Text, a.Status == "failed")
	}
}

// unknown draws an event that no adapter knows: when it was, and in full all that was
// kept of it, with the reason where it could not be read.
func (p *painter) unknown(branch, below string, a *graph.ActionRow) {
	head, gist := p.noteHead(a), Gist(a, p.dir)
	if why := FirstLine(schema.FieldString(a.Metadata, schema.MetaHookError)); why != "" {
		if gist != "" {
			gist += p.pick(" — ", " - ")
		}
		gist += why
	}
	if gist != "" {
		head += ":"
	}
	p.aligned(branch, head+" ", width(Clean(head))+1, gist, Clock(a.Timestamp), "")
	if !p.view.Full {
		return
	}
	for _, raw := range [][]byte{rawJSON(a.Properties["properties"]), a.Metadata} {
		members := map[string]json.RawMessage{}
		for k, v := range schema.Fields(raw) {
			members[k] = v
		}
		p.members(below, members)
	}
	p.body(below, "text", a.Text, false)
}

// WithoutTags is a runtime's own message on one line, without the tags that it puts
// around its parts.
func WithoutTags(s string) string {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(s, "<")
		b.WriteString(before)
		if !found {
			return strings.Join(strings.Fields(b.String()), " ")
		}
		tag, after, closed := strings.Cut(rest, ">")
		if name := strings.TrimPrefix(tag, "/"); closed && name != "" && !strings.ContainsAny(name, " <\"\n") {
			b.WriteByte(' ')
			s = after
			continue
		}
		b.WriteByte('<')
		s = rest
	}
}

// kids are what is drawn under an item: in full a subagent's prompt comes before what it
// did, and its last message after.
func (p *painter) kids(it *graph.TreeItem) []*graph.TreeItem {
	if it.Agent == nil || !p.view.Full {
		return it.Kids
	}
	kids := slices.Clone(it.Kids)
	if prompt := AgentPrompt(it); prompt != "" {
		kids = slices.Insert(kids, 0, &graph.TreeItem{Action: &graph.ActionRow{ActionType: graph.UserMessage, Text: prompt}})
	}
	if it.Agent.LastAssistantMessage != "" {
		kids = append(kids, &graph.TreeItem{Action: &graph.ActionRow{ActionType: graph.AssistantMessage, Text: it.Agent.LastAssistantMessage}})
	}
	return kids
}

// AgentPrompt is what a subagent was asked, "" where a message of its own says it, as a
// framework's record has it.
func AgentPrompt(it *graph.TreeItem) string {
	told := func(kid *graph.TreeItem) bool {
		return kid.Action != nil && kid.Action.ActionType == graph.UserMessage && kid.Action.Text == it.Agent.Prompt
	}
	if slices.ContainsFunc(it.Kids, told) {
		return ""
	}
	return it.Agent.Prompt
}

// hasAgent reports whether a call has a subagent, whose doings come before its result.
func hasAgent(it *graph.TreeItem) bool {
	return slices.ContainsFunc(it.Kids, func(kid *graph.TreeItem) bool { return kid.Agent != nil })
}

// result draws what a call returned, whole; or, where it has none, why.
func (p *painter) result(branch string, it *graph.TreeItem) {
	failed := it.Action.IsError || it.Action.Status == "failed"
	if it.Result != nil && (!failed || it.Result.Text != "") {
		p.body(branch, "error", it.Result.ErrorAside(), true)
	}
	switch patch := Patch(it.Result); {
	case patch != "":
		p.body(branch, "change", patch, failed)
	case it.Result != nil && it.Result.Text != "":
		p.body(branch, "result", it.Result.Text, failed)
	case failed:
		p.body(branch, "result", errorLine(it), failed)
	case Picture(Rest(it.Result)) != "":
		p.body(branch, "result", Picture(Rest(it.Result)), failed)
	case Tells(Rest(it.Result)):
		p.members(branch, map[string]json.RawMessage{"result": Rest(it.Result)})
	}
}
