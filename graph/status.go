package graph

import (
	"slices"
	"strings"

	"github.com/actiongraph/actiongraph/schema"
)

// evidence is what the facts say about how a call ended. It only ever grows, so a
// status is a function of the set of facts.
type evidence uint16

const (
	evPost    evidence = 1 << iota // PostToolUse, or a recorded result
	evFail                         // PostToolUseFailure, or an error that the user had accepted the call of
	evReject                       // the transcript says the user rejected it, or PermissionDenied
	evUser                         // toolDenialKind user-rejected, without a decision
	evRule                         // toolDenialKind permission-rule: a rule, a hook, the host
	evOK                           // a tool_result line without is_error
	evError                        // a tool_result line with is_error
	evAsked                        // PreToolUse
	evBatch                        // an entry of PostToolBatch
	evStopped                      // the transcript says it was interrupted
	evPending                      // the producer says that it waits
	evRefused                      // a tool_result line that says the tool was not called
)

const evEnd = evPost | evFail | evReject | evUser | evRule | evOK | evError | evBatch

// endEvidence reads an end. A transcript's line says in Status what its
// permissionDecision and toolDenialKind say: failed (decision accept), denied
// (reject), blocked (permission-rule), interrupted (user-rejected without a
// decision).
func endEvidence(e *schema.Event) evidence {
	if e.EventType == schema.ToolBatch {
		return evBatch
	}
	switch e.Status {
	case schema.StatusDenied:
		return evReject
	case schema.StatusBlocked:
		return evRule
	case schema.StatusInterrupted:
		if e.Origin == schema.OriginTranscript {
			return evUser
		}
		return evStopped
	case schema.StatusFailed:
		return evFail
	}
	switch {
	case e.Origin == schema.OriginTranscript && strings.HasPrefix(e.ErrorMessage, "<tool_use_error>"):
		return evError | evRefused
	case e.Origin == schema.OriginTranscript && e.IsError:
		return evError
	case e.Origin == schema.OriginTranscript:
		return evOK
	case e.IsError:
		return evFail
	}
	return evPost
}

// callStatus weighs the evidence, strongest first (design.md §9). closed says that
// something later than the call ended its lane.
func callStatus(ev evidence, asked, closed bool) string {
	has := func(b evidence) bool { return ev&b != 0 }
	switch {
	case has(evPost):
		return schema.StatusCompleted
	case has(evFail):
		return schema.StatusFailed
	case has(evReject):
		return schema.StatusDenied
	case (has(evUser) || has(evRule)) && asked: // or nobody was there to answer
		return schema.StatusDenied
	case has(evUser):
		return schema.StatusInterrupted
	case has(evRule):
		return schema.StatusBlocked
	case has(evOK):
		return schema.StatusCompleted
	case has(evAsked) && has(evBatch) && asked:
		return schema.StatusDenied
	case has(evAsked) && has(evBatch):
		return schema.StatusBlocked
	case has(evBatch), has(evError):
		return schema.StatusFailed
	case has(evStopped):
		return schema.StatusInterrupted
	case closed:
		return schema.StatusUnknown
	case has(evPending):
		return schema.StatusPending
	}
	return schema.StatusInProgress
}

// neverRan reports a call that failed before it began (unknown tool, invalid input,
// Edit without a match): only its batch tells of it, or a line that says
// <tool_use_error>. A line without the runtime's decision may be of a version that wrote
// none.
func neverRan(ev evidence) bool {
	alone := evBatch | evError
	return ev&(evBatch|evRefused) != 0 && ev&(evEnd|evAsked|evStopped)&^alone == 0
}

func statusIndex(name string) uint8 { return uint8(slices.Index(statuses, name)) }

// settleCall shows the status that the evidence for a call now gives, on the call,
// its results and its permission requests.
func (s *Session) settleCall(i int32) {
	a := s.actions.at(i)
	if !a.has(isLinked) {
		return
	}
	c := s.callOf(i)
	closed := a.own <= max(s.lanes[a.lane].ends.last(), s.node.closed) || s.imported() && c.evidence&evPending == 0
	status := statusIndex(callStatus(c.evidence, c.permission > 0, closed))
	if !c.waiting && c.evidence&evEnd == 0 && !closed {
		c.waiting = true
		l := s.lanes[a.lane]
		l.waiting = append(l.waiting, i)
	}
	if never := neverRan(c.evidence); never != c.never {
		c.never = never
		s.put(i, Prop{"never_ran", flag(never)})
	}
	defer s.setDuration(i)
	defer s.showSpawned(i)
	if status == a.status {
		return
	}
	failed := statusIndex(schema.StatusFailed)
	switch failed {
	case a.status:
		s.node.errors--
	case status:
		s.node.errors++
	}
	s.showStatus(i, status)
	for k := a.child; k != 0; k = s.actions.at(k).next {
		s.childStatus(k)
	}
	s.linkFiles(i)
}

// showStatus writes a status and the is_error that goes with it.
func (s *Session) showStatus(i int32, status uint8) {
	a := s.actions.at(i)
	if a.status == status {
		return
	}
	failed := statusIndex(schema.StatusFailed)
	props := []Prop{{"status", statuses[status]}}
	if (status == failed) != (a.status == failed) {
		props = append(props, Prop{"is_error", flag(status == failed)})
	}
	a.status = status
	s.put(i, props...)
}

// childStatus gives a result or a permission request the status of its call.
func (s *Session) childStatus(i int32) {
	a := s.actions.at(i)
	call := s.actions.at(a.parent).status
	switch actionTypes[a.typ] {
	case ToolResult:
		s.showStatus(i, call)
	case PermissionRequest:
		s.showStatus(i, permissionStatus(call, a.parent != 0))
	}
}

// permissionStatus says how a request was answered: a call that ran was allowed.
func permissionStatus(call uint8, claimed bool) uint8 {
	if !claimed {
		return statusIndex(schema.StatusUnknown)
	}
	switch statuses[call] {
	case schema.StatusCompleted, schema.StatusFailed:
		return statusIndex(schema.StatusCompleted)
	case schema.StatusInProgress, schema.StatusPending, "":
		return statusIndex(schema.StatusPending)
	}
	return call
}

// closeCall settles a call whose time or lane changed.
func (s *Session) closeCall(i int32) {
	if actionTypes[s.actions.at(i).typ] == ToolCall {
		s.settleCall(i)
	}
}

// closeLane notes that f ended a turn of the lane: what was asked before and has no
// end will never have one, unless a late fact brings it.
func (s *Session) closeLane(l *lane, f *fact) {
	old := l.ends.last()
	l.ends.add(s, f)
	if l.ends.last() < old {
		s.reopen(l)
	}
	s.settleWaiting(l)
}

// reopen looks at every call of a lane again that has no end: what closed them was
// taken back. It is rare, and what was closed is no longer in the lane's list.
func (s *Session) reopen(l *lane) {
	l.waiting = slices.Concat(l.chain.blocks...)
	l.waiting = slices.DeleteFunc(l.waiting, func(i int32) bool {
		c := s.callOf(i)
		open := actionTypes[s.actions.at(i).typ] == ToolCall && c.evidence&evEnd == 0
		c.waiting = open
		return !open
	})
}

// settleWaiting settles the calls of l that had no end when they were last looked
// at, and keeps those that still wait.
func (s *Session) settleWaiting(l *lane) {
	list := l.waiting
	l.waiting = nil
	for _, i := range list {
		if c := s.callOf(i); c.waiting && s.lanes[s.actions.at(i).lane] == l {
			c.waiting = false
			s.settleCall(i)
		}
	}
}
