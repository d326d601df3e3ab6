package graph

import (
	"cmp"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph/schema"
)

// The oracle computes the graph whole from the set of events: each rule of
// design.md §5 and §9 as a plain function over sorted slices. It shares the keys,
// the captions and the hashes with the reducer, and nothing that decides.

// record is one event; records are sorted by time, then sum.
type record struct {
	*schema.Event
	at  int64
	sum uint64
}

// vertex is an Action in the making.
type vertex struct {
	key       schema.Key
	typ       ActionType
	lane      string
	own, eff  int64
	seq       int64
	parent    *vertex
	underLane bool // its parent is the last start of its lane before it
	named     bool // by the id of an event of its own
	answered  bool // a permission request whose record says the answer
	props     map[string]any
}

func (v *vertex) ref() Ref { return Ref{LabelAction, v.key.String()} }

func (v *vertex) set(props ...Prop) {
	for _, p := range props {
		v.props[p.Name] = p.Value
	}
}

// world is everything that the rules derive, in the order in which oracle does.
type world struct {
	session  string
	recs     []record
	failures []record             // of the recording
	seen     map[string]int64     // the least time of a fact that names a subagent
	starts   map[string][]*vertex // a lane's subagent_start actions, by time
	vertices map[schema.Key]*vertex
	calls    map[string]*toolUse
	asks     []*requests
	ends     map[string]int64 // when the last turn of a lane ended
	said     map[[2]string]bool
	hooked   []telling // hooks that tell of the end of a turn
	live     bool
	closed   int64 // when whatever ran was over for the session
	node     map[string]any
	out      *Graph
}

func oracle(session string, events []schema.Event) *Graph {
	w := &world{
		session: session, seen: map[string]int64{}, starts: map[string][]*vertex{},
		vertices: map[schema.Key]*vertex{}, calls: map[string]*toolUse{}, ends: map[string]int64{},
		said: map[[2]string]bool{}, node: map[string]any{}, out: New(),
	}
	for i := range events {
		e := &events[i]
		if e.EventType == schema.SourcePosition {
			continue // about the journal
		}
		r := record{e, max(1, e.Timestamp.UnixNano()), recordSum(e, contentSum(e))}
		if e.EventType == schema.Error && e.SourceSDK == "ag-recorder" {
			w.failures = append(w.failures, r)
		} else {
			w.recs = append(w.recs, r)
		}
	}
	slices.SortStableFunc(w.recs, func(a, b record) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.sum, b.sum)) })
	w.readTranscript()
	w.findAgents()
	w.findCalls()
	w.findNamed()
	w.findUnnamed()
	w.findEnds()
	w.findPrompts()
	w.findAsking()
	w.findAnswers()
	w.findTasks()
	w.findCompactions()
	w.hangUnderStarts()
	w.claimCalls()
	for _, v := range w.vertices {
		v.effective()
	}
	w.sessionState()
	w.callStatuses()
	for id := range w.seen {
		w.agentNode(id)
	}
	w.turns()
	w.sessionTotals()
	w.emit()
	return w.out
}

// vertexOf returns the action with that key.
func (w *world) vertexOf(key schema.Key, t ActionType, lane string) *vertex {
	v := w.vertices[key]
	if v == nil {
		v = &vertex{key: key, typ: t, props: map[string]any{}}
		w.vertices[key] = v
	}
	v.lane = lane
	return v
}

// happened gives v the least time and the least source line of recs.
func (v *vertex) happened(recs ...record) {
	for _, r := range recs {
		if v.own == 0 || r.at < v.own {
			v.own = r.at
		}
		if r.Seq != 0 && (v.seq == 0 || r.Seq < v.seq) {
			v.seq = r.Seq
		}
	}
}

// where returns the records that cond holds for.
func where(recs []record, cond func(record) bool) []record {
	var out []record
	for _, r := range recs {
		if cond(r) {
			out = append(out, r)
		}
	}
	return out
}

// least returns the record that is least by (rank, time, sum), nil if there is none.
func least(recs []record, rank func(record) uint8) *record {
	var best *record
	for i, r := range recs {
		if best == nil || (stamp{r.at, r.sum, rank(r)}).less(stamp{best.at, best.sum, rank(*best)}) {
			best = &recs[i]
		}
	}
	return best
}

func first(recs []record) *record { return least(recs, func(record) uint8 { return 0 }) }

// newest returns the latest record, the one with the least sum among equals.
func newest(recs []record) *record {
	var best *record
	for i, r := range recs {
		if best == nil || r.at > best.at || r.at == best.at && r.sum < best.sum {
			best = &recs[i]
		}
	}
	return best
}

// sentOnce leaves out of recs, which are sorted by time, those that differ from an earlier one in
// their time alone: one event that was sent again.
func sentOnce(recs []record) []record {
	sent := map[uint64]bool{}
	return where(recs, func(r record) bool {
		again := sent[r.sum]
		sent[r.sum] = true
		return !again
	})
}

// occasions returns when facts that say the same happened: receive times at most
// half a second apart are one.
func occasions(recs []record) []int64 {
	var out []int64
	last := int64(0)
	for _, r := range sentOnce(recs) {
		if len(out) == 0 || r.at-last > int64(500*time.Millisecond) {
			out = append(out, r.at)
		}
		last = r.at
	}
	return out
}

// lastOccasion returns when the latest fact happened, 0 if there is none.
func lastOccasion(recs []record) int64 {
	last := int64(0)
	hook := func(r record) bool { return r.Origin == schema.OriginHook }
	for _, same := range byContent(where(recs, hook)) {
		last = max(last, slices.Max(occasions(same)))
	}
	named := map[string]int64{}
	for _, r := range where(recs, func(r record) bool { return !hook(r) }) { // sorted by time
		if _, again := named[r.EventID]; !again {
			named[r.EventID] = r.at
			last = max(last, r.at)
		}
	}
	return last
}

func byContent(recs []record) map[uint64][]record {
	groups := map[uint64][]record{}
	for _, r := range recs {
		groups[contentSum(r.Event)] = append(groups[contentSum(r.Event)], r)
	}
	return groups
}

// effective is max(own, parent's effective + 1): never before its cause.
func (v *vertex) effective() int64 {
	if v.eff == 0 {
		v.eff = v.own
		if v.parent != nil {
			v.eff = max(v.own, v.parent.effective()+1)
		}
	}
	return v.eff
}

// lanes returns the actions of each lane in their order.
func (w *world) lanes() map[string][]*vertex {
	lanes := map[string][]*vertex{}
	for _, v := range w.vertices {
		lanes[v.lane] = append(lanes[v.lane], v)
	}
	for _, lane := range lanes {
		slices.SortFunc(lane, func(a, b *vertex) int {
			return cmp.Or(cmp.Compare(a.eff, b.eff), cmp.Compare(a.seq, b.seq), slices.Compare(a.key[:], b.key[:]))
		})
	}
	return lanes
}

// emit writes actions, lanes and the Session node; the rest is there already.
func (w *world) emit() {
	self := Ref{LabelSession, w.session}
	w.put(self, "", w.node)
	for lane, list := range w.lanes() {
		for k, v := range list {
			v.set(Prop{"session_id", w.session}, Prop{"action_type", string(v.typ)}, Prop{"timestamp", Time(v.eff)})
			if lane != "" {
				v.set(Prop{"agent_id", lane})
				w.edge(HasAction, Ref{LabelAgent, AgentKey(w.session, lane)}, v.ref())
			}
			if v.seq != 0 {
				v.set(Prop{"seq", v.seq})
			}
			if v.parent != nil {
				v.set(Prop{"parent_action_id", v.parent.key.String()})
				w.edge(ParentOf, v.parent.ref(), v.ref())
			}
			if k > 0 {
				w.edge(FollowedBy, list[k-1].ref(), v.ref())
			}
			w.edge(HasAction, self, v.ref())
			w.put(v.ref(), v.typ, v.props)
		}
	}
}

func (w *world) put(r Ref, t ActionType, props map[string]any) {
	op := Op{Kind: PutNode, Node: Node{Ref: r, Type: t}}
	for _, name := range slices.Sorted(maps.Keys(props)) {
		op.Node.Props = append(op.Node.Props, Prop{name, props[name]})
	}
	w.out.Apply(op)
}

func (w *world) edge(t EdgeType, from, to Ref, props ...Prop) {
	w.out.Apply(Op{Kind: PutEdge, Edge: Edge{EdgeKey: EdgeKey{t, from, to}, Props: props}})
}

// mustMatch folds events and holds the result against the oracle's graph. Where they
// differ it names a smallest set of events, in order, that they differ for.
func mustMatch(t testing.TB, what, session string, events []schema.Event) *Graph {
	t.Helper()
	want := oracle(session, events)
	checkShape(t, want)
	differ := func(events []schema.Event) bool {
		return len(events) > 0 && len(Diff(oracle(session, events), apply(session, events))) > 0
	}
	if len(events) < 200 && differ(events) {
		for i := 0; i < len(events); {
			if fewer := slices.Delete(slices.Clone(events), i, i+1); differ(fewer) {
				events, i = fewer, 0
			} else {
				i++
			}
		}
		for _, e := range events {
			t.Logf("%s", e.AppendJSON(nil))
		}
	}
	mustEqual(t, what+": oracle, reducer", oracle(session, events), fold(t, session, events))
	return want
}
