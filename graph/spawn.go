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
	if l.byCall && !st.less(l.spawn) {
		return
	}
	l.spawn, l.byCall = st, true
	s.setSpawner(l, call)
}

// setSpawner hangs the agent of l under the call or the decision that spawned it, or under
// the start of its caller; 0 is under nothing.
func (s *Session) setSpawner(l *lane, i int32) {
	old := l.spawner
	if old != 0 && old != i && s.spawns(old) {
		s.delEdge(Spawned, s.handle(old), s.named(l.ref))
	}
	if i != 0 && old != i && s.spawns(i) {
		s.putEdge(Spawned, s.handle(i), s.named(l.ref))
	}
	if old == i {
		for _, k := range l.nodes {
			s.placeStart(l, k) // why it hangs under nothing may be another reason now
		}
		return
	}
	s.untangle([]*lane{l}, func() {
		if old != 0 {
			s.spawned[old] = slices.DeleteFunc(s.spawned[old], func(o *lane) bool { return o == l })
			if len(s.spawned[old]) == 0 {
				delete(s.spawned, old)
			}
		}
		l.spawner = i
		if i != 0 && s.spawns(i) {
			s.spawned[i] = append(s.spawned[i], l)
		}
	})
	s.showAgent(l)
}

// spawns reports an action that itself spawns agents: the start of a caller only says
// where they hang.
func (s *Session) spawns(i int32) bool {
	return actionTypes[s.actions.at(i).typ] != SubagentStart
}

// placeStart hangs a subagent_start under what spawned the agent.
func (s *Session) placeStart(l *lane, i int32) {
	p := l.spawner
	if s.circle(l) != nil {
		p = 0
	}
	s.setParent(i, p)
	root := !l.byCall && l.saidCaller && l.caller == ""
	if unknown := p == 0 && !root; s.actions.at(i).has(isUnplaced) != unknown {
		s.setUnplaced(i, unknown)
		s.putRef(l.ref, Prop{"parent_unknown", flag(unknown)})
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
	for _, l := range lanes {
		all = append(all, s.circle(l)...)
		for _, i := range l.nodes {
			s.setParent(i, 0)
		}
	}
	change()
	for _, l := range lanes {
		for _, on := range s.circle(l) {
			all = append(all, on)
			for _, i := range on.nodes {
				s.setParent(i, 0)
			}
		}
	}
	for _, l := range all {
		for _, i := range l.nodes {
			s.placeStart(l, i)
		}
	}
}

// circle returns the lanes of the agents that, by what the facts claim, descend from
// themselves through the agent of l, nil if it does not: their parents are unknown
// then.
func (s *Session) circle(l *lane) []*lane {
	on := make([]*lane, 0, 4)
	for at := l; at.spawner != 0 && len(on) < len(s.lanes); {
		on = append(on, at)
		n := s.actions.at(at.spawner).lane
		if n == 0 {
			break
		}
		if at = s.lanes[n]; at == l {
			return on
		}
	}
	return nil
}
