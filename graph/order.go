package graph

import "slices"

// Every action has an own time, the least any of its facts carries, and an effective
// one that is later than its parent's: a result never precedes its call, whatever
// the clocks of the sources said. Lanes are sorted by effective time. Parents are
// chosen by own times only, so that order never feeds back into parentage.

// setOwn lowers the own time of i to t. seq is the fact's source line, 0 if it has
// none.
func (s *Session) setOwn(i int32, t, seq int64) {
	a := s.actions.at(i)
	lower := a.own == 0 || t < a.own
	sooner := seq != 0 && (a.seq == 0 || seq < a.seq)
	if !lower && !sooner && a.has(isLinked) {
		return
	}
	own, line := a.own, a.seq
	if lower {
		own = t
	}
	if sooner {
		line = seq
	}
	s.retime(i, own, line)
}

// retime sets the own time and source line of i and puts it, and whatever it moves,
// where they now belong.
func (s *Session) retime(i int32, own, seq int64) {
	a := s.actions.at(i)
	moved := own != a.own && a.own != 0
	switch {
	case seq == a.seq:
	case seq == 0:
		s.put(i, Prop{"seq", nil})
	default:
		s.put(i, Prop{"seq", seq})
	}
	was := when{a.own, a.seq}
	s.reorder(i, func() { a.own, a.seq = own, seq })
	if moved && a.has(inLane) {
		s.adopt(i)
	}
	if s.isPrompt(i) {
		s.moveTurn(i, was, when{own, seq})
	}
	s.setTurns(i)
	s.closeCall(i)
}

// reorder makes a change that moves i in its lane, and moves i's children after it.
func (s *Session) reorder(i int32, change func()) {
	a := s.actions.at(i)
	c := &s.lanes[a.lane].chain
	var prev, next int32
	if a.has(isLinked) {
		prev, next = s.remove(c, i)
	}
	old := a.eff
	change()
	a.eff = a.own
	if p := a.parent; p != 0 && s.actions.at(p).has(isLinked) {
		a.eff = max(a.own, s.actions.at(p).eff+1)
	}
	newPrev, newNext := s.insert(c, i)
	if !a.has(isLinked) || newPrev != prev || newNext != next {
		if a.has(isLinked) {
			s.unchain(prev, i, next)
		}
		s.enchain(newPrev, i, newNext)
	}
	a.set(isLinked, true)
	s.touch(a.lane)
	if held := a.eff != a.own; a.parent != 0 && a.has(isHeld) != held {
		s.detach(i)
		a.set(isHeld, held)
		s.attach(i)
	}
	if a.eff == old {
		return
	}
	s.put(i, Prop{"timestamp", Time(a.eff)})
	if a.child != 0 && actionTypes[a.typ] == SubagentStart {
		s.followLater(i, old)
		return
	}
	for k, next := a.child, int32(0); k != 0; k = next {
		if next = s.actions.at(k).next; a.eff < old && !s.actions.at(k).has(isHeld) {
			break // they are after i as it is: a task may have a million
		}
		s.follow(k)
	}
}

// follow recomputes the effective time of a child whose parent moved.
func (s *Session) follow(i int32) {
	a := s.actions.at(i)
	if !a.has(isLinked) {
		return
	}
	if eff := max(a.own, s.actions.at(a.parent).eff+1); eff != a.eff {
		s.reorder(i, func() {})
	}
}

// unlink takes i out of its lane's chain.
func (s *Session) unlink(i int32) {
	a := s.actions.at(i)
	if !a.has(isLinked) {
		return
	}
	prev, next := s.remove(&s.lanes[a.lane].chain, i)
	s.unchain(prev, i, next)
	a.set(isLinked, false)
	s.touch(a.lane)
}

// touch notes that the last action of a lane may be another one now.
func (s *Session) touch(lane int32) {
	if l := s.lanes[lane]; !l.touched {
		l.touched = true
		s.touched = append(s.touched, lane)
	}
}

// lastActivity returns the own time of the latest action of the session. An effective
// one would be later than the fact that an abandonment is timed at.
func (s *Session) lastActivity() int64 {
	all := false
	for _, n := range s.touched {
		l := s.lanes[n]
		l.touched = false
		last := s.lastOwn(&l.chain)
		all = all || last < l.last && l.last == s.lastAction
		l.last = last
		s.lastAction = max(s.lastAction, last)
	}
	s.touched = s.touched[:0]
	if all {
		s.lastAction = 0
		for _, l := range s.lanes {
			s.lastAction = max(s.lastAction, l.last)
		}
	}
	return s.lastAction
}

// lastOwn returns the greatest own time in a chain, which is sorted by effective
// ones: these are never less.
func (s *Session) lastOwn(c *chain) (last int64) {
	for _, b := range slices.Backward(c.blocks) {
		for _, i := range slices.Backward(b) {
			if s.actions.at(i).eff <= last {
				return last
			}
			last = max(last, s.actions.at(i).own)
		}
	}
	return last
}

func (s *Session) enchain(prev, i, next int32) {
	if prev != 0 && next != 0 {
		s.delEdge(FollowedBy, s.handle(prev), s.handle(next))
	}
	if prev != 0 {
		s.putEdge(FollowedBy, s.handle(prev), s.handle(i))
	}
	if next != 0 {
		s.putEdge(FollowedBy, s.handle(i), s.handle(next))
	}
}

func (s *Session) unchain(prev, i, next int32) {
	if prev != 0 {
		s.delEdge(FollowedBy, s.handle(prev), s.handle(i))
	}
	if next != 0 {
		s.delEdge(FollowedBy, s.handle(i), s.handle(next))
	}
	if prev != 0 && next != 0 {
		s.putEdge(FollowedBy, s.handle(prev), s.handle(next))
	}
}

// setLane moves i to another lane: a stronger fact says where it happened.
func (s *Session) setLane(i, lane int32) {
	a := s.actions.at(i)
	if a.lane == lane {
		return
	}
	linked := a.has(isLinked)
	s.unlink(i)
	if s.isPrompt(i) {
		s.moveTurn(i, when{a.own, a.seq}, when{})
	}
	s.callOf(i).waiting = false // the old lane's list drops it when it is next gone through
	if a.lane != 0 {
		s.delEdge(HasAction, s.agent(s.lanes[a.lane]), s.handle(i))
	}
	was := a.lane
	a.lane = lane
	var id any
	if lane != 0 {
		id = s.lanes[lane].id
		s.putEdge(HasAction, s.agent(s.lanes[lane]), s.handle(i))
	}
	s.put(i, Prop{"agent_id", id})
	s.moveUsage(i, was)
	if a.has(inLane) || a.parent == 0 {
		s.adopt(i)
	}
	if linked {
		s.reorder(i, func() {})
	}
	if s.isPrompt(i) {
		s.moveTurn(i, when{}, when{a.own, a.seq})
	}
	s.setTurns(i)
	s.closeCall(i)
}

// setParent makes p (0: nobody) the parent of i.
func (s *Session) setParent(i, p int32) {
	a := s.actions.at(i)
	if a.parent == p {
		return
	}
	if old := a.parent; old != 0 {
		s.delEdge(ParentOf, s.handle(old), s.handle(i))
		s.detach(i)
		a.set(isHeld, false)
	}
	a.parent = p
	if p == 0 {
		s.put(i, Prop{"parent_action_id", nil})
	} else {
		s.attach(i)
		s.putEdge(ParentOf, s.handle(p), s.handle(i))
		s.put(i, Prop{"parent_action_id", s.actionID(p)})
	}
	if a.has(isLinked) {
		s.reorder(i, func() {})
		s.setTurn(i)
	}
}

// attach puts i among the children of its parent: those that the parent holds back come
// first. The first one's prev is the last, so that both ends are at hand.
func (s *Session) attach(i int32) {
	a := s.actions.at(i)
	p := s.actions.at(a.parent)
	first := p.child
	if first == 0 {
		p.child, a.prev, a.next = i, i, 0
		return
	}
	f := s.actions.at(first)
	last := f.prev
	if a.has(isHeld) {
		a.next, a.prev, f.prev, p.child = first, last, i, i
	} else {
		a.next, a.prev, f.prev = 0, last, i
		s.actions.at(last).next = i
	}
}

func (s *Session) detach(i int32) {
	a := s.actions.at(i)
	p := s.actions.at(a.parent)
	first := p.child
	switch {
	case first == i:
		p.child = a.next
	default:
		s.actions.at(a.prev).next = a.next
	}
	switch {
	case a.next != 0:
		s.actions.at(a.next).prev = a.prev
	case first != i:
		s.actions.at(first).prev = a.prev
	}
	a.next, a.prev = 0, 0
}

// setUnplaced says, or takes back, that i has a parent that nothing tells.
func (s *Session) setUnplaced(i int32, unknown bool) {
	a := s.actions.at(i)
	if a.has(isUnplaced) == unknown {
		return
	}
	a.set(isUnplaced, unknown)
	s.put(i, Prop{"parent_unknown", flag(unknown)})
}

// flag is the value of a property that is only there when it is true.
func flag(set bool) any {
	if set {
		return true
	}
	return nil
}
