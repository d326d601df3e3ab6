package live

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/schema"
)

// maxDepth bounds how deep lanes are said to be: what is claimed may be a circle.
const maxDepth = 16

func isInterruption(text string) bool {
	return strings.HasPrefix(text, "[Request interrupted by user")
}

// isPrompt reports what begins a turn.
func (a *action) isPrompt() bool {
	return a.ActionType == graph.UserMessage && a.AgentID == "" && !a.ends
}

// open reports a call that runs, or waits for a permission.
func (a *action) open() bool {
	return a.ActionType == graph.ToolCall && (a.Status == schema.StatusInProgress || a.Status == schema.StatusPending)
}

func (s *session) inOrder() []*action {
	all := make([]*action, 0, len(s.actions))
	for _, a := range s.actions {
		all = append(all, a)
	}
	slices.SortFunc(all, func(a, b *action) int { return compare(&a.Action, &b.Action) })
	return all
}

func compare(a, b *Action) int {
	return cmp.Or(a.Timestamp.Compare(b.Timestamp), cmp.Compare(a.ActionID, b.ActionID))
}

func (s *session) lastPrompt() (last *action) {
	for _, a := range s.actions {
		if a.isPrompt() && (last == nil || compare(&a.Action, &last.Action) > 0) {
			last = a
		}
	}
	return last
}

// moments are what the state of a session follows from.
type moments struct {
	// Of the main thread, the latest: prompt; end of a turn; notice that the runtime waits
	// for input; call, or message of the runtime's, that is in a turn.
	prompt, end, notice, began time.Time
	asked                      string
	call, request              *action // the latest call that runs; the earliest request that is pending
	failure                    *action
	calls                      int
}

func (s *session) moments() (m moments) {
	if p := s.lastPrompt(); p != nil {
		m.prompt, m.asked = p.Timestamp, p.Gist
	}
	var open []*action
	later := func(a, b *action) bool { return b == nil || compare(&a.Action, &b.Action) > 0 }
	for _, a := range s.actions {
		switch {
		case a.open():
			open = append(open, a)
			if a.AgentID == "" {
				m.began = latest(m.began, a.Timestamp)
			}
		case a.ActionType == graph.PermissionRequest && a.Status == schema.StatusPending && a.Timestamp.After(m.prompt):
			if m.request == nil || !later(a, m.request) {
				m.request = a
			}
		case a.AgentID != "":
		case a.ActionType == graph.ToolCall, a.turns:
			m.began = latest(m.began, a.Timestamp)
		case !a.ends:
		case a.ActionType == graph.Notification:
			m.notice = latest(m.notice, a.Timestamp)
		case a.ActionType == graph.Compaction:
			m.end = latest(m.end, a.EndedAt)
		default:
			m.end = latest(m.end, a.Timestamp)
		}
		switch a.ActionType {
		case graph.ToolCall, graph.ErrorEvent, graph.RateLimitEvent:
			if a.IsError && later(a, m.failure) {
				m.failure = a
			}
		}
	}
	// A turn that was broken off has no other end.
	if !m.end.After(latest(m.prompt, m.began)) {
		m.end = latest(m.end, m.notice)
	}
	for _, a := range open {
		// One that was broken off, of which no hook tells: the turn is over, or calls of the
		// next prompt began, which do not while those of the prompt before run.
		before := a.Timestamp.Before(m.prompt) && m.began.After(m.prompt)
		if a.AgentID == "" && (before || !a.Timestamp.After(m.end)) {
			continue
		}
		if m.calls++; later(a, m.call) {
			m.call = a
		}
	}
	return m
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func (s *session) agentRuns() bool {
	for _, a := range s.agents {
		if a.Status == schema.StatusInProgress {
			return true
		}
	}
	return false
}

// summary is what the session is doing.
func (s *session) summary() Session {
	m := s.moments()
	if m.end.After(m.prompt) && m.began.After(m.end) {
		m.prompt = m.began // of a prompt that was typed during the turn before, and is answered now
	}
	out := Session{SessionRow: s.row, Calls: m.calls, LastPrompt: m.asked, TurnStartedAt: m.prompt, Refused: s.refused}
	out.SessionID = s.id
	if m.end.After(m.prompt) {
		out.TurnEndedAt = m.end
	}
	switch {
	case s.row.Status != schema.StatusActive && !s.row.EndedAt.IsZero():
		out.State, out.Since = Ended, s.row.EndedAt
		out.Calls = 0
	case m.request != nil:
		out.State, out.Since = Waiting, m.request.Timestamp
		out.Call = s.told(m.request)
		if call := s.actions[m.request.ParentActionID]; call != nil {
			out.Call = s.told(call)
		}
	case m.calls > 0 || s.agentRuns() || m.prompt.After(m.end):
		out.State, out.Since = Working, m.prompt
		if m.call != nil {
			out.Call = s.told(m.call)
		}
	default:
		out.State, out.Since = Idle, m.end
	}
	if out.Since.IsZero() {
		out.Since = s.row.LastEventAt
	}
	if m.failure != nil {
		out.LastError = s.told(m.failure)
	}
	s.price(&out)
	return out
}

func (s *session) price(out *Session) {
	switch {
	case s.priced:
		dollars := s.nanos / 1e9
		out.CostUSD = &dollars
		out.CostLowerBound = len(s.unpriced) > 0 || s.row.TotalLowerBound
	case s.row.TotalCostUSD != nil:
		out.CostUSD = s.row.TotalCostUSD
	}
}

// told is an action as others see it: its error is what its result says, its lane's depth
// where it stands.
func (s *session) told(a *action) *Action {
	out := a.Action
	out.Depth = s.depth(a.AgentID)
	switch a.ActionType {
	case graph.ToolCall:
		if r := s.actions[s.results[a.ActionID]]; r != nil && (a.IsError || a.Status == schema.StatusDenied || a.Status == schema.StatusBlocked) {
			out.Error = r.said
		}
	case graph.ErrorEvent, graph.RateLimitEvent:
		out.Error = a.Gist
	case graph.SubagentStart, graph.SubagentStop:
		for _, g := range s.agents {
			if g.AgentID == a.AgentID {
				out.Gist = cut(strings.Trim(g.AgentType+": "+g.Description, ": "))
				out.AgentStatus = g.Status
			}
		}
	}
	return &out
}

// depth is how deep a lane is below the main thread.
func (s *session) depth(lane string) (n int) {
	for lane != "" && n < maxDepth {
		n++
		start := s.actions[s.starts[lane]]
		if start == nil {
			break
		}
		parent := s.actions[start.ParentActionID]
		if parent == nil || parent.AgentID == lane {
			break
		}
		lane = parent.AgentID
	}
	return n
}

// changes are the actions that changed since they were last asked for.
func (s *session) changes() (out []Action) {
	for id := range s.changed {
		if a := s.actions[id]; a != nil {
			out = append(out, *s.told(a))
		}
	}
	for _, id := range s.gone {
		if s.actions[id] == nil {
			out = append(out, Action{ActionRow: graph.ActionRow{ActionID: id, SessionID: s.id}, Removed: true})
		}
	}
	clear(s.changed)
	s.gone = s.gone[:0]
	slices.SortFunc(out, func(a, b Action) int { return compare(&a, &b) })
	return out
}
