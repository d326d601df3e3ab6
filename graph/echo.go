package graph

import "slices"

// A runtime repeats its last answer in the hook that ends a turn or a subagent
// (last_assistant_message). Where the transcript has the answer, the message node
// from there says it, and the repetition is dropped: nothing is stored twice.

// textKey is a lane and the hash of a text.
type textKey struct {
	lane int32
	hash uint64
}

func (s *Session) textKey(f *fact) textKey {
	return textKey{s.laneOf[f.AgentID], uint64(fnvOffset.str(f.Content))}
}

// repeats reports whether actions of type t may repeat an assistant message.
func repeats(t ActionType) bool { return t == TurnEnd || t == SubagentStop }

// said reports whether the transcript has the text that f repeats.
func (s *Session) said(f *fact) bool {
	_, said := s.texts[s.textKey(f)]
	return said
}

// noteEcho remembers the actions of g, which all repeat the text of f.
func (s *Session) noteEcho(f *fact, g *group) {
	k := s.textKey(f)
	g.text = k
	if f.Content == "" || s.said(f) {
		return
	}
	if !slices.Contains(s.echoes[k], g) {
		s.echoes[k] = append(s.echoes[k], g)
	}
}

// dropEchoes notes an assistant message of a transcript and drops its repetitions.
func (s *Session) dropEchoes(f *fact) {
	if s.said(f) {
		return
	}
	k := s.textKey(f)
	s.texts[k] = struct{}{}
	for _, g := range s.echoes[k] {
		if g.text != k {
			continue // another record of the event stands, with another text
		}
		for _, i := range g.nodes {
			s.put(i, Prop{"text", nil})
		}
	}
	delete(s.echoes, k)
	if l := s.lanes[k.lane]; k.lane != 0 && l.rarely().lastText == k {
		s.putAgent(l, Prop{"last_assistant_message", nil})
	}
}
