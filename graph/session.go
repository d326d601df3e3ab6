package graph

import "github.com/actiongraph/actiongraph/schema"

// Session folds the events of one session.
type Session struct{ id string }

// NewSession returns the empty fold of one session. journal is the id of the
// journal that records it; it becomes a property of the Session node.
func NewSession(id, journal string) *Session { return &Session{id: id} }

// Apply folds one event and returns what changed in the graph. It is total: it
// never fails, and an event it cannot place changes nothing or is an Unknown
// action. The result is the caller's.
func (s *Session) Apply(e *schema.Event) []Op { return nil }
