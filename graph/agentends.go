package graph

import (
	"strings"

	"github.com/actiongraph/actiongraph/schema"
)

// agentEnd folds SubagentStop.
func (s *Session) agentEnd(f *fact) {
	if f.AgentID == "" {
		s.single(f, SubagentStop)
		return
	}
	l := s.lanes[s.laneOf[f.AgentID]]
	if schema.FieldString(f.Extra, "end_time") == "unknown" {
		l.overs.add(s, f)
	} else {
		l.stops.add(s, f)
	}
	if failedEnd(f.Event) {
		l.more().fails.add(s, f)
	}
	s.single(f, SubagentStop)
	if f.Content != "" {
		// The latest message stands, so the order of time is turned round.
		st := f.stamp(0)
		st.time = -st.time
		if won, _ := s.regs.take(&l.regs, st, agentLastMessage); won != 0 {
			l.more().lastText = s.textKey(f)
			var text any = clip(f.Content)
			if s.said(f) {
				text = nil
			}
			s.putAgent(l, Prop{"last_assistant_message", text})
		}
	}
	s.closeLane(l, f)
	s.showAgent(l)
}

// failedEnd reports the end of an agent that says of itself that it failed.
func failedEnd(e *schema.Event) bool {
	return e.EventType == schema.AgentEnd && (e.IsError || e.Status == schema.StatusFailed)
}

// showAgent writes the status and times of a subagent, and what else it has of the call
// that spawned it.
func (s *Session) showAgent(l *lane) {
	s.showAsked(l)
	s.showMissing(l)
	status := schema.StatusInProgress
	start := l.seen
	if len(l.starts) > 0 {
		start = l.starts[0]
	} else if call := s.callOf(l.spawner); !l.own && call.startRank != 0 {
		start = min(start, call.started) // nothing is known of its own
	}
	last := start
	if len(l.starts) > 0 {
		last = l.starts[len(l.starts)-1]
	}
	stop, over, fail := l.stops.last(), l.overs.last(), l.rarely().fails.last()
	said, saidAt := s.reports[l.id].last()
	end := int64(0)
	switch {
	case fail >= max(last, stop, over, 1) && (saidAt <= fail || said == schema.StatusFailed):
		if status = schema.StatusFailed; over < fail {
			end = fail
		}
	case stop >= max(last, 1):
		status, end = schema.StatusCompleted, stop
	case over >= max(last, 1):
		status = schema.StatusCompleted
	case saidAt >= max(last, 1):
		status, end = said, saidAt
	default:
		status, end = s.endOfCall(l, last)
	}
	var props []Prop
	if is := statusIndex(status); l.status != is {
		l.status = is
		props = append(props, Prop{"status", status})
	}
	if l.shownStart != start {
		l.shownStart = start
		props = append(props, Prop{"started_at", Time(start)})
	}
	if l.shownEnd != end {
		l.shownEnd = end
		props = append(props, Prop{"ended_at", timeOrNone(end)})
	}
	if len(props) > 0 {
		s.putAgent(l, props...)
	}
}

// endOfCall gives the status of an agent whose end nothing tells: that of the call that
// spawned it, where it failed or waited for the agent (the results of a subagent's own
// calls name nobody), else in progress for as long as the session is.
func (s *Session) endOfCall(l *lane, last int64) (status string, end int64) {
	if l.spawner != 0 {
		switch st := statuses[s.actions.at(l.spawner).status]; st {
		case schema.StatusFailed, schema.StatusInterrupted, schema.StatusCompleted:
			ended := s.callOf(l.spawner).ended
			if ended >= max(last, 1) && (st != schema.StatusCompleted || l.foreground) {
				return st, ended
			}
		}
	}
	if s.node.closed >= last || s.imported() {
		return schema.StatusUnknown, 0
	}
	return schema.StatusInProgress, 0
}

// agentReports is what was said of the ends of one subagent, by those who waited for it:
// completed, failed, interrupted.
type agentReports [3]moments

func reportStatus(k int) string {
	return [...]string{schema.StatusCompleted, schema.StatusFailed, schema.StatusInterrupted}[k]
}

// last returns the latest report; of several at one time the worst.
func (r *agentReports) last() (status string, at int64) {
	if r == nil {
		return "", 0
	}
	for k := range r {
		if t := r[k].last(); t != 0 && t >= at {
			status, at = reportStatus(k), t
		}
	}
	return status, at
}

// report notes that f says how the subagent id ended, if status is an end. What has such
// an id may also be a shell in the background: no lane is opened for it.
func (s *Session) report(id, status string, f *fact) {
	var k int
	switch status {
	case "completed":
	case "failed":
		k = 1
	case "killed", "stopped":
		k = 2
	default:
		return // async_launched, teammate_spawned, …
	}
	r := s.reports[id]
	if r == nil {
		r = &agentReports{}
		s.reports[id] = r
	}
	r[k].add(s, f)
	if n, ok := s.laneOf[id]; ok && n != 0 {
		s.showAgent(s.lanes[n])
	}
}

// agentNotice folds what the runtime tells the model in a user's name about a background
// agent: <task-notification> with <task-id> and <status>.
func (s *Session) agentNotice(f *fact) {
	if id, status := notice(f.Event); id != "" {
		s.report(id, status, f)
	}
}

func notice(e *schema.Event) (id, status string) {
	if e.Role != schema.RoleSystem || !strings.HasPrefix(strings.TrimSpace(e.Content), "<task-notification>") {
		return "", ""
	}
	id, _ = schema.CutString(tagged(e.Content, "task-id"), maxName)
	return id, tagged(e.Content, "status")
}
