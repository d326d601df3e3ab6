package trace

import (
	"slices"
	"sort"
	"time"

	"github.com/actiongraph/actiongraph/graph"
)

type spanKind uint8

const (
	sessionSpan spanKind = iota
	turnSpan
	agentSpan
	toolSpan
	modelSpan
)

// span is one thing that took time.
type span struct {
	kind       spanKind
	id         string // of its own among the session's
	parent     *span  // nil is the session's
	lane       string
	start, end time.Time

	action *graph.ActionRow   // a turn's prompt, a tool call, a model call
	result *graph.ActionRow   // of a tool call
	agent  *graph.AgentRow    // of a subagent
	said   []*graph.ActionRow // what the model said in a turn or a subagent
	events []*graph.ActionRow // what else happened in it
	over   *graph.ActionRow   // of a turn: what it ended in, the end or an error
}

// spans gives the spans of a session, the session's own first and each behind its parent.
func (f *folded) spans() []*span {
	b := &builder{
		root:   &span{kind: sessionSpan, id: "session", start: f.session.StartedAt, end: f.session.EndedAt},
		turns:  map[int64]*span{},
		agents: map[string]*span{},
		calls:  map[string]*span{},
	}
	b.all = []*span{b.root}
	for i := range f.agents {
		b.agentOf(f.agents[i].AgentID).agent = &f.agents[i]
	}
	for i := range f.actions {
		b.place(&f.actions[i])
	}
	for _, s := range b.all {
		if s.kind == agentSpan {
			b.spawn(s)
		}
	}
	for _, s := range b.all[1:] {
		s.end = latest(s.end, s.start)
		b.root.cover(s.start, s.end)
	}
	b.root.end = latest(b.root.end, b.root.start)
	if b.root.start.IsZero() {
		return nil // nothing that happened has a time
	}
	sorted := b.sorted()
	for _, s := range sorted {
		if s.start.IsZero() { // a subagent of which only its name is known
			s.start, s.end = s.parent.start, s.parent.start
		}
	}
	return sorted
}

// builder is the tree of spans while it is being made.
type builder struct {
	root   *span
	turns  map[int64]*span
	order  []*span           // the turns in the order of time
	agents map[string]*span  // by lane
	starts map[string]string // by lane: what the first start of its agent hangs under
	calls  map[string]*span  // by action
	all    []*span
}

func (b *builder) add(s *span) *span {
	b.all = append(b.all, s)
	return s
}

// agentOf is the span of a lane's subagent, also of one that the graph has no node of.
func (b *builder) agentOf(lane string) *span {
	if b.agents[lane] == nil {
		b.agents[lane] = b.add(&span{kind: agentSpan, id: "agent/" + lane, lane: lane, agent: &graph.AgentRow{AgentID: lane, ParentUnknown: true}})
	}
	return b.agents[lane]
}

// owner is the span of the turn or the subagent that an action is in.
func (b *builder) owner(a *graph.ActionRow) *span {
	if a.AgentID != "" {
		return b.agentOf(a.AgentID)
	}
	if t := b.turns[a.Turn]; t != nil {
		return t
	}
	return b.root
}

// within is the span that an action is in: the call that it is part of, else its owner.
func (b *builder) within(a *graph.ActionRow) *span {
	if c := b.calls[a.ParentActionID]; c != nil && c.lane == a.AgentID {
		return c
	}
	return b.owner(a)
}

func (b *builder) place(a *graph.ActionRow) {
	owner := b.owner(a)
	owner.cover(a.Timestamp, a.Timestamp)
	switch a.ActionType {
	case graph.UserMessage:
		if a.AgentID == "" && a.Turn > 0 && b.turns[a.Turn] == nil {
			s := b.add(&span{kind: turnSpan, id: a.ActionID, parent: b.root, start: a.Timestamp, action: a})
			b.turns[a.Turn], b.order = s, append(b.order, s)
		}
	case graph.ToolCall:
		s := b.add(&span{kind: toolSpan, id: a.ActionID, parent: b.within(a), lane: a.AgentID, action: a})
		s.start, s.end = ends(a)
		b.calls[a.ActionID] = s
		owner.cover(s.start, s.end)
	case graph.LLMCall:
		s := b.add(&span{kind: modelSpan, id: a.ActionID, parent: b.within(a), lane: a.AgentID, action: a})
		s.start, s.end = ends(a)
		owner.cover(s.start, s.end)
	case graph.ToolResult:
		if c := b.calls[a.ParentActionID]; c != nil && c.result == nil {
			c.result = a
		}
	case graph.SubagentStart:
		b.agentStart(a)
	case graph.AssistantMessage:
		if !a.Thinking {
			owner.said = append(owner.said, a)
		}
	case graph.SystemMessage, graph.SubagentStop:
	case graph.TurnEnd:
		owner.over = a
	default:
		s := b.within(a)
		if a.ActionType == graph.ErrorEvent {
			owner.over = a
		}
		s.events = append(s.events, a)
	}
}

func (b *builder) agentStart(a *graph.ActionRow) {
	if b.starts == nil {
		b.starts = map[string]string{}
	}
	if _, again := b.starts[a.AgentID]; !again {
		b.starts[a.AgentID] = a.ParentActionID
	}
	// What hangs under a start hangs under its agent.
	b.calls[a.ActionID] = b.agentOf(a.AgentID)
}

// spawn puts a subagent under what spawned it, where that is known and is not its own doing.
func (b *builder) spawn(s *span) {
	s.cover(s.agent.StartedAt, s.agent.EndedAt)
	parent := b.calls[b.starts[s.lane]]
	if parent == nil || parent == s {
		parent = b.calls[s.agent.SpawnedByActionID]
	}
	if s.agent.ParentUnknown || parent == s || parent != nil && parent.isIn(s) {
		parent = nil
	}
	if parent == nil {
		parent = b.root
		if n := sort.Search(len(b.order), func(i int) bool { return b.order[i].start.After(s.start) }); n > 0 {
			parent = b.order[n-1]
		}
	}
	s.parent = parent
}

// isIn reports whether s is in other, or is it.
func (s *span) isIn(other *span) bool {
	for ; s != nil; s = s.parent {
		if s == other {
			return true
		}
	}
	return false
}

// cover makes a span whose ends nobody stated long enough. A call's are stated.
func (s *span) cover(start, end time.Time) {
	if s.kind == toolSpan || s.kind == modelSpan {
		return
	}
	if !start.IsZero() && (s.start.IsZero() || start.Before(s.start)) {
		s.start = start
	}
	s.end = latest(s.end, end)
}

// ends are when a call began and ended, as far as anybody knows: at once, where it did not.
func ends(a *graph.ActionRow) (start, end time.Time) {
	if start = a.StartedAt; start.IsZero() {
		start = a.Timestamp
	}
	if end = a.EndedAt; end.IsZero() && a.DurationMS != nil && *a.DurationMS > 0 && *a.DurationMS < 1e12 {
		end = start.Add(time.Duration(*a.DurationMS * float64(time.Millisecond)))
	}
	return start, latest(start, end)
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func (s *span) depth() (n int) {
	for ; s.parent != nil; s = s.parent {
		n++
	}
	return n
}

// sorted gives the spans by their depth in the tree and their start, so that a parent comes
// before what is in it also where clocks disagree.
func (b *builder) sorted() []*span {
	depth := make(map[*span]int, len(b.all))
	for _, s := range b.all {
		depth[s] = s.depth()
	}
	slices.SortStableFunc(b.all, func(x, y *span) int {
		if d := depth[x] - depth[y]; d != 0 {
			return d
		}
		return x.start.Compare(y.start)
	})
	return b.all
}
