package graph

import (
	"cmp"
	"math"
	"slices"
	"sort"

	"github.com/actiongraph/actiongraph/schema"
)

// Frameworks do not say which call spawned an agent: the start of a run names who called
// it, by the id of a run, or by an agent's name. Records are written when a run finishes,
// so that a run is known before its caller: whoever comes later, both find each other.

// callerOf returns whom the start of an agent names as its caller. One that says it has
// none is called by nobody, which is not unknown.
func callerOf(e *schema.Event) (caller string, said bool) {
	if e.ParentAgentName != "" {
		return e.ParentAgentName, true
	}
	return "", schema.Field(e.Extra, "caller_id") != nil
}

// called folds what an agent's start says of its name and of its caller. earlier is that
// no other one was before it, first that there is no other.
func (s *Session) called(l *lane, f *fact, first, earlier bool) {
	if f.AgentName != "" {
		if won, _ := s.regs.take(&l.regs, f.stamp(0), agentName); won != 0 {
			s.rename(l, f.AgentName)
		}
	}
	if caller, said := callerOf(f.Event); said {
		if won, _ := s.regs.take(&l.regs, f.stamp(0), agentCaller); won != 0 {
			s.setCaller(l, caller)
		}
	}
	switch {
	case first:
		s.findCallers(s.callees[l.id])
	case earlier:
		s.findCaller(l)
		if l.name != "" && s.sole(l.name) == l {
			s.findCallers(s.callees[l.name])
		}
	}
}

// rename gives an agent the name by which others may say that they were called by it, or
// delegate to it.
func (s *Session) rename(l *lane, name string) {
	old := l.name
	if name == old {
		return
	}
	was, is := s.sole(old), s.sole(name)
	if old != "" {
		s.namesakes[old] = slices.DeleteFunc(s.namesakes[old], func(o *lane) bool { return o == l })
	}
	l.name = name
	s.namesakes[name] = append(s.namesakes[name], l)
	if s.sole(old) != was {
		s.findCallers(s.callees[old])
	}
	if s.sole(name) != is {
		s.findCallers(s.callees[name])
	}
	s.findCaller(l)
}

// sole returns the agent that has a name, nil if none or several have it.
func (s *Session) sole(name string) *lane {
	if all := s.namesakes[name]; len(all) == 1 {
		return all[0]
	}
	return nil
}

func (s *Session) setCaller(l *lane, caller string) {
	var shown any
	if caller != "" {
		shown = caller
	}
	if l.caller != caller {
		s.putAgent(l, Prop{"caller_id", shown})
		s.callees[l.caller] = slices.DeleteFunc(s.callees[l.caller], func(o *lane) bool { return o == l })
		if caller != "" {
			s.callees[caller] = append(s.callees[caller], l)
		}
	}
	l.caller, l.saidCaller = caller, true
	s.findCaller(l)
}

// callerLane returns the agent that called l: the run of that id, if it is in the session,
// else the only agent of that name, if it had begun: the caller may be one whose record is
// not there, and its namesake a later run.
func (s *Session) callerLane(l *lane) *lane {
	if l.caller == "" {
		return nil
	}
	if n := s.laneOf[l.caller]; n != 0 && len(s.lanes[n].starts) > 0 {
		return s.lanes[n]
	}
	if p := s.sole(l.caller); p != nil && p.starts[0] <= l.starts[0] {
		return p
	}
	return nil
}

// findCaller hangs an agent, whose spawning call nothing names, under its caller.
func (s *Session) findCaller(l *lane) {
	if l.byCall {
		return
	}
	p := s.callerLane(l)
	if p == l.by {
		s.placeStarts(l, 0) // why it hangs under nothing may be another reason now
		return
	}
	s.untangle([]*lane{l}, func() { l.by = p })
}

func (s *Session) findCallers(list []*lane) {
	for _, l := range list {
		s.findCaller(l)
	}
}

// delegate is a lane, and whom a decision made in it delegates to: an agent's name or id.
type delegate struct {
	lane int32
	to   string
}

// delegation returns the decision of the agent p to delegate to l that led to a start of l
// at a time: the latest until then, else the first, 0 if there is none.
func (s *Session) delegation(p, l *lane, at int64) (best int32) {
	n, late := s.laneOf[p.id], false
	for _, to := range []string{l.id, l.name} {
		all := s.delegations[delegate{n, to}]
		if to == "" || len(all) == 0 {
			continue
		}
		k := sort.Search(len(all), func(k int) bool { return s.actions.at(all[k]).own > at })
		i, later := all[max(0, k-1)], k == 0
		switch {
		case best == 0, late && !later:
			best, late = i, later
		case late == later && (s.compareOwn(i, best) < 0) == late:
			best = i
		}
	}
	return best
}

func (s *Session) compareOwn(i, j int32) int {
	a, b := s.actions.at(i), s.actions.at(j)
	return cmp.Or(cmp.Compare(a.own, b.own), slices.Compare(a.key[:], b.key[:]))
}

// decision folds a decision of an agent. Those to delegate spawn agents.
func (s *Session) decision(f *fact) {
	if f.Origin == schema.OriginHook { // it has no key, and no runtime's hook tells of one
		s.single(f, Decision)
		return
	}
	i := s.actions.find(eventKey(s.id, f.EventID))
	was, starts := delegate{}, []int32(nil)
	if i != 0 {
		// Its place may change: nothing hangs under it meanwhile, or there might be a circle.
		was = s.delegates[i]
		starts = s.unhang(i)
		s.delegations[was] = slices.DeleteFunc(s.delegations[was], func(k int32) bool { return k == i })
	}
	s.single(f, Decision)
	i = f.self
	is := delegate{s.actions.at(i).lane, was.to}
	if won, _ := s.regs.take(&s.actions.at(i).regs, f.stamp(0), classTool); won != 0 {
		is.to = ""
		// delegate in the third seed's dumps, call_subagent in its framework since.
		if f.Title == "delegate" || f.Title == "call_subagent" {
			is.to = f.ToAgent
		}
	}
	delete(s.delegates, i)
	if is.to != "" && is.lane != 0 {
		s.delegates[i] = is
		all := s.delegations[is]
		k, _ := slices.BinarySearchFunc(all, i, s.compareOwn)
		s.delegations[is] = slices.Insert(all, k, i)
		s.redelegate(is, k)
	}
	for _, k := range starts {
		s.placeStart(s.lanes[s.actions.at(k).lane], k)
	}
}

// unhang takes the starts of agents off a decision, and returns them.
func (s *Session) unhang(i int32) (starts []int32) {
	for k := s.actions.at(i).child; k != 0; k = s.actions.at(k).next {
		if actionTypes[s.actions.at(k).typ] == SubagentStart {
			starts = append(starts, k)
		}
	}
	for _, k := range starts {
		s.hang(k, 0)
	}
	return starts
}

// redelegate looks at the starts again that the decision at k of d may have led to: until
// the next one, and if it is the first, those before it.
func (s *Session) redelegate(d delegate, k int) {
	all := s.delegations[d]
	from, to := int64(0), int64(math.MaxInt64)
	if k > 0 {
		from = s.actions.at(all[k]).own
	}
	if k+1 < len(all) {
		to = s.actions.at(all[k+1]).own
	}
	if from > s.lastStart {
		return
	}
	look := func(l *lane) {
		if l.by == s.lanes[d.lane] && !l.byCall && (l.name == d.to || l.id == d.to) {
			for n := l.startedBefore(from); n < len(l.starts) && l.starts[n] < to; n++ {
				s.placeStart(l, l.nodes[n])
			}
		}
	}
	p := s.lanes[d.lane]
	byID, byName, same := s.callees[p.id], s.callees[p.name], s.namesakes[d.to]
	if len(same) < len(byID)+len(byName) {
		byID, byName = same, nil
		if n := s.laneOf[d.to]; n != 0 {
			look(s.lanes[n])
		}
	}
	for _, list := range [][]*lane{byID, byName} {
		for _, l := range list {
			look(l)
		}
	}
}
