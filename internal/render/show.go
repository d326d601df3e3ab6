package render

import (
	"bufio"
	"cmp"
	"io"
	"slices"
	"strings"

	"github.com/actiongraph/actiongraph/graph"
)

// Session draws one session as a tree: a header, then turn by turn the prompt, the
// calls with what they were about, how they ended and how long they took, what
// their subagents did below them, and the answer.
func (s Style) Session(w io.Writer, v SessionView) error {
	p := &painter{Style: s, w: bufio.NewWriter(w), view: v, dir: v.Session.WorkingDirectory}
	p.header()
	for _, shared := range v.Shared {
		p.part(shared.Head)
		p.turns(v.turns(shared.Actions, shared.Agents))
	}
	own := v.turns(v.Actions, v.Agents)
	if len(v.Shared) > 0 && len(own) > 0 {
		p.part("its own")
	}
	p.turns(own)
	if p.hidden > 0 {
		p.line("", "")
		for _, l := range p.wrapLine(Plural(int64(p.hidden), "event")+" of little interest hidden; --full shows them", p.Width) {
			p.line("", s.paint(dim, l))
		}
	}
	return p.w.Flush()
}

// part writes where a part of a fork begins.
func (p *painter) part(head string) {
	p.line("", "")
	for _, l := range p.wrapLine(p.pick("── ", "-- ")+OneLine(head), p.Width) {
		p.line("", p.paint(dim, l))
	}
}

func (p *painter) turns(turns []graph.Turn) {
	for _, t := range turns {
		p.hidden += t.Hidden
		if t.Prompt == nil && len(t.Items) == 0 {
			continue
		}
		p.line("", "")
		if t.Prompt != nil {
			p.prompt(t.Prompt)
		}
		p.children("", t.Items, 0)
	}
}

type painter struct {
	Style
	w      *bufio.Writer
	view   SessionView
	dir    string
	hidden int
}

// line writes one line: the tree's branches, then text, both clean and painted.
func (p *painter) line(branch, text string) {
	p.w.WriteString(p.paint(dim, branch))
	p.w.WriteString(text)
	p.w.WriteByte('\n')
}

func (p *painter) header() {
	r := p.view.Session
	title := FirstLine(r.Title)
	if title == "" {
		title = FirstLine(r.FirstPrompt)
	}
	if title != "" {
		p.line("", p.paint(bold, p.clipSaid(title, p.Width)))
	}
	field := func(name, value string) {
		if value != "" {
			p.line("", p.paint(dim, pad(name, len(name), 11, false))+value)
		}
	}
	text := func(s string) string { return p.clip(OneLine(s), p.Width-11) }
	field("session", OneLine(r.SessionID))
	started := []string{Time(r.StartedAt)}
	if d := RowDuration(r); d != "" {
		started = append(started, "took "+d)
	}
	field("fork of", OneLine(r.ForkedFrom))
	field("status", p.Status(r.Status))
	field("started", p.Wrap(11, started))
	field("model", text(r.Model))
	field("agent", text(r.SourceSDK))
	field("directory", text(r.WorkingDirectory))
	field("branch", text(r.GitBranch))
	field("tags", text(strings.Join(r.Tags, ", ")))
	counts := []string{Plural(r.ActionCount, "action"), Plural(r.ToolCallCount, "tool call")}
	if r.AgentCount > 0 {
		counts = append(counts, Plural(r.AgentCount, "subagent"))
	}
	errs := Plural(r.ErrorCount, "error")
	if r.ErrorCount > 0 {
		errs = p.paint(red, errs)
	}
	field("counts", p.Wrap(11, append(counts, errs)))
	field("tokens", p.Wrap(11, p.Tokens(&p.view.Usage)))
	field("cost", p.Wrap(11, p.Cost(&p.view.Usage)))
	field("by agent", p.Wrap(11, p.ByAgent(&p.view.Usage)))
}

// RowDuration is how long a session took, to its end or its last event.
func RowDuration(r graph.SessionRow) string {
	end := r.EndedAt
	if end.IsZero() {
		end = r.LastEventAt
	}
	return between(r.StartedAt, end)
}

func (p *painter) prompt(a *graph.ActionRow) {
	clock := Clock(a.Timestamp)
	lines := p.told(a, 3, p.Width-2-len(clock)-2)
	if len(lines) == 0 {
		lines = []string{OneLine(a.Name)}
	}
	mark := p.pick("❯", ">")
	for i, l := range lines {
		if i > 0 {
			p.line("  ", p.paint(bold, l))
			continue
		}
		p.aligned("", p.paint(cyan, mark)+" ", 2, l, clock, bold)
	}
}

// children draws items below branch. depth guards against a store in which actions
// hang under one another in a circle of agents.
func (p *painter) children(branch string, items []*graph.TreeItem, depth int) {
	if depth > 200 {
		p.line(branch, "(nested too deeply)")
		return
	}
	for i, it := range items {
		here, below := p.pick("├ ", "|- "), p.pick("│ ", "|  ")
		if i == len(items)-1 {
			here, below = p.pick("└ ", "`- "), p.pick("  ", "   ")
		}
		if it.Agent != nil {
			p.agent(branch+here, it)
		} else {
			p.action(branch+here, branch+below, it)
		}
		p.hidden += it.Hidden
		p.children(branch+below, p.kids(it), depth+1)
		if it.Action != nil && it.Action.ActionType == graph.ToolCall && p.view.Full && hasAgent(it) {
			p.result(branch+below, it)
		}
	}
}

// agent draws a subagent: its type and id, and of the rest what there is room for.
func (p *painter) agent(branch string, it *graph.TreeItem) {
	a := it.Agent
	mark := p.pick("⑂", "agent:") + " "
	room := p.Width - width(branch) - width(mark)
	text := p.clip(cmp.Or(OneLine(a.AgentType), "subagent")+" "+OneLine(a.AgentID), room)
	room -= width(text)
	text = p.paint(cyan, text)
	add := func(sep, s string, color string) {
		if s == "" || p.Width > 0 && width(sep+s) > room {
			return
		}
		room -= width(sep + s)
		text += sep + p.paint(color, s)
	}
	if a.Status != "" {
		add(" ", p.sign(a.Status)+" "+strings.ReplaceAll(OneLine(a.Status), "_", " "), statusColor(a.Status))
	}
	if a.ParentUnknown {
		add(" ", "(which call spawned it is not known)", yellow)
	}
	add("  ", p.AgentTokens(a), dim)
	add("  ", between(a.StartedAt, a.EndedAt), dim)
	p.line(branch, p.paint(dim, mark)+text)
}

func (p *painter) action(branch, below string, it *graph.TreeItem) {
	a := it.Action
	switch a.ActionType {
	case graph.ToolCall:
		p.call(branch, below, it)
	case graph.UserMessage, graph.AssistantMessage, graph.SystemMessage, graph.TurnEnd, graph.StructuredOutput:
		p.message(branch, below, a)
	case graph.ErrorEvent, graph.RateLimitEvent:
		p.note(branch, below, a, p.paint(red, p.pick("✗", "x")+" "+typeWords(a.ActionType)), red)
	case graph.Unknown:
		p.unknown(branch, below, a)
	case graph.LLMCall:
		p.modelCall(branch, below, a)
	default:
		p.note(branch, below, a, p.noteHead(a), "")
	}
}

// call draws a ToolCall, its result folded into it.
func (p *painter) call(branch, below string, it *graph.TreeItem) {
	a := it.Action
	name := OneLine(a.ToolName)
	if name == "" {
		name = OneLine(a.Name)
	}
	name = p.clip(name, p.Width/2)
	gist := Gist(a, p.dir)
	switch a.Status {
	case "completed", "":
	case "failed": // its mark and its error say so
		if a.NeverRan {
			gist = strings.TrimSpace(gist + p.pick(" — ", " - ") + "never ran")
		}
	default:
		gist = strings.TrimSpace(gist + p.pick(" — ", " - ") + strings.ReplaceAll(OneLine(a.Status), "_", " "))
	}
	head := p.Mark(a.Status) + " " + p.paint(bold, name) + "  "
	color := ""
	if a.Status != "completed" {
		color = statusColor(a.Status)
	}
	p.aligned(branch, head, 4+width(name), gist, Took(a), color)
	switch {
	case p.view.Full:
		p.input(below, it)
		if !hasAgent(it) {
			p.result(below, it)
		}
	case a.Status == "failed" || a.IsError:
		if line := errorLine(it); line != "" {
			p.line(below+"  ", p.paint(red, p.clip(line, p.Width-width(below)-2)))
		}
	}
}

// Took is how long a call ran, "" where that is not known; one that was refused ran not at
// all, however long the refusal took.
func Took(a *graph.ActionRow) string {
	if a.Status == "denied" || a.Status == "blocked" || a.NeverRan {
		return ""
	}
	if d := Millis(a.DurationMS); d != "" {
		return d
	}
	if a.StartedAt.Equal(a.EndedAt) {
		return "" // a grain tells only when it was
	}
	return between(a.StartedAt, a.EndedAt)
}

// errorLine is the first line of what a failed call answered.
func errorLine(it *graph.TreeItem) string {
	if l := FirstLine(property(it.Action, "error_message")); l != "" {
		return l
	}
	if it.Result == nil {
		return FirstLine(it.Action.Text)
	}
	for _, text := range []string{property(it.Result, "error_message"), it.Result.Text} {
		// The tag is for the model.
		if l := FirstLine(strings.NewReplacer("<tool_use_error>", "", "</tool_use_error>", "").Replace(text)); l != "" {
			return l
		}
	}
	return ""
}

// message draws what was said: the assistant's text, a system message, the answer
// that a turn ended with.
func (p *painter) message(branch, below string, a *graph.ActionRow) {
	mark, color := p.pick("◂", "<"), ""
	switch a.ActionType {
	case graph.UserMessage:
		mark = p.pick("❯", ">")
	case graph.SystemMessage:
		mark, color = p.pick("·", "-"), dim
	case graph.StructuredOutput:
		mark = "="
	case graph.AssistantMessage:
		if a.Thinking {
			mark, color = p.pick("✻", "*"), dim
		}
	}
	if a.Status == "failed" {
		mark, color = p.pick("✗", "x"), red
	}
	room := p.Width - max(width(branch), width(below)) - 2
	lines := p.told(a, 5, room)
	if a.ActionType == graph.SystemMessage && !p.view.Full && notice(a.Text) == "" {
		lines = p.images(nil, a, room)
		if text := WithoutTags(OneLine(a.Text)); text != "" {
			lines = slices.Insert(lines, 0, p.clipSaid(text, room))
		}
	}
	switch {
	case len(lines) == 0 && a.Thinking:
		lines = []string{"thinking that its provider keeps encrypted"}
	case len(lines) == 0:
		lines = []string{p.paint(dim, typeWords(a.ActionType))}
	}
	for i, l := range lines {
		head := branch
		if i > 0 {
			head, mark = below, " "
		}
		p.line(head, p.paint(color, mark+" "+l))
	}
}

// note draws anything else on one line.
func (p *painter) note(branch, below string, a *graph.ActionRow, head, color string) {
	gist := Gist(a, p.dir)
	if a.ActionType == graph.PermissionRequest && a.ParentActionID != "" {
		gist = "" // the call above says it
	}
	if gist != "" {
		head += p.paint(color, ":")
	}
	p.aligned(branch, head+" ", width(Clean(head))+1, gist, "", color)
	if p.view.Full && a.Text != "" && strings.Contains(a.Text, "\n") {
		p.body(below, "text", a.Text, false)
	}
}

// aligned writes a line with text that gives way and, at the right edge, a time or
// duration. headWidth is the columns that head takes.
func (p *painter) aligned(branch, head string, headWidth int, text, right, color string) {
	used := width(branch) + headWidth
	room := p.Width - used - len(right)
	if right != "" {
		room -= 2
	}
	if p.Width > 0 && room < 10 && right != "" { // what happened before how long it took
		room, right = room+len(right)+2, ""
	}
	text = p.clip(text, room)
	line := head + p.paint(color, text)
	if right != "" {
		gap := 2
		if p.Width > 0 {
			gap = max(2, min(p.Width, 100)-used-width(text)-len(right))
		}
		line += strings.Repeat(" ", gap) + p.paint(dim, right)
	}
	p.line(branch, strings.TrimRight(line, " "))
}

// clip is Truncate where there is a limit; a text keeps some columns whatever the
// depth of the tree.
func (p *painter) clip(text string, n int) string {
	if p.Width == 0 {
		return text
	}
	return p.Truncate(text, max(n, 10))
}

// TraceLine is one event of a journal on one line: [type] id summary.
func (s Style) TraceLine(kind, id, summary string) string {
	kind, id, summary = OneLine(kind), OneLine(id), OneLine(summary)
	if s.Width > 0 {
		id = s.Truncate(id, max(s.Width-width(kind)-24, 6)) // it is whole in --json
		summary = s.Truncate(summary, max(s.Width-width(kind)-width(id)-4, 20))
	}
	return strings.TrimRight("["+s.paint(cyan, kind)+"] "+s.paint(dim, id)+" "+summary, " ")
}
