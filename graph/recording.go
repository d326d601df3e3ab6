package graph

import "strings"

// introduce puts what the Session node has whatever its facts say.
func (s *Session) introduce() {
	if n := &s.node; n.shown.status == "" && n.journal != "" && n.started == 0 {
		s.putRef(s.self, Prop{"journal", n.journal})
		s.putContinues()
	}
}

// recordingFailure counts what went wrong while the session was recorded. It says nothing of
// the agent, nor of when the session was; see the package's doc.
func (s *Session) recordingFailure(f *fact) {
	s.introduce()
	n := &s.node
	if n.noted == 0 || f.at < n.noted {
		n.noted = f.at
	}
	if _, again := n.failures[f.EventID]; again {
		return
	}
	if n.failures == nil {
		n.failures = map[string]struct{}{}
	}
	n.failures[strings.Clone(f.EventID)] = struct{}{}
	s.putRef(s.self, Prop{"recording_failures", int64(len(n.failures))})
}
