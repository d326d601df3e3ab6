package graph

import (
	"math"
	"slices"
	"sort"

	"github.com/actiongraph/actiongraph/schema"
)

// lane is one thread of actions: the main thread (number 0) or one subagent. It is kept
// small: an audit dump of 1 GB has 60,000.
type lane struct {
	id      string
	key     schema.Key // of the Agent
	chain   chain
	ends    moments // facts that ended a turn of the lane
	last    int64   // the greatest own time of its actions
	waiting []int32 // calls that had no end when last looked at

	seen   int64   // the least time of a fact that names the lane
	starts []int64 // SubagentStart, in the order of time
	named  []nameStart
	stops  moments // SubagentStop
	overs  moments // ends of which nobody knows the time
	nodes  []int32
	rare   *laneRare

	shownStart, shownEnd int64
	by                   *lane  // the agent that called it, where no call is known
	caller               string // "" is nobody
	name                 string // by which others name it
	spent                *sum   // see sums

	regs    registers
	handle  handle // among changes, from 1
	spawner int32  // the call that spawned it
	kids    int32  // lanes whose agents hang under what is in it
	calls   int32  // of the model

	status     uint8 // index into statuses
	touched    bool  // last may have changed
	byCall     bool  // there is a fact that says which call spawned it
	looped     bool  // it descends from itself, by what the facts claim
	foreground bool  // that call waited for it
	saidCaller bool  // its start says who called it
	own        bool  // a fact is its own, not only another's mention of it
	missing    bool  // no call of the model is known, and it ran
}

// laneRare is what few lanes of a session of many have.
type laneRare struct {
	hooked   []span  // starts that hooks received
	fails    moments // StopFailure, ends that failed
	spawn    stamp   // of the fact that says which call spawned it
	asked    string  // the agent_type that is shown because the call asks for it
	lastText textKey
}

// rarely returns what l has of that, for it to be read.
func (l *lane) rarely() *laneRare {
	if l.rare == nil {
		return &laneRare{}
	}
	return l.rare
}

// more returns the same for it to be changed.
func (l *lane) more() *laneRare {
	if l.rare == nil {
		l.rare = &laneRare{}
	}
	return l.rare
}

// agent returns what stands for the agent of a lane among changes.
func (s *Session) agent(l *lane) handle {
	if l.handle == 0 {
		l.handle = s.changes.add(Ref{LabelAgent, l.key.String()}) + 1
		s.agents = append(s.agents, l)
	}
	return l.handle - 1
}

// putAgent puts the node of an agent.
func (s *Session) putAgent(l *lane, props ...Prop) { s.changes.putNode(s.agent(l), "", props) }

// Classes of an Agent's properties.
const (
	agentType class = 1 << iota
	agentDescription
	agentPrompt
	agentModel
	agentLastMessage
	agentName
	agentCaller
	agentMeta
)

// openLane returns the lane of a subagent, with its Agent node and the action that
// starts it: a stub until SubagentStart comes, because its actions hang under it.
func (s *Session) openLane(id string, f *fact) *lane {
	n, ok := s.laneOf[id]
	if !ok {
		n = int32(len(s.lanes))
		l := &lane{id: id, key: agentKey(s.id, id)}
		s.lanes = append(s.lanes, l)
		s.laneOf[id] = n
		s.putAgent(l, Prop{"agent_id", id}, Prop{"session_id", s.id}, Prop{"name", "agent " + id})
		s.putEdge(HasAgent, s.named(s.self), s.agent(l))
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
		s.putAgent(l, props...)
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
	if f.Origin != schema.OriginHook && f.Content != "" {
		s.agentProp(l, f.stamp(1), agentPrompt, Prop{"prompt", clip(f.Content)})
	}
	if f.Origin == schema.OriginTranscript {
		return // the first line of the agent's file: what it was asked, not when it began
	}
	if meta := stated(f.Event, "caller_id", "transcript_path", "permission_mode"); meta != "" {
		s.agentProp(l, f.stamp(0), agentMeta, Prop{"metadata", meta})
	}
	first := len(l.starts) == 0
	earlier := first || f.at < l.starts[0]
	if from, changed := s.addStart(l, f); changed {
		s.lastStart = max(s.lastStart, f.at)
		s.settleStarts(n, from)
	}
	s.called(l, f, first, earlier)
	s.showAgent(l)
}

// nameStart is a start that has an id of its own, by that id's hash: every source but hooks
// names its facts, and a run may be called again at once.
type nameStart struct {
	id uint64
	at int64
}

// addStart notes a start, and returns the first of the lane's that changed.
func (s *Session) addStart(l *lane, f *fact) (from int, changed bool) {
	if f.Origin == schema.OriginHook {
		t, near := f.at, []int64(nil) // the spans that f joins
		r := l.more()
		if old := s.receivedBefore(f); old != 0 {
			if old <= f.at {
				return 0, false
			}
			r.hooked, _ = s.receive(r.hooked, f)
			return 0, l.sortStarts()
		}
		k := sort.Search(len(r.hooked), func(k int) bool { return r.hooked[k].last+sameFact >= f.at })
		for ; k < len(r.hooked) && r.hooked[k].first-sameFact <= f.at; k++ {
			near, t = append(near, r.hooked[k].first), min(t, r.hooked[k].first)
		}
		r.hooked, _ = addSpan(r.hooked, f.at)
		return l.moveStart(near, t)
	}
	id := uint64(fnvOffset.str(f.EventID))
	k := sort.Search(len(l.named), func(k int) bool { return l.named[k].id >= id })
	if k == len(l.named) || l.named[k].id != id {
		l.named = slices.Insert(l.named, k, nameStart{id, f.at})
		return l.moveStart(nil, f.at)
	}
	old := l.named[k].at
	l.named[k].at = min(old, f.at)
	return l.moveStart([]int64{old}, l.named[k].at)
}

// sortStarts makes the starts of a lane anew, and reports that they changed.
func (l *lane) sortStarts() bool {
	l.starts = l.starts[:0]
	for _, sp := range l.more().hooked {
		l.starts = append(l.starts, sp.first)
	}
	for _, n := range l.named {
		l.starts = append(l.starts, n.at)
	}
	slices.Sort(l.starts)
	return true
}

// moveStart puts a start in the place of others.
func (l *lane) moveStart(old []int64, t int64) (from int, changed bool) {
	if len(old) == 1 && old[0] == t {
		return 0, false
	}
	from = len(l.starts)
	for _, t := range old {
		k := l.startedBefore(t)
		l.starts, from = slices.Delete(l.starts, k, k+1), min(from, k)
	}
	k := l.startedBefore(t)
	l.starts = slices.Insert(l.starts, k, t)
	return min(from, k), true
}

// settleStarts makes the subagent_start actions of a lane agree with its starts, which
// have changed from the given one on.
func (s *Session) settleStarts(n int32, from int) {
	l := s.lanes[n]
	start := func(k int) when {
		if len(l.starts) == 0 {
			return when{own: l.seen}
		}
		return when{own: l.starts[k]}
	}
	changed := start(from).own
	if from < len(l.nodes) {
		changed = min(changed, s.actions.at(l.nodes[from]).own)
	}
	was, n0 := len(l.nodes), max(1, len(l.starts))
	for _, i := range l.nodes[min(was, n0):] {
		s.hang(i, 0)
	}
	l.nodes = s.settle(l.nodes, from, n0, claim{
		typ: SubagentStart, lane: n,
		when:  start,
		key:   func(k int) schema.Key { return schema.NewKey("subagent_start", s.id, l.id, itoa(k)) },
		props: func(int) []Prop { return []Prop{{"name", "subagent start"}, {"status", schema.StatusCompleted}} },
		free:  true,
	})
	s.placeStarts(l, from)
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
	k := min(l.startedBefore(a.own+1), len(l.nodes))
	s.setParent(i, l.nodes[max(0, k-1)])
}

// startedBefore returns how many starts there are before a time.
func (l *lane) startedBefore(t int64) int {
	return sort.Search(len(l.starts), func(k int) bool { return l.starts[k] >= t })
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
	typ := s.askedTypes[l.spawner].name
	if typ == l.rarely().asked || s.regs.held(l.regs, agentType) {
		return
	}
	l.more().asked = typ
	if typ == "" {
		s.putAgent(l, Prop{"agent_type", nil}, Prop{"name", "agent " + l.id})
		return
	}
	s.putAgent(l, Prop{"agent_type", typ}, Prop{"name", typ})
}

func timeOrNone(t int64) any {
	if t == 0 {
		return nil
	}
	return Time(t)
}
