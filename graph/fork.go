package graph

import "github.com/actiongraph/actiongraph/schema"

// signOfLife reports whether an event says that a hook or a caller saw the session run. A tag
// is put on one that is over, and a fork is made of one before anybody runs it.
func signOfLife(e *schema.Event) bool {
	return e.EventType != schema.Tag && e.EventType != schema.Fork && (e.Origin == schema.OriginHook || e.Origin == schema.OriginAPI)
}

// fork links a session to the one that it was forked from, whose own fold fills that.
func (s *Session) fork(f *fact) {
	if s.forkedFrom != (Ref{}) {
		s.delEdge(ForkedFrom, s.named(s.self), s.named(s.forkedFrom))
	}
	s.forkedFrom = Ref{LabelSession, schema.SafeID(f.ParentSessionID)}
	s.putRef(s.forkedFrom, Prop{"name", s.forkedFrom.Key})
	var at, label any // null takes back what a fact said that lost
	if f.ParentEventID != "" {
		at = f.ParentEventID
	}
	if f.Title != "" {
		label = clip(f.Title)
	}
	s.putEdge(ForkedFrom, s.named(s.self), s.named(s.forkedFrom), Prop{"at", at}, Prop{"at_time", Time(f.at).String()}, Prop{"label", label})
}
