package export

import (
	"cmp"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/internal/render"
)

// document is what both formats are written from. Its strings are clean.
type document struct {
	Title string
	Facts []field
	Turns []turn
	// Left says what is not in the document.
	Left string
}

type turn struct {
	Prompt  *entry // nil before the first one
	Entries []*entry
}

// entry is one thing that was said or done.
type entry struct {
	Kind    string // prompt answer thinking system note error call agent
	Head    string // a caption on one line
	Mark    string // one sign for how it ended
	Status  string // in words, "" where it is completed
	When    string // of the day, UTC
	Took    string
	Text    string
	Input   []field
	Entries []*entry // what happened within
	Output  []field
}

// Bad reports whether it failed, was refused or was interrupted.
func (e *entry) Bad() bool { return strings.Contains("✗⊘■", e.Mark) && e.Mark != "" }

// field is a named text. Inline is one short line.
type field struct {
	Name, Text, Lang string
	Inline           bool
}

// builder makes a document of a conversation.
type builder struct {
	Conversation
	*cleaner
	left map[graph.ActionType]int
}

func (c Conversation) document() document {
	b := &builder{Conversation: c, cleaner: newCleaner(c.Redact), left: map[graph.ActionType]int{}}
	d := document{Title: b.title(), Facts: b.facts()}
	for _, shared := range c.Shared {
		d.Turns = append(append(d.Turns, begins(b.line(shared.Head, 300))), b.turns(shared.Actions, shared.Agents)...)
	}
	own := b.turns(c.Actions, c.Agents)
	if len(c.Shared) > 0 && len(own) > 0 {
		d.Turns = append(d.Turns, begins("its own"))
	}
	d.Turns = append(d.Turns, own...)
	d.Left = b.leftOut()
	return d
}

// begins says that a part of a fork does, and which.
func begins(head string) turn { return turn{Entries: []*entry{{Kind: "note", Head: head}}} }

func (b *builder) turns(actions []graph.ActionRow, agents []graph.AgentRow) (out []turn) {
	for _, t := range graph.Turns(actions, agents, nil) {
		next := turn{Entries: b.entries(t.Items, 0)}
		if t.Prompt != nil {
			next.Prompt = b.said("prompt", t.Prompt)
		}
		if next.Prompt != nil || len(next.Entries) > 0 {
			out = append(out, next)
		}
	}
	return out
}

func (b *builder) title() string {
	for _, s := range []string{b.Session.Title, b.Session.FirstPrompt, b.Session.SessionID} {
		if t := b.line(s, 120); t != "" {
			return t
		}
	}
	return "Session"
}

// facts is the head of the document: neither the machine nor the user nor where the
// project is on it.
func (b *builder) facts() (out []field) {
	add := func(name, value string) {
		if value = b.line(value, 300); value != "" {
			out = append(out, field{Name: name, Text: value})
		}
	}
	s := b.Session
	add("Session", s.SessionID)
	add("Fork of", s.ForkedFrom)
	add("Started", moment(s.StartedAt))
	end := s.EndedAt
	if end.IsZero() {
		end = s.LastEventAt
	}
	if !s.StartedAt.IsZero() && end.After(s.StartedAt) {
		add("Took", render.Duration(end.Sub(s.StartedAt)))
	}
	add("Status", s.Status)
	add("Agent", s.SourceSDK)
	add("Models", strings.Join(b.models(), ", "))
	if dir := path.Base(strings.ReplaceAll(s.WorkingDirectory, `\`, "/")); s.WorkingDirectory != "" && dir != "/" {
		add("Project", dir)
	}
	add("Branch", s.GitBranch)
	add("Tags", strings.Join(s.Tags, ", "))
	style := render.Style{UTF8: true}
	add("Tokens", strings.Join(style.Tokens(&b.Usage), ", "))
	add("Cost", strings.Join(style.Cost(&b.Usage), ", "))
	add("By agent", strings.Join(style.ByAgent(&b.Usage), ", "))
	counts := []string{render.Plural(s.ToolCallCount, "tool call")}
	if s.AgentCount > 0 {
		counts = append(counts, render.Plural(s.AgentCount, "subagent"))
	}
	add("Counts", strings.Join(append(counts, render.Plural(s.ErrorCount, "error")), ", "))
	return out
}

// models are those that answered, the one that did most often first.
func (b *builder) models() []string {
	calls := map[string]int{}
	for i := range b.Actions {
		a := &b.Actions[i]
		if (a.ActionType == graph.LLMCall || a.ActionType == graph.AssistantMessage) && a.Model != "" && a.Model != "<synthetic>" {
			calls[a.Model]++
		}
	}
	if len(calls) == 0 && b.Session.Model != "" {
		return []string{b.Session.Model}
	}
	return slices.SortedFunc(maps.Keys(calls), func(x, y string) int {
		return cmp.Or(cmp.Compare(calls[y], calls[x]), cmp.Compare(x, y))
	})
}

// leftOut names what a reader of a conversation does not miss, and how much of it there
// was.
func (b *builder) leftOut() string {
	var parts []string
	for _, t := range slices.Sorted(maps.Keys(b.left)) {
		parts = append(parts, render.Plural(int64(b.left[t]), words(t)))
	}
	if len(parts) == 0 {
		return ""
	}
	return "Not shown: " + strings.Join(parts, ", ") + "."
}

func words(t graph.ActionType) string {
	switch t {
	case graph.LLMCall:
		return "model call"
	case graph.Context:
		return "context event"
	case graph.PermissionRequest:
		return "permission request"
	}
	return strings.ReplaceAll(string(t), "_", " ")
}

func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05 UTC")
}

func clock(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("15:04:05")
}
