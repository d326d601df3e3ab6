package graph

import (
	"slices"
	"time"
)

// Turn is what one prompt of the main thread led to; the first one may have no prompt.
type Turn struct {
	Prompt *ActionRow
	Items  []*TreeItem
	Hidden int // actions among Items that were hidden
}

// TreeItem is one thing that happened and what hangs under it: an action or a subagent.
type TreeItem struct {
	Action *ActionRow
	Result *ActionRow // of a ToolCall
	Agent  *AgentRow
	At     time.Time
	Kids   []*TreeItem
	Hidden int // actions under it that were hidden
}

// Turns arranges a session as people tell it: an action hangs under its parent, what a
// subagent did under its Agent, and the Agent under what spawned it, or the Agent that
// called it. What has no
// parent belongs to the turn of its time. What hide selects is counted only; nil hides
// nothing. The rows are those of one session, in the order of time, and are pointed at.
func Turns(actions []ActionRow, agents []AgentRow, hide func(*ActionRow) bool) []Turn {
	f := &forest{hide: hide, items: make(map[string]*TreeItem, len(actions)), agents: make(map[string]*TreeItem, len(agents)), parents: map[string]*TreeItem{}}
	for i := range agents {
		a := &agents[i]
		f.agents[a.AgentID] = &TreeItem{Agent: a, At: a.StartedAt}
	}
	for i := range actions {
		a := &actions[i]
		f.items[a.ActionID] = &TreeItem{Action: a, At: a.Timestamp}
		if a.AgentID == "" {
			continue
		}
		g := f.agents[a.AgentID]
		if g == nil { // a lane whose Agent the store does not know
			g = &TreeItem{Agent: &AgentRow{AgentID: a.AgentID, ParentUnknown: true}}
			f.agents[a.AgentID] = g
		}
		if g.At.IsZero() || a.Timestamp.Before(g.At) {
			g.At = a.Timestamp
		}
	}
	for i := range actions {
		f.place(&actions[i])
	}
	for id, g := range f.agents {
		parent := f.parents[id]
		if parent == nil && !g.Agent.ParentUnknown {
			parent = f.items[g.Agent.SpawnedByActionID]
		}
		f.attach(g, parent)
	}
	for _, it := range f.items {
		sortItems(it.Kids)
	}
	for _, g := range f.agents {
		sortItems(g.Kids)
	}
	sortItems(f.roots)
	return f.turns()
}

// forest is the tree while it is being built.
type forest struct {
	hide   func(*ActionRow) bool
	items  map[string]*TreeItem // by action id
	agents map[string]*TreeItem // by agent id
	// parents are what agents hang under by their first start: an action, or the Agent that
	// called them. One whose parent is unknown is at the top, whatever is said to have spawned it:
	// in a circle of such claims nobody would be.
	parents map[string]*TreeItem
	roots   []*TreeItem
}

// attach puts it under parent, or at the top.
func (f *forest) attach(it, parent *TreeItem) {
	if parent == nil {
		f.roots = append(f.roots, it)
		return
	}
	parent.Kids = append(parent.Kids, it)
}

func (f *forest) place(a *ActionRow) {
	it, parent := f.items[a.ActionID], f.items[a.ParentActionID]
	switch a.ActionType {
	case ToolResult:
		if parent != nil && parent.Result == nil {
			parent.Result = a
			return
		}
	case SubagentStart, SubagentStop:
		if parent != nil && parent.Action.AgentID != a.AgentID && f.parents[a.AgentID] == nil {
			if f.parents[a.AgentID] = parent; isAgentEvent(parent.Action) {
				f.parents[a.AgentID] = f.agents[parent.Action.AgentID]
			}
		}
		// The Agent's own line says what they say.
		if f.agents[a.AgentID] != nil {
			return
		}
	}
	lane := f.agents[a.AgentID]
	if parent != nil && parent.Action.AgentID == a.AgentID && !isAgentEvent(parent.Action) {
		lane = nil // its parent is in the same lane: there it hangs
	} else if lane != nil {
		parent = lane
	}
	if f.hide != nil && f.hide(a) {
		if parent == nil {
			f.roots = append(f.roots, &TreeItem{At: a.Timestamp, Hidden: 1})
		} else {
			parent.Hidden++
		}
		return
	}
	f.attach(it, parent)
}

func isAgentEvent(a *ActionRow) bool {
	return a.ActionType == SubagentStart || a.ActionType == SubagentStop
}

// sortItems sorts by time. What a map gave in any order has an order all the same: agents
// of one moment go by id, after actions.
func sortItems(items []*TreeItem) {
	slices.SortStableFunc(items, func(a, b *TreeItem) int {
		if c := a.At.Compare(b.At); c != 0 || a.Agent == nil && b.Agent == nil {
			return c
		}
		return compareAgents(a.Agent, b.Agent)
	})
}

func compareAgents(a, b *AgentRow) int {
	switch {
	case a == nil:
		return -1
	case b == nil:
		return 1
	case a.AgentID < b.AgentID:
		return -1
	case a.AgentID > b.AgentID:
		return 1
	}
	return 0
}

func (f *forest) turns() []Turn {
	var turns []Turn
	for _, it := range f.roots {
		prompt := it.Action != nil && it.Action.ActionType == UserMessage && it.Action.AgentID == ""
		if prompt {
			turns = append(turns, Turn{Prompt: it.Action})
		} else if len(turns) == 0 {
			turns = append(turns, Turn{})
		}
		last := &turns[len(turns)-1]
		last.Hidden += it.Hidden
		switch {
		case prompt:
			last.Items = append(last.Items, it.Kids...)
		case it.Action != nil || it.Agent != nil:
			last.Items = append(last.Items, it)
		}
	}
	return turns
}
