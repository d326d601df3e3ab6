package graph

import "github.com/actiongraph/actiongraph/schema"

// relations are the RELATED_TO edges whose ends are not there yet: lists of the actions
// that they come from, by the key that their end will have.
type relations struct {
	first map[schema.Key]int32 // into list
	list  []relation
	loose map[int32]struct{} // actions among them that may be dropped
}

type relation struct{ from, next int32 }

func (r *relations) wait(key schema.Key, from int32) {
	if r.first == nil {
		r.first = map[schema.Key]int32{}
		r.list = make([]relation, 1) // 0 is none
	}
	r.list = append(r.list, relation{from, r.first[key]})
	r.first[key] = int32(len(r.list) - 1)
}

// relate puts the edges that an event names: to the call of that tool_use_id, and to the
// action that is the event of that id, now or once they come.
func (s *Session) relate(f *fact) {
	if f.self == 0 {
		return
	}
	for _, id := range f.RelatedTo {
		for _, key := range [...]schema.Key{toolCallKey(s.id, id), eventKey(s.id, id)} {
			if to := s.actions.find(key); to != 0 {
				s.putEdge(RelatedTo, s.handle(f.self), s.handle(to))
			} else {
				s.related.wait(key, f.self)
				s.related.note(f.self, s.actions.at(f.self).has(isLoose))
			}
		}
	}
}

// note notes what an edge comes from that waits.
func (r *relations) note(i int32, loose bool) {
	if !loose {
		return
	}
	if r.loose == nil {
		r.loose = map[int32]struct{}{}
	}
	r.loose[i] = struct{}{}
}

// leave has no edge wait that comes from i, which is being dropped.
func (r *relations) leave(i int32) {
	if _, waits := r.loose[i]; !waits {
		return
	}
	delete(r.loose, i)
	for k := range r.list {
		if r.list[k].from == i {
			r.list[k].from = 0
		}
	}
}

// awaited puts the edges to i, which is new, that wait for it. What they come from has a
// key of its own, and is dropped only if it is loose.
func (s *Session) awaited(i int32) {
	if len(s.related.first) == 0 {
		return
	}
	key := s.actions.at(i).key
	for k := s.related.first[key]; k != 0; k = s.related.list[k].next {
		if from := s.related.list[k].from; from != 0 {
			s.putEdge(RelatedTo, s.handle(from), s.handle(i))
		}
	}
	delete(s.related.first, key)
}

// tagAction puts the tags that an event gives its action, those of a result on its call. They
// only grow: who takes one off again does so of a session.
func (s *Session) tagAction(f *fact) {
	i := f.self
	if i == 0 || len(f.Tags) == 0 {
		return
	}
	if a := s.actions.at(i); actionTypes[a.typ] == ToolResult {
		i = a.parent
	}
	for _, name := range f.Tags {
		if name != "" {
			ref := Ref{LabelTag, name}
			s.putRef(ref)
			s.putEdge(HasTag, s.handle(i), s.named(ref))
		}
	}
}
