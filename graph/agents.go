package graph

import (
	"math"
	"slices"

	"github.com/actiongraph/actiongraph/schema"
)

// lane is one thread of actions: the main thread (number 0) or one subagent.
type lane struct {
	id      string
	ref     Ref
	chain   chain
	ends    moments // facts that ended a turn of the lane
	last    int64   // the greatest own time of its actions
	waiting []int32 // calls that had no end when last looked at

	regs   registers
	seen   int64   // the least time of a fact that names the lane
	starts []span  // SubagentStart
	stops  moments // SubagentStop
	fails  moments // StopFailure
	nodes  []int32

	status               string
	shownStart, shownEnd int64
	spawn                stamp // of the fact that says which call spawned it
	spawnCall            int32
	foreground           bool   // that call waited for it
	own                  bool   // a fact is its own, not only another's mention of it
	asked                string // the agent_type that is shown because the call asks for it
	calls                int32  // of the model
	missing              bool   // none is known, and it ran
	lastText             textKey
	spent                sum
}

// Classes of an Agent's properties.
const (
	agentType class = 1 << iota
	agentDescription
	agentPrompt
	agentModel
	agentLastMessage
)

// openLane returns the lane of a subagent, with its Agent node and the action that
// starts it: a stub until SubagentStart comes, because its actions hang under it.
func (s *Session) openLane(id string, f *fact) *lane {
	n, ok := s.laneOf[id]
	if !ok {
		n = int32(len(s.lanes))
		l := &lane{id: id, ref: Ref{LabelAgent, AgentKey(s.id, id)}}
		s.lanes = append(s.lanes, l)
		s.laneOf[id] = n
		s.putRef(l.ref, Prop{"agent_id", id}, Prop{"session_id", s.id}, Prop{"name", "agent " + id})
		s.putEdge(HasAgent, s.named(s.self), s.named(l.ref))
	}
	l := s.lanes[n]
	if l.seen == 0 || f.at < l.seen {
		l.seen = f.at
		if len(l.starts) == 0 {
			s.settleStarts(n, 0)
		}
	}
	if f.AgentType != "" && f.AgentID == id {
		rank := uint8(2)
		if f.EventType == schema.AgentStart && f.Origin != schema.OriginTranscript {
			rank = 0
		}
		s.agentProp(l, f.stamp(rank), agentType, Prop{"agent_type", f.AgentType}, Prop{"name", f.AgentType})
	}
	l.own = l.own || f.AgentID == id
	s.showAgent(l)
	return l
}

func (s *Session) agentProp(l *lane, st stamp, c class, props ...Prop) {
	if won, _ := s.regs.take(&l.regs, st, c); won != 0 {
		s.putRef(l.ref, props...)
	}
}

// agentStart folds SubagentStart. An agent that is resumed starts again: each start
// is an action, and what the agent does hangs under the last one before it.
func (s *Session) agentStart(f *fact) {
	if f.AgentID == "" {
		s.single(f, SubagentStart)
		return
	}
	n := s.laneOf[f.AgentID]
	l := s.lanes[n]
	if f.Origin == schema.OriginTranscript {
		// The first line of the agent's file: what it was asked, not when it began.
		if f.Content != "" {
			s.agentProp(l, f.stamp(1), agentPrompt, Prop{"prompt", clip(f.Content)})
		}
		return
	}
	var from int
	l.starts, from = addSpan(l.starts, f.at)
	s.settleStarts(n, from)
	s.showAgent(l)
}

// settleStarts makes the subagent_start actions of a lane agree with its starts, which
// have changed from the given one on.
func (s *Session) settleStarts(n int32, from int) {
	l := s.lanes[n]
	start := func(k int) when {
		if len(l.starts) == 0 {
			return when{own: l.seen}
		}
		return when{own: l.starts[k].first}
	}
	changed := start(from).own
	if from < len(l.nodes) {
		changed = min(changed, s.actions.at(l.nodes[from]).own)
	}
	was := len(l.nodes)
	l.nodes = s.settle(l.nodes, from, max(1, len(l.starts)), claim{
		typ: SubagentStart, lane: n,
		when:  start,
		key:   func(k int) schema.Key { return schema.NewKey("subagent_start", s.id, l.id, itoa(k)) },
		props: func(int) []Prop { return []Prop{{"name", "subagent start"}, {"status", schema.StatusCompleted}} },
		free:  true,
	})
	for _, i := range l.nodes[min(was, len(l.nodes)):] {
		s.placeStart(l, i)
	}
	if len(l.nodes) > 1 || was > 1 {
		for _, i := range s.between(&l.chain, changed, math.MaxInt64) {
			s.adopt(i)
		}
	}
}

// adopt gives an action of a subagent's lane, whose parent nothing else says, the
// last start of the lane before it.
func (s *Session) adopt(i int32) {
	a := s.actions.at(i)
	if !a.has(inLane) {
		return
	}
	l := s.lanes[a.lane]
	if len(l.nodes) == 0 { // the main thread
		s.setParent(i, 0)
		return
	}
	p := l.nodes[0]
	for k := len(l.starts) - 1; k > 0 && k < len(l.nodes); k-- {
		if l.starts[k].first <= a.own {
			p = l.nodes[k]
			break
		}
	}
	s.setParent(i, p)
}

// askType notes which type of agent a call asks for.
func (s *Session) askType(i int32, f *fact, rank uint8) {
	typ, _ := schema.CutString(schema.FieldString(f.ToolInput, "subagent_type"), maxName)
	if typ == "" || !isAgentTool(f.ToolName) {
		return
	}
	old, ok := s.askedTypes[i]
	if st := f.stamp(rank); !ok || st.less(old.stamp) {
		s.askedTypes[i] = askedType{st, typ}
	}
}

// askedType is the type of agent that a call asks for, and which fact says so.
type askedType struct {
	stamp
	name string
}

// showAsked gives an agent, whose type nothing else says, the one that was asked for.
func (s *Session) showAsked(l *lane) {
	typ := s.askedTypes[l.spawnCall].name
	if typ == l.asked || s.regs.held(l.regs, agentType) {
		return
	}
	l.asked = typ
	if typ == "" {
		s.putRef(l.ref, Prop{"agent_type", nil}, Prop{"name", "agent " + l.id})
		return
	}
	s.putRef(l.ref, Prop{"agent_type", typ}, Prop{"name", typ})
}

func timeOrNone(t int64) any {
	if t == 0 {
		return nil
	}
	return Time(t)
}

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
	if l.spawnCall != 0 && !st.less(l.spawn) {
		return
	}
	l.spawn = st
	if l.spawnCall == call {
		return
	}
	if l.spawnCall != 0 {
		s.delEdge(Spawned, s.handle(l.spawnCall), s.named(l.ref))
	}
	s.putEdge(Spawned, s.handle(call), s.named(l.ref))
	s.untangle([]*lane{l}, func() {
		if old := l.spawnCall; old != 0 {
			s.spawned[old] = slices.DeleteFunc(s.spawned[old], func(o *lane) bool { return o == l })
		}
		l.spawnCall = call
		s.spawned[call] = append(s.spawned[call], l)
	})
	s.showAgent(l)
}

// placeStart hangs a subagent_start under the call that spawned the agent.
func (s *Session) placeStart(l *lane, i int32) {
	p := l.spawnCall
	if s.circle(l) != nil {
		p = 0
	}
	s.setParent(i, p)
	if s.actions.at(i).has(isUnplaced) != (p == 0) {
		s.setUnplaced(i, p == 0)
		s.putRef(l.ref, Prop{"parent_unknown", flag(p == 0)})
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
	for at := l; at.spawnCall != 0 && len(on) < len(s.lanes); {
		on = append(on, at)
		n := s.actions.at(at.spawnCall).lane
		if n == 0 {
			break
		}
		if at = s.lanes[n]; at == l {
			return on
		}
	}
	return nil
}
