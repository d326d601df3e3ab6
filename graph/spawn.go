package graph

import (
	"slices"

	"github.com/actiongraph/actiongraph/schema"
)

// spawnFacts folds what a fact says about which call spawned which subagent: the
// runtime's own record of the agent, read by the hook (metadata.agent), and the
// result of the call. Nothing else does: neither prompt_id nor order can tell
// parallel subagents apart (design.md §9).
func (s *Session) spawnFacts(f *fact) {
	if meta := schema.Field(f.Metadata, schema.MetaAgent); f.AgentID != "" && len(meta) > 0 {
		l := s.lanes[s.laneOf[f.AgentID]]
		st := f.stamp(1)
		if v := schema.FieldString(meta, "agentType"); v != "" {
			s.agentProp(l, st, agentType, Prop{"agent_type", v}, Prop{"name", v})
		}
		if v := schema.FieldString(meta, "description"); v != "" {
			s.agentProp(l, st, agentDescription, Prop{"description", clip(v)})
		}
		if v := schema.FieldString(meta, "model"); v != "" {
			s.agentProp(l, st, agentModel, Prop{"model", v})
		}
		if !l.foreground && schema.FieldString(meta, "requestShape") == "foreground" {
			l.foreground = true
			s.showAgent(l)
		}
		if call := schema.FieldString(meta, "toolUseId"); call != "" {
			parent := schema.FieldString(meta, "parentAgentId")
			s.setSpawn(l, call, parent, f, st)
		}
	}
	id := spawnedBy(f.Event)
	if id == "" {
		return
	}
	l := s.openLane(id, f)
	s.report(id, schema.FieldString(f.Result, "status"), f)
	st := f.stamp(0)
	// A tool_result line has no input, but most results repeat these.
	for k, said := range [][]byte{f.ToolInput, f.Result} {
		st := f.stamp(uint8(k * 2))
		if v := schema.FieldString(said, "description"); v != "" {
			s.agentProp(l, st, agentDescription, Prop{"description", clip(v)})
		}
		if v := schema.FieldString(said, "prompt"); v != "" {
			s.agentProp(l, st, agentPrompt, Prop{"prompt", clip(v)})
		}
	}
	if v := schema.FieldString(f.Result, "resolvedModel"); v != "" {
		s.agentProp(l, st, agentModel, Prop{"model", v})
	}
	s.setSpawn(l, f.ToolUseID, f.AgentID, f, st)
}

// spawnedBy returns the id of the agent that a call's result says it spawned, "" if it
// says none. A tool_result line does not name its tool: there the shape tells.
func spawnedBy(e *schema.Event) string {
	if e.EventType != schema.ToolEnd || e.ToolUseID == "" {
		return ""
	}
	byShape := e.ToolName == "" && e.Origin == schema.OriginTranscript && schema.FieldString(e.Result, "status") != ""
	if !byShape && !isAgentTool(e.ToolName) {
		return ""
	}
	id := schema.FieldString(e.Result, "agentId")
	if id == "" {
		id = schema.FieldString(e.Result, "agent_id") // status teammate_spawned
	}
	id, _ = schema.CutString(id, maxName)
	return id
}

// setSpawn notes that a call spawned the agent of lane l. parent is the lane that the
// call is in, for as long as the call's own facts are missing.
func (s *Session) setSpawn(l *lane, toolUseID, parent string, f *fact, st stamp) {
	if parent != "" {
		s.openLane(parent, f)
	}
	call, _ := s.callAction(toolUseID, s.laneOf[parent])
	mention := &fact{Event: &schema.Event{AgentID: parent}, at: f.at, sum: f.sum}
	s.stub(call, mention)
	s.callOf(call).spawns = true
	if l.byCall && !st.less(l.rarely().spawn) {
		return
	}
	l.more().spawn = st
	s.setSpawner(l, call)
}

// setSpawner hangs the agent of l under the call that spawned it.
func (s *Session) setSpawner(l *lane, call int32) {
	old := l.spawner
	if old == call {
		return
	}
	s.untangle([]*lane{l}, func() {
		if old != 0 {
			s.spawned[old] = slices.DeleteFunc(s.spawned[old], func(o *lane) bool { return o == l })
			if len(s.spawned[old]) == 0 {
				delete(s.spawned, old)
			}
		}
		l.spawner, l.by, l.byCall = call, nil, true
		s.spawned[call] = append(s.spawned[call], l)
	})
	s.showAgent(l)
}

// placeStart hangs a subagent_start under the call that spawned the agent, under its
// caller's decision to delegate to it, or under its caller's start.
func (s *Session) placeStart(l *lane, i int32) {
	p := int32(0)
	switch {
	case l.looped:
	case l.byCall:
		p = l.spawner
	case l.by != nil:
		if p = s.delegation(l.by, l, s.actions.at(i).own); p == 0 {
			p = l.by.nodes[0]
		}
	}
	s.hang(i, p)
	root := !l.byCall && l.saidCaller && l.caller == ""
	if unknown := p == 0 && !root; s.actions.at(i).has(isUnplaced) != unknown {
		s.setUnplaced(i, unknown)
		s.putAgent(l, Prop{"parent_unknown", flag(unknown)})
	}
}

// placeStarts places the starts of an agent from the given one on.
func (s *Session) placeStarts(l *lane, from int) {
	for _, i := range l.nodes[from:] {
		s.placeStart(l, i)
	}
}

// spawning is an action that spawned an agent, and the agent's lane.
type spawning struct{ by, lane int32 }

// hang makes p (0: nothing) the parent of a start, and says that it spawned the agent: as
// long as one of the agent's starts is under it. The start of a caller spawns nobody, it
// only says where an agent hangs.
func (s *Session) hang(i, p int32) {
	old := s.actions.at(i).parent
	if old == p {
		return
	}
	lane := s.actions.at(i).lane
	agent := s.lanes[lane]
	s.setParent(i, p)
	if k := (spawning{old, lane}); s.spawnings[k] > 0 {
		if s.spawnings[k]--; s.spawnings[k] == 0 {
			delete(s.spawnings, k)
			s.delEdge(Spawned, s.handle(old), s.agent(agent))
		}
	}
	if p != 0 && actionTypes[s.actions.at(p).typ] != SubagentStart {
		k := spawning{p, lane}
		if s.spawnings[k]++; s.spawnings[k] == 1 {
			s.putEdge(Spawned, s.handle(p), s.agent(agent))
		}
	}
}

// showSpawned writes what the agents that a call spawned have of it.
func (s *Session) showSpawned(call int32) {
	if s.callOf(call).spawns {
		for _, l := range s.spawned[call] {
			s.showAgent(l)
		}
	}
}

// untangle makes a change of who spawned the agents of lanes, or where, and places
// the starts of all whom it concerns: the agents, and those on the circles that it
// opens or closes. Parents are taken away before any is given, so that there is no
// circle while times are passed down.
func (s *Session) untangle(lanes []*lane, change func()) {
	all := slices.Clone(lanes)
	loosen := func(l *lane) {
		for _, i := range l.nodes {
			s.hang(i, 0)
		}
	}
	for _, l := range lanes {
		loosen(l)
		if p := s.parentLane(l); p != nil {
			p.kids--
		}
		if !l.looped {
			continue
		}
		for _, on := range s.circle(l) {
			on.looped = false
			all = append(all, on)
		}
	}
	change()
	for _, l := range lanes {
		if p := s.parentLane(l); p != nil {
			p.kids++
		}
	}
	for _, l := range lanes {
		if l.looped || l.kids == 0 {
			continue // with another of them, or nobody descends from it
		}
		for _, on := range s.circle(l) {
			on.looped = true
			all = append(all, on)
			loosen(on)
		}
	}
	for _, l := range all {
		s.placeStarts(l, 0)
	}
}

// parentLane returns the lane that what the facts say an agent hangs under is in, nil
// where that is the main thread, or nothing.
func (s *Session) parentLane(l *lane) *lane {
	if !l.byCall {
		return l.by
	}
	if n := s.actions.at(l.spawner).lane; n != 0 {
		return s.lanes[n]
	}
	return nil
}

// circle returns the lanes of the agents that, by what the facts claim, descend from
// themselves through the agent of l, nil if it does not: their parents are unknown
// then. A circle that is known already is gone round only from a lane on it.
func (s *Session) circle(l *lane) (on []*lane) {
	at := s.parentLane(l)
	for n := 0; at != l; n++ {
		if at == nil || at.looped && !l.looped || n == len(s.lanes) {
			return nil
		}
		at = s.parentLane(at)
	}
	for {
		on = append(on, at)
		if at = s.parentLane(at); at == l {
			return on
		}
	}
}
