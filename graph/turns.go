package graph

import "github.com/actiongraph/actiongraph/schema"

// turnEnd folds Stop, or a line that tells of it: the turn is over, the session is not.
func (s *Session) turnEnd(f *fact) {
	n := s.laneOf[f.AgentID]
	// How long a turn took says nothing of how it ended.
	if n == 0 && f.HookEventName != "turn_duration" {
		s.node.turnEnds.add(s, f)
	}
	if f.Origin == schema.OriginTranscript {
		s.seamLine(f, TurnEnd)
	} else if g, from := s.single(f, TurnEnd); g != nil {
		s.sew(f, TurnEnd, g, from)
	}
	s.closeLane(s.lanes[n], f)
}

// failure folds an error. StopFailure, or the transcript's line of it, ends the turn, or
// the subagent, that it happened in (facts/agent-hooks-observed.md §1.3: it comes instead
// of SubagentStop). An api_error line is about a request that was tried again.
func (s *Session) failure(f *fact) {
	t := ErrorEvent
	if f.EventType == schema.RateLimit {
		t = RateLimitEvent
	}
	if !endsTurn(f.Event) {
		s.otherFailure(f, t)
		return
	}
	if f.Origin == schema.OriginTranscript {
		s.seamLine(f, t)
	} else if g, from := s.single(f, t); g != nil {
		s.sew(f, t, g, from)
	} else {
		s.setLoose(f.self, false, false)
	}
	l := s.lanes[s.laneOf[f.AgentID]]
	if f.AgentID == "" {
		s.node.turnFailures.add(s, f)
	} else {
		l.more().fails.add(s, f)
	}
	s.closeLane(l, f)
	if f.AgentID != "" {
		s.showAgent(l)
	}
}

// otherFailure folds an error that ended no turn, nor, as another record of it may say, a call.
func (s *Session) otherFailure(f *fact, t ActionType) {
	if t != ErrorEvent || f.Origin == schema.OriginHook {
		s.single(f, t)
		return
	}
	if s.isTold(f, schema.ToolEnd) {
		return
	}
	created := s.actions.find(eventKey(s.id, f.EventID)) == 0
	s.single(f, t)
	s.setLoose(f.self, true, created)
}

// endsTurn reports an error that ended a turn.
func endsTurn(e *schema.Event) bool {
	return e.HookEventName == "StopFailure" || e.Origin == schema.OriginTranscript && e.HookEventName == "assistant"
}

// setThinking notes whether the message i is one of the model to itself.
func (s *Session) setThinking(i int32, thinks bool) {
	a := s.actions.at(i)
	if a.has(isThought) == thinks {
		return
	}
	a.set(isThought, thinks)
	if thinks {
		s.node.messages--
	} else {
		s.node.messages++
	}
}

const reasonThinking = "thinking"

// thinks reports what the model says to itself: it is no answer.
func thinks(e *schema.Event) bool {
	return e.EventType == schema.Message && e.Role == schema.RoleAssistant && e.Origin != schema.OriginHook &&
		(e.Reason == reasonThinking || e.Reason == "redacted_thinking")
}
