package graph

import (
	"github.com/actiongraph/actiongraph/schema"
)

// Revision tells what this version of the fold makes of a journal from what others made
// of it. It changes whenever a journal that is there gives another graph: stores keep it in
// their positions, and a session of another one is folded again.
const Revision = 3

// Session folds the events of one session. It holds no texts: times, lanes,
// parents, the evidence for statuses, and which fact holds which property.
type Session struct {
	id          string
	self        Ref
	node        sessionNode
	continues   Ref // the Session that this one continues
	actions     actionList
	calls       blocks[call]
	usages      blocks[spending]
	regs        holds
	lanes       []*lane
	laneOf      map[string]int32
	groups      map[schema.Key]*group
	claims      map[schema.Key]*claimGroup
	sameTexts   map[schema.Key]*sameText // prompts by lane and text
	promptLines map[uint64]*lineFact
	received    map[uint64]int64 // the first time of facts without a key, by recordSum
	seams       map[schema.Key]*seam
	lines       map[schema.Key]*mark     // of transcripts, in seams
	reports     map[string]*agentReports // what was said of subagents' ends, by agent_id
	texts       map[textKey]struct{}     // assistant messages of the transcript
	echoes      map[textKey][]*group     // turn and subagent ends that may repeat one
	inputs      map[uint64][]int32       // calls by lane, tool and input; nil until one is asked for
	asking      map[uint64]*claimGroup
	related     relations
	told        told
	spawned     map[int32][]*lane    // by the call that spawned them
	spawnings   map[spawning]int32   // how many starts of the agent are under it
	lastStart   int64                // of any agent
	callees     map[string][]*lane   // by whom their starts say they were called
	namesakes   map[string][]*lane   // by the name that their starts say
	delegates   map[int32]delegate   // by decision
	delegations map[delegate][]int32 // decisions, in the order of time
	askedTypes  map[int32]askedType  // of agents, by the call that asks for one
	tools       []string
	toolOf      map[string]int32
	files       map[int32]*fileUse
	fileOf      map[file]*file
	compacted   map[int32]*compactions
	forkedFrom  Ref
	touched     []int32 // lanes whose last action may have changed
	late        lateTimes
	lastAction  int64
	turns       []turnStart // of the main thread, in their order
	changes     changes
	began       bool    // there was an event
	handled     []int32 // the actions that have a handle
	agents      []*lane // the lanes whose agents have one
}

var (
	actionTypes = ActionTypes()
	statuses    = []string{
		"", schema.StatusPending, schema.StatusInProgress, schema.StatusCompleted, schema.StatusFailed,
		schema.StatusDenied, schema.StatusBlocked, schema.StatusInterrupted, schema.StatusUnknown,
	}
)

// NewSession returns the empty fold of one session. journal is the id of the
// journal that records it; it becomes a property of the Session node.
func NewSession(id, journal string) *Session {
	s := &Session{
		id:          id,
		self:        Ref{LabelSession, id},
		laneOf:      map[string]int32{"": 0},
		groups:      map[schema.Key]*group{},
		claims:      map[schema.Key]*claimGroup{},
		sameTexts:   map[schema.Key]*sameText{},
		promptLines: map[uint64]*lineFact{},
		received:    map[uint64]int64{},
		seams:       map[schema.Key]*seam{},
		lines:       map[schema.Key]*mark{},
		reports:     map[string]*agentReports{},
		texts:       map[textKey]struct{}{},
		echoes:      map[textKey][]*group{},
		asking:      map[uint64]*claimGroup{},
		compacted:   map[int32]*compactions{},
		spawned:     map[int32][]*lane{},
		spawnings:   map[spawning]int32{},
		callees:     map[string][]*lane{},
		namesakes:   map[string][]*lane{},
		delegates:   map[int32]delegate{},
		delegations: map[delegate][]int32{},
		askedTypes:  map[int32]askedType{},
		tools:       []string{""},
		toolOf:      map[string]int32{"": 0},
		files:       map[int32]*fileUse{},
		fileOf:      map[file]*file{},
	}
	s.lanes = []*lane{{}}
	s.node.journal = journal
	return s
}

// NewContinuation returns the empty fold of what a journal records of a session that
// another journal owns in the same store. Its Session has the id ContinuationID and
// CONTINUES the other's.
func NewContinuation(session, journal string) *Session {
	s := NewSession(ContinuationID(session, journal), journal)
	s.continues = Ref{LabelSession, session}
	return s
}

// Apply folds one event; Take tells what it changes in the graph. It is total: it never
// fails, and an event it cannot place is an Unknown action. Nothing of e's bytes is kept.
func (s *Session) Apply(e *schema.Event) {
	// 0 says "no time yet" throughout the fold.
	f := &fact{Event: bounded(e), at: max(1, int64(TimeOf(e.Timestamp))), content: contentSum(e)}
	f.sum = recordSum(e, f.content)
	e = f.Event
	if e.EventType == schema.SourcePosition {
		return // about the journal, not about the session: see Batch.Absorbs
	}
	s.began = true
	if e.OfRecorder() {
		s.recordingFailure(f)
		return
	}
	s.observe(f)
	if e.AgentID != "" {
		s.openLane(e.AgentID, f)
	}
	switch e.EventType {
	case schema.SessionStart, schema.SessionEnd, schema.Fork, schema.Tag, schema.SessionUpdate:
		s.sessionEvent(f)
	case schema.ToolStart:
		s.toolStart(f)
	case schema.ToolEnd, schema.ToolBatch:
		s.toolEnd(f)
	case schema.Permission:
		s.permission(f)
	case schema.Message:
		s.message(f)
	case schema.Skill:
		s.skill(f)
	case schema.AgentStart:
		s.agentStart(f)
	case schema.AgentEnd:
		s.agentEnd(f)
	case schema.Decision:
		s.decision(f)
	case schema.TurnEnd:
		s.turnEnd(f)
	case schema.Error, schema.RateLimit:
		s.failure(f)
	case schema.LLMStart, schema.LLMEnd:
		s.llm(f)
	case schema.Compaction:
		s.compaction(f)
	case schema.Task:
		s.task(f)
	case schema.StructuredOutput:
		s.structuredOutput(f)
	default:
		s.single(f, simpleTypes(e.EventType))
	}
	s.spawnFacts(f)
	s.relate(f)
	s.tagAction(f)
}

// Take returns what changed in the graph since the last Take: at most one op an entity
// and kind, sorted by kind (see Coalesce). They are the caller's. What is not taken stays
// in memory, texts included.
func (s *Session) Take() []Op { return s.TakeInto(nil) }

// TakeInto is Take into an array that its caller has no more use for.
func (s *Session) TakeInto(room []Op) []Op {
	if !s.began {
		return nil
	}
	s.putSession()
	for _, i := range s.handled {
		s.actions.at(i).handle = 0
	}
	s.handled = s.handled[:0]
	for _, l := range s.agents {
		l.handle = 0
	}
	clear(s.agents)
	s.agents = s.agents[:0]
	return s.changes.take(room)
}

// fact is an event on its way through the fold.
type fact struct {
	*schema.Event
	at      int64  // ns
	content uint64 // contentSum
	sum     uint64 // recordSum
	before  int64  // receivedBefore
	asked   bool   // it was
	self    int32  // the action that it made or changed
}

func (f *fact) stamp(rank uint8) stamp { return stamp{time: f.at, sum: f.sum, rank: rank} }

func simpleTypes(t schema.Type) ActionType {
	switch t {
	case schema.Notification:
		return Notification
	case schema.Context:
		return Context
	case schema.Handoff:
		return Handoff
	case schema.Memory:
		return Memory
	case schema.Callback:
		return Callback
	}
	return Unknown
}

// titled reports whether the title of such an event is the session's: a task, a decision
// and a memory have their own.
func titled(t schema.Type) bool {
	return t == schema.SessionStart || t == schema.SessionUpdate || t == schema.Message || t == schema.Fork
}

func typeIndex(t ActionType) uint8 {
	for i, u := range actionTypes {
		if t == u {
			return uint8(i)
		}
	}
	return uint8(len(actionTypes) - 1)
}

// handle returns what stands for an action among changes.
func (s *Session) handle(i int32) handle {
	a := s.actions.at(i)
	if a.handle == 0 {
		a.handle = s.changes.add(Ref{LabelAction, a.key.String()}) + 1
		s.handled = append(s.handled, i)
	}
	return a.handle - 1
}

// actionID returns the key of an action's node.
func (s *Session) actionID(i int32) string { return s.changes.refs[s.handle(i)].Key }

func (s *Session) put(i int32, props ...Prop) {
	if len(props) > 0 {
		s.changes.putNode(s.handle(i), actionTypes[s.actions.at(i).typ], props)
	}
}

// putRef puts a node that is no action.
func (s *Session) putRef(r Ref, props ...Prop) { s.changes.putNode(s.named(r), "", props) }

func (s *Session) named(r Ref) handle { return s.changes.name(r) }

func (s *Session) putEdge(t EdgeType, from, to handle, props ...Prop) {
	s.changes.putEdge(t, from, to, props)
}

func (s *Session) delEdge(t EdgeType, from, to handle) { s.changes.delEdge(t, from, to) }

// action returns the action with that key, new ones in the given lane. A new action
// is not placed in its lane's chain before it has a time.
func (s *Session) action(key schema.Key, t ActionType, lane int32) (i int32, created bool) {
	if i := s.actions.find(key); i != 0 {
		return i, false
	}
	i = s.actions.add(key)
	a := s.actions.at(i)
	a.typ, a.lane = typeIndex(t), lane
	if t == ToolCall {
		a.more = s.calls.add()
	}
	props := []Prop{{"session_id", s.id}, {"action_type", string(t)}}
	if id := s.lanes[lane].id; id != "" {
		props = append(props, Prop{"agent_id", id})
	}
	s.put(i, props...)
	s.putEdge(HasAction, s.named(s.self), s.handle(i))
	if lane != 0 {
		s.putEdge(HasAction, s.agent(s.lanes[lane]), s.handle(i))
	}
	s.count(t, +1)
	s.awaited(i)
	return i, true
}

// callOf returns what a tool call has, of another action nothing. The pointer is good until
// the next call is added.
func (s *Session) callOf(i int32) *call {
	if a := s.actions.at(i); a.more != 0 && actionTypes[a.typ] == ToolCall {
		return s.calls.at(a.more)
	}
	return &call{}
}

// drop removes an action that no fact supports any more: a claim went elsewhere.
// Every edge is taken off by name, because a coalesced batch deletes nodes before
// it puts edges.
func (s *Session) drop(i int32) {
	a := s.actions.at(i)
	if p := a.parent; p != 0 && actionTypes[a.typ] == PermissionRequest {
		s.callOf(p).permission--
		defer s.settleCall(p)
	}
	for a.child != 0 {
		c := a.child
		s.setParent(c, 0)
	}
	s.setParent(i, 0)
	if s.isPrompt(i) {
		s.moveTurn(i, when{a.own, a.seq}, when{})
	}
	s.unlink(i)
	s.delEdge(HasAction, s.named(s.self), s.handle(i))
	if a.lane != 0 {
		s.delEdge(HasAction, s.agent(s.lanes[a.lane]), s.handle(i))
	}
	s.changes.delNode(s.handle(i), actionTypes[a.typ])
	s.count(actionTypes[a.typ], -1)
	s.regs.drop(&a.regs)
	s.actions.drop(i)
}

// tool returns the number of a tool's name: a session uses few tools often.
func (s *Session) tool(name string) int32 {
	n, ok := s.toolOf[name]
	if !ok {
		n = int32(len(s.tools))
		s.tools = append(s.tools, name)
		s.toolOf[name] = n
	}
	return n
}
