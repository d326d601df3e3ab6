package graph

import "slices"

// lateTimes is the starts of agents whose time changed, and whose children have not followed
// yet. A dump tells of a run before its caller, so that each record may move the whole chain of
// runs below it: they move once, when the changes are taken. Until then lanes are in the order of
// the times that actions have, and all that is decided meanwhile depends on own times.
type lateTimes struct {
	starts []int32         // in the order in which they first changed
	least  map[int32]int64 // the least time that each had since
}

// followLater notes that the children of the start i, whose time was old, are to follow.
func (s *Session) followLater(i int32, old int64) {
	least, noted := s.late.least[i]
	if !noted {
		if s.late.least == nil {
			s.late.least = map[int32]int64{}
		}
		s.late.starts, least = append(s.late.starts, i), old
	}
	s.late.least[i] = min(least, old, s.actions.at(i).eff)
}

// settleTimes lets the children of all starts that changed follow, those above first, so that
// each moves once.
func (s *Session) settleTimes() {
	if len(s.late.starts) == 0 {
		return
	}
	var order []int32
	seen := map[int32]bool{}
	add := func(i int32) {
		from := len(order)
		for ; i != 0 && !seen[i]; i = s.actions.at(i).parent {
			seen[i] = true
			order = append(order, i)
		}
		slices.Reverse(order[from:])
	}
	for _, i := range s.late.starts {
		add(i)
	}
	s.late.starts = s.late.starts[:0]
	for k := 0; k < len(order); k++ {
		i := order[k]
		least, changed := s.late.least[i]
		if !changed {
			continue
		}
		delete(s.late.least, i)
		s.followAll(i, least)
		for _, below := range s.late.starts { // that moved with i
			add(below)
		}
		s.late.starts = s.late.starts[:0]
	}
}

// followAll lets the children of i follow, whose time was least at its least.
func (s *Session) followAll(i int32, least int64) {
	a := s.actions.at(i)
	for k, next := a.child, int32(0); k != 0; k = next {
		if next = s.actions.at(k).next; a.eff <= least && !s.actions.at(k).has(isHeld) {
			break // they are after i as it is
		}
		s.follow(k)
	}
}
