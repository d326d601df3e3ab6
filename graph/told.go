package graph

import "github.com/actiongraph/actiongraph/schema"

// What a line of a trace leaves out, the lines before it tell (adapters/jsonl, Order). Where one
// of those was no JSON when it was read, and is repaired, or where a version that did not
// know that read the file, two records of one event are in the journal: one that says
// which call it is the end of, and one that does not, and is taken for a call, or an error, of its own.
// The record that says more stands alone then, whichever came first: the other one says nothing
// that it does not say. What was made for that one goes.

// told are the events of which a record says what they end, by the hash of their ids: of all
// that files and callers say ended a model call, and of the calls that failed.
type told map[uint64]struct{}

// unplaced reports the record of the end of a model call that does not say of which.
func unplaced(e *schema.Event) bool {
	return e.EventType == schema.LLMEnd && e.MessageID == "" && e.CausedBy == ""
}

// failedCall reports the record of a call that failed, which a trace has as an error where
// it does not know the call.
func failedCall(e *schema.Event) bool {
	return e.EventType == schema.ToolEnd && e.IsError && (e.Origin == schema.OriginAudit || e.Origin == schema.OriginAPI)
}

// tell notes that f says what its event ends, and takes back the action, with the key that it
// has where nothing says so.
func (s *Session) tell(f *fact, key schema.Key) {
	id := uint64(fnvOffset.str(string(f.EventType)).str(f.EventID))
	if _, known := s.told[id]; known {
		return
	}
	if s.told == nil {
		s.told = told{}
	}
	s.told[id] = struct{}{}
	if i := s.actions.find(key); i != 0 && s.actions.at(i).has(isLoose) {
		s.related.leave(i)
		s.uncount(i)
		s.drop(i)
	}
}

// setLoose notes whether only records that do not say what they end tell of i.
func (s *Session) setLoose(i int32, loose, created bool) {
	a := s.actions.at(i)
	a.set(isLoose, loose && (created || a.has(isLoose)))
}

// isTold reports whether another record of f's event says that it is of a type, and what it ends.
func (s *Session) isTold(f *fact, typ schema.Type) bool {
	_, told := s.told[uint64(fnvOffset.str(string(typ)).str(f.EventID))]
	return told
}
