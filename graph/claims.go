package graph

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"github.com/actiongraph/actiongraph/schema"
)

// Most facts name what they are about. Some do not: a prompt, a permission request,
// the end of a turn, a notification. Facts of such a kind that say the same thing
// form a group. Within it they differ by their times only, so that its actions can
// be numbered in the order of time and no text has to be kept: when a late fact
// shifts the numbers, only times move.

// group is the facts of one keyless kind with one content.
type group struct {
	spans []span
	nodes []int32
	text  textKey // what its actions repeat: see noteEcho
	marks []*mark // of the ends of turns: see seam
}

// when is the time and source line of one action of a group.
type when struct{ own, seq int64 }

// claim says how the actions of a group are made, and when they happened.
type claim struct {
	when  func(k int) when
	typ   ActionType
	lane  int32
	key   func(k int) schema.Key
	props func(k int) []Prop // of a new action
	free  bool               // its parent is not the lane's start
}

// settle makes the actions of a group agree with the n times it now has, in order.
// Those before from have not changed: in a long group mostly the last has.
func (s *Session) settle(nodes []int32, from, n int, c claim) []int32 {
	for len(nodes) > n {
		s.drop(nodes[len(nodes)-1])
		nodes = nodes[:len(nodes)-1]
	}
	for k := from; k < n; k++ {
		w := c.when(k)
		if k == len(nodes) {
			i, _ := s.action(c.key(k), c.typ, c.lane)
			s.put(i, c.props(k)...)
			s.actions.at(i).set(inLane, !c.free)
			nodes = append(nodes, i)
			s.retime(i, w.own, w.seq)
			s.adopt(i)
			continue
		}
		if a := s.actions.at(nodes[k]); a.own != w.own || a.seq != w.seq {
			s.retime(nodes[k], w.own, w.seq)
		}
	}
	return nodes
}

// keyed returns the action that f names by a key of its own, in the lane that the
// least of its facts says.
func (s *Session) keyed(f *fact, key schema.Key, t ActionType) (i int32, created bool) {
	lane := s.laneOf[f.AgentID]
	i, created = s.action(key, t, lane)
	if created {
		s.actions.at(i).set(inLane, true)
	}
	if won, _ := s.regs.take(&s.actions.at(i).regs, f.stamp(0), classLane); won != 0 {
		s.setLane(i, lane)
	}
	s.setOwn(i, f.at, f.Seq)
	s.adopt(i)
	f.self = i
	return i, created
}

func itoa(n int) string { return strconv.Itoa(n) }

func hexSum(n uint64) string { return strconv.FormatUint(n, 16) }

// single folds an event that is an action by itself. A hook gives it no key, so that
// equal payloads are told apart by time alone, as a group whose actions have changed from
// the given one on; every other source names it.
func (s *Session) single(f *fact, t ActionType) (g *group, from int) {
	if f.Origin != schema.OriginHook {
		key := eventKey(s.id, f.EventID)
		i, _ := s.keyed(f, key, t)
		if won, taken := s.regs.take(&s.actions.at(i).regs, f.stamp(0), classText); won != 0 {
			s.put(i, s.singleProps(f, t, taken != 0)...)
			s.setThinking(i, thinks(f.Event))
			if repeats(t) && (f.Content != "" || s.groups[key] != nil) {
				g := s.group(key)
				g.nodes = []int32{i}
				s.noteEcho(f, g)
			}
		}
		s.putPrompt(i, f)
		return nil, 0
	}
	n := s.laneOf[f.AgentID]
	content := hexSum(f.content)
	g = s.group(schema.NewKey("group", s.id, string(t), f.AgentID, content))
	g.spans, from = s.receive(g.spans, f)
	g.nodes = s.settle(g.nodes, from, len(g.spans), claim{
		typ: t, lane: n,
		when: func(k int) when {
			if k < len(g.marks) && g.marks[k].first == g.spans[k].first {
				return g.marks[k].when
			}
			return when{own: g.spans[k].first}
		},
		key:   func(k int) schema.Key { return schema.NewKey("single", s.id, string(t), f.AgentID, content, itoa(k)) },
		props: func(int) []Prop { return s.singleProps(f, t, false) },
	})
	if repeats(t) {
		s.noteEcho(f, g)
	}
	return g, from
}

func (s *Session) group(key schema.Key) *group {
	g := s.groups[key]
	if g == nil {
		g = &group{}
		s.groups[key] = g
	}
	return g
}

func (s *Session) singleProps(f *fact, t ActionType, replace bool) []Prop {
	status := schema.StatusCompleted
	switch {
	case t == ErrorEvent, t == RateLimitEvent, f.IsError:
		status = schema.StatusFailed
	case f.Status != "":
		status = f.Status
	}
	props := append(eventProps(f.Event, t, replace), Prop{"status", status})
	if f.Origin == schema.OriginHook && f.PromptID != "" {
		props = append(props, Prop{"prompt_id", f.PromptID})
	}
	if repeats(t) && s.said(f) {
		props = append(slices.DeleteFunc(props, func(p Prop) bool { return p.Name == "text" }), Prop{"text", nil})
	}
	if thinks(f.Event) {
		props = append(props, Prop{"thinking", true})
	} else if replace {
		props = append(props, Prop{"thinking", nil})
	}
	if status == schema.StatusFailed {
		props = append(props, Prop{"is_error", true})
	} else if replace {
		props = append(props, Prop{"is_error", nil})
	}
	return props
}

// claimGroup is a group whose facts come from two sources, or claim a call.
type claimGroup struct {
	lane  int32
	hooks []span
	lines []*lineFact
	nodes []int32
	small []smallProp
	calls claimable // of permission requests
	*prompts
}

// lineFact is a line of a transcript: id tells it from a repetition of itself.
type lineFact struct {
	id   uint64
	time int64
	seq  int64
	home *claimGroup // of a prompt
	best stamp       // of the record that says which group is its home
	lent bool        // a hook of another group has it

	queued bool // its prompt waited: see when
}

// when is the time and source line of the occasion that the line and a hook tell of. A
// prompt that was typed while the agent worked is where the agent took it up, which only
// the line says: hooks tell some when they are typed.
func (l *lineFact) when(hook int64) when {
	if l.queued {
		return when{l.time, l.seq}
	}
	return when{min(hook, l.time), l.seq}
}

// smallProp is a property that the facts of a group may differ in; the least fact
// that has it stands for the whole group.
type smallProp struct {
	Prop
	stamp
}

func (s *Session) setSmall(g *claimGroup, name, value string, st stamp) {
	if value == "" {
		return
	}
	value = clip(value)
	k := slices.IndexFunc(g.small, func(p smallProp) bool { return p.Name == name })
	switch {
	case k < 0:
		g.small = append(g.small, smallProp{Prop{name, value}, st})
	case st.less(g.small[k].stamp):
		g.small[k] = smallProp{Prop{name, value}, st}
	default:
		return
	}
	for _, i := range g.nodes {
		s.put(i, Prop{name, value})
	}
}

func (g *claimGroup) smallProps() []Prop {
	props := make([]Prop, len(g.small))
	for k, p := range g.small {
		props[k] = p.Prop
	}
	return props
}

// addLine adds a line to a group.
func (g *claimGroup) addLine(l *lineFact) {
	k, _ := slices.BinarySearchFunc(g.lines, l, compareLines)
	g.lines = slices.Insert(g.lines, k, l)
}

func (g *claimGroup) removeLine(l *lineFact) {
	k, _ := slices.BinarySearchFunc(g.lines, l, compareLines)
	g.lines = slices.Delete(g.lines, k, k+1)
}

func compareLines(a, b *lineFact) int {
	return cmp.Or(cmp.Compare(a.time, b.time), cmp.Compare(a.seq, b.seq), cmp.Compare(a.id, b.id))
}

// lineLead is how much earlier than its hook a transcript's line may be.
const lineLead = int64(10 * time.Second)

// couple is one occasion: a hook (by number, -1 is none), a line, or both.
type couple struct {
	hook int
	line *lineFact
}

// pairs joins hooks and lines one to one, in the order of time. What was queued waits for
// its hook, however long.
func (g *claimGroup) pairs() []couple {
	out := make([]couple, 0, max(len(g.hooks), len(g.lines)))
	next := 0
	for k, h := range g.hooks {
		for next < len(g.lines) && !g.lines[next].queued && g.lines[next].time < h.first-lineLead {
			out = append(out, couple{-1, g.lines[next]})
			next++
		}
		p := couple{hook: k}
		if next < len(g.lines) {
			p.line = g.lines[next]
			next++
		}
		out = append(out, p)
	}
	for ; next < len(g.lines); next++ {
		out = append(out, couple{-1, g.lines[next]})
	}
	return out
}

// borrowed returns the line of another group that the hook first received at has.
func (g *claimGroup) borrowed(first int64) (l loan, ok bool) {
	if g.prompts != nil {
		l, ok = g.loans[first]
	}
	return l, ok
}

// times gives the time and source line of each occasion, sorted.
func (g *claimGroup) times() []when {
	out := make([]when, 0, max(len(g.hooks), len(g.lines)))
	for _, p := range g.pairs() {
		switch {
		case p.hook < 0 && p.line.lent:
		case p.hook < 0:
			out = append(out, when{p.line.time, p.line.seq})
		default:
			w := when{own: g.hooks[p.hook].first}
			if p.line != nil {
				w = p.line.when(w.own)
			} else if l, ok := g.borrowed(w.own); ok {
				w = l.when(w.own)
			}
			out = append(out, w)
		}
	}
	slices.SortFunc(out, func(a, b when) int { return cmp.Or(cmp.Compare(a.own, b.own), cmp.Compare(a.seq, b.seq)) })
	return out
}

// add adds a fact to g and makes its actions agree; from is the first that changed.
func (s *Session) add(g *claimGroup, f *fact, c claim) (from int) {
	if f.Origin == schema.OriginHook {
		g.hooks, from = s.receive(g.hooks, f)
		s.settleGroup(g, from, c)
		return from
	}
	id := uint64(fnvOffset.str(f.EventID))
	l := &lineFact{id: id, time: f.at, seq: f.Seq}
	if k := slices.IndexFunc(g.lines, func(o *lineFact) bool { return o.id == id }); k >= 0 {
		l.time, l.seq = min(l.time, g.lines[k].time), min(l.seq, g.lines[k].seq)
		g.removeLine(g.lines[k])
	}
	g.addLine(l)
	s.settleGroup(g, 0, c)
	return 0
}

// settleGroup makes the actions of g agree with its facts, of which those of hooks have
// changed from the given one on.
func (s *Session) settleGroup(g *claimGroup, from int, c claim) {
	c.lane = g.lane
	if len(g.lines) == 0 && (g.prompts == nil || len(g.loans) == 0) {
		c.when = func(k int) when { return when{own: g.hooks[k].first} }
		g.nodes = s.settle(g.nodes, from, len(g.hooks), c)
		return
	}
	times := g.times()
	c.when = func(k int) when { return times[k] }
	g.nodes = s.settle(g.nodes, 0, len(times), c)
}
