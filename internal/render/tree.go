package render

import (
	"slices"
	"time"

	"github.com/actiongraph/actiongraph/graph"
)

// SessionView is what the tree of one session is drawn from.
type SessionView struct {
	Session graph.SessionRow
	Actions []graph.ActionRow // all, in the order of time, with content
	Agents  []graph.AgentRow
	// Full draws contents and what is hidden otherwise.
	Full bool
}

// item is one line of the tree and what hangs under it: an action or a subagent.
type item struct {
	action *graph.ActionRow
	result *graph.ActionRow // of a ToolCall
	agent  *graph.AgentRow
	at     time.Time
	kids   []*item
	hidden int // actions under it that are not drawn
}

// turn is what one prompt led to; the first one may have no prompt.
type turn struct {
	prompt *graph.ActionRow
	items  []*item
	hidden int
}

// forest builds the tree: an action hangs under its parent, what a subagent did
// under its Agent, and the Agent under the call that spawned it. What has no parent
// belongs to the turn of its time.
type forest struct {
	view   SessionView
	items  map[string]*item // by action id
	agents map[string]*item // by agent id
	roots  []*item
}

func buildTurns(v SessionView) []turn {
	f := &forest{
		view:   v,
		items:  make(map[string]*item, len(v.Actions)),
		agents: make(map[string]*item, len(v.Agents)),
	}
	for i := range v.Agents {
		a := &v.Agents[i]
		f.agents[a.AgentID] = &item{agent: a, at: a.StartedAt}
	}
	for i := range v.Actions {
		a := &v.Actions[i]
		f.items[a.ActionID] = &item{action: a, at: a.Timestamp}
		if a.AgentID == "" {
			continue
		}
		g := f.agents[a.AgentID]
		if g == nil { // a lane whose Agent the store does not know
			g = &item{agent: &graph.AgentRow{AgentID: a.AgentID, ParentUnknown: true}}
			f.agents[a.AgentID] = g
		}
		if g.at.IsZero() || a.Timestamp.Before(g.at) {
			g.at = a.Timestamp
		}
	}
	for i := range v.Actions {
		f.place(&v.Actions[i])
	}
	for _, g := range f.agents {
		f.attach(g, f.items[g.agent.SpawnedByActionID])
	}
	for _, it := range f.items {
		sortItems(it.kids)
	}
	for _, g := range f.agents {
		sortItems(g.kids)
	}
	sortItems(f.roots)
	return f.turns()
}

// attach puts it under parent, or at the top.
func (f *forest) attach(it, parent *item) {
	if parent == nil {
		f.roots = append(f.roots, it)
		return
	}
	parent.kids = append(parent.kids, it)
}

func (f *forest) place(a *graph.ActionRow) {
	it, parent := f.items[a.ActionID], f.items[a.ParentActionID]
	switch a.ActionType {
	case graph.ToolResult:
		if parent != nil && parent.result == nil {
			parent.result = a
			return
		}
	case graph.SubagentStart, graph.SubagentStop:
		// The Agent's own line says what they say.
		if f.agents[a.AgentID] != nil {
			return
		}
	}
	lane := f.agents[a.AgentID]
	if parent != nil && parent.action.AgentID == a.AgentID && !isAgentEvent(parent.action) {
		lane = nil // its parent is in the same lane: there it hangs
	} else if lane != nil {
		parent = lane
	}
	if !f.view.Full && hiddenByDefault(a) {
		if parent == nil {
			f.roots = append(f.roots, &item{at: a.Timestamp, hidden: 1})
		} else {
			parent.hidden++
		}
		return
	}
	f.attach(it, parent)
}

func isAgentEvent(a *graph.ActionRow) bool {
	return a.ActionType == graph.SubagentStart || a.ActionType == graph.SubagentStop
}

// hiddenByDefault is what a person who wants to know what happened does not miss:
// files of instructions loaded, directories changed; and a turn's end without text.
func hiddenByDefault(a *graph.ActionRow) bool {
	switch a.ActionType {
	case graph.Context:
		return true
	case graph.Notification: // the display's own event; the answer is the turn's
		return property(a, "hook_event_name") == "MessageDisplay"
	case graph.TurnEnd:
		return a.Text == "" && a.Status != "failed"
	}
	return false
}

func sortItems(items []*item) {
	slices.SortStableFunc(items, func(a, b *item) int { return a.at.Compare(b.at) })
}

func (f *forest) turns() []turn {
	var turns []turn
	for _, it := range f.roots {
		prompt := it.action != nil && it.action.ActionType == graph.UserMessage && it.action.AgentID == ""
		if prompt {
			turns = append(turns, turn{prompt: it.action})
		} else if len(turns) == 0 {
			turns = append(turns, turn{})
		}
		last := &turns[len(turns)-1]
		last.hidden += it.hidden
		switch {
		case prompt:
			last.items = append(last.items, it.kids...)
		case it.action != nil || it.agent != nil:
			last.items = append(last.items, it)
		}
	}
	return turns
}
