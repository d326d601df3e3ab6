package graph

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"github.com/actiongraph/actiongraph/schema"
)

// The end of a turn is told by up to three facts, and an API error that ends one by two;
// none names another. They come in a known order, soon after each other, within a lane:
//
//   - Stop, then the line stop_hook_summary, which is written when the last Stop hook has
//     returned (13 to 150 ms later in the captures; a hook may take ten minutes), then
//     turn_duration (2 to 17 ms later).
//   - the line of an API error, then StopFailure (37 to 110 ms later), of one error type.
//
// So a fact is about the same as the one before it in its lane where its stage comes
// later and the gap is no longer than that. This asks nothing but the neighbour: a late
// fact changes its own place only. A hook's action keeps its key, and a line without a
// hook is an action by itself.

const (
	turnEndGap = int64(10 * time.Minute) // the default timeout of a hook
	errorGap   = int64(10 * time.Second)
	// A line's time is in whole milliseconds, a hook's is not: the line of a hook that was
	// received in the same one came later.
	lineRounding = int64(time.Millisecond) - 1
)

// turnStage is the place of a fact among those that tell of one thing.
type turnStage uint8

const (
	turnHook turnStage = iota
	turnSummary
	turnDuration
)

const (
	errorLine turnStage = iota
	errorHook
)

// seam is the facts of one kind of one lane, in the order of time.
type seam struct {
	lane  int32
	typ   ActionType
	gap   int64
	marks []*mark
}

// mark is one fact of a seam.
type mark struct {
	at     int64 // by which it is ordered
	when   when  // of the fact; of a hook that heads its action, what the action shows
	first  int64 // the time of the fact
	seq    int64
	stage  turnStage
	key    schema.Key // of its action
	node   int32      // its action; 0 if it is part of another's
	joined bool       // to the mark before it
	line   *lineProps // nil: a hook
	shown  []Prop     // what the lines of its action have put on it
}

// lineProps is what a line says, kept because another fact may take the line over.
type lineProps struct {
	stamp
	alone  []Prop // as an action by itself
	joined []Prop // as part of another
}

func compareMarks(a, b *mark) int {
	return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.stage, b.stage), slices.Compare(a.key[:], b.key[:]))
}

func (se *seam) find(m *mark) int {
	k, _ := slices.BinarySearchFunc(se.marks, m, compareMarks)
	return k
}

func (se *seam) joins(k int) bool {
	if k == 0 {
		return false
	}
	a, b := se.marks[k-1], se.marks[k]
	return a.stage < b.stage && b.at-a.at <= se.gap
}

// place puts m, which is in the seam or not yet, where its fact's time says.
func (s *Session) place(se *seam, m *mark, first int64, fresh bool) {
	if !fresh {
		s.take(se, m)
	}
	m.first, m.at = first, first
	if m.line != nil && se.typ == TurnEnd {
		m.at += lineRounding
	}
	k := se.find(m)
	se.marks = slices.Insert(se.marks, k, m)
	s.resolve(se, k)
}

// take takes m out of its seam; what had joined it is placed without it.
func (s *Session) take(se *seam, m *mark) {
	k := se.find(m)
	se.marks = slices.Delete(se.marks, k, k+1)
	m.joined = false
	s.resolve(se, k)
}

// resolve decides anew what joins what around the mark at k, which is new or follows
// another one than before.
func (s *Session) resolve(se *seam, k int) {
	first := max(0, k-1)
	for first > 0 && se.marks[first].joined {
		first--
	}
	end := first
	for ; end < len(se.marks); end++ {
		joined := se.joins(end)
		if end > k+1 && !joined && !se.marks[end].joined {
			break
		}
		se.marks[end].joined = joined
	}
	for first < end {
		next := first + 1
		for next < end && se.marks[next].joined {
			next++
		}
		s.showMarks(se, se.marks[first:next])
		first = next
	}
}

// showMarks makes one action of the facts ms.
func (s *Session) showMarks(se *seam, ms []*mark) {
	head := ms[0]
	for _, m := range ms {
		if m.line == nil {
			head = m
		}
	}
	w := when{own: ms[0].first}
	var want []Prop
	for _, m := range ms {
		if m.line == nil {
			continue
		}
		if m != head && m.node != 0 {
			s.drop(m.node)
			m.node, m.shown = 0, nil
		}
		if w.seq == 0 || m.seq != 0 && m.seq < w.seq {
			w.seq = m.seq
		}
		want = mergeProps(want, m.line.joined)
	}
	if head.line != nil {
		want = mergeProps(slices.Clone(head.line.alone), want)
		if head.node == 0 {
			head.node, _ = s.action(head.key, se.typ, se.lane)
			s.actions.at(head.node).set(inLane, true)
		}
	}
	s.put(head.node, changedProps(head.shown, want)...)
	head.shown, head.when = want, w
	if a := s.actions.at(head.node); a.own != w.own || a.seq != w.seq || !a.has(isLinked) {
		s.retime(head.node, w.own, w.seq)
		s.adopt(head.node)
	}
}

// changedProps is what turns old into want.
func changedProps(old, want []Prop) (out []Prop) {
	for _, p := range want {
		if !slices.Contains(old, p) {
			out = append(out, p)
		}
	}
	for _, p := range old {
		if !slices.ContainsFunc(want, func(q Prop) bool { return q.Name == p.Name }) {
			out = append(out, Prop{p.Name, nil})
		}
	}
	return out
}

func (s *Session) seam(f *fact, t ActionType) *seam {
	key := schema.NewKey("seam", s.id, f.AgentID, string(t))
	gap := turnEndGap
	if t != TurnEnd {
		key, gap = schema.NewKey("seam", s.id, f.AgentID, string(t), f.ErrorType), errorGap
	}
	se := s.seams[key]
	if se == nil {
		se = &seam{lane: s.laneOf[f.AgentID], typ: t, gap: gap}
		s.seams[key] = se
	}
	return se
}

// sew makes the marks of a group of hooks agree with its times, from the first that
// changed.
func (s *Session) sew(f *fact, t ActionType, g *group, from int) {
	se := s.seam(f, t)
	for len(g.marks) > len(g.nodes) {
		last := len(g.marks) - 1
		s.take(se, g.marks[last])
		g.marks = g.marks[:last]
	}
	st := turnHook
	if t != TurnEnd {
		st = errorHook
	}
	for k := from; k < len(g.nodes); k++ {
		switch first := g.spans[k].first; {
		case k == len(g.marks):
			m := &mark{stage: st, node: g.nodes[k], key: s.actions.at(g.nodes[k]).key}
			g.marks = append(g.marks, m)
			s.place(se, m, first, true)
		case g.marks[k].first != first:
			s.place(se, g.marks[k], first, false)
		}
	}
}

// seamLine folds a line of a transcript about the end of a turn or an API error. Of
// two records of one line the lesser stands.
func (s *Session) seamLine(f *fact, t ActionType) {
	se := s.seam(f, t)
	key := schema.NewKey("line", s.id, f.AgentID, string(t), f.ErrorType, f.EventID)
	m := s.lines[key]
	fresh := m == nil
	if fresh {
		m = &mark{key: key, stage: lineStage(f.Event)}
		s.lines[key] = m
	}
	st := f.stamp(0)
	seq := f.Seq
	if !fresh && m.seq != 0 && (seq == 0 || m.seq < seq) {
		seq = m.seq
	}
	switch {
	case fresh || st.less(m.line.stamp):
		stg := lineStage(f.Event)
		if !fresh && stg != m.stage {
			s.take(se, m)
			if m.node != 0 {
				s.drop(m.node)
				m.node, m.shown = 0, nil
			}
			fresh, m.stage = true, stg
		}
		m.line, m.seq = s.lineProps(f, t), seq
		s.place(se, m, f.at, fresh)
	case seq != m.seq:
		m.seq = seq
		s.resolve(se, se.find(m))
	}
}

// apiStatus is the HTTP status of an API error, nil if the fact has none. Lines of
// transcripts say it; no hook in data/captures does, and one that did would lose it to a
// line that joins it and goes elsewhere.
func apiStatus(e *schema.Event) any {
	if e.Origin == schema.OriginHook {
		return nil
	}
	n, err := strconv.ParseInt(string(schema.Field(e.Extra, "api_error_status")), 10, 64)
	if err != nil {
		return nil
	}
	return n
}

func lineStage(e *schema.Event) turnStage {
	switch {
	case e.EventType != schema.TurnEnd:
		return errorLine
	case e.HookEventName == "turn_duration":
		return turnDuration
	}
	return turnSummary
}

// lineProps gives the properties of a line. What hooks say of a turn's end, and a line
// of it, differ in name: an action has both.
func (s *Session) lineProps(f *fact, t ActionType) *lineProps {
	l := &lineProps{stamp: f.stamp(0)}
	if t != TurnEnd {
		l.alone = s.singleProps(f, t, false)
		if v := apiStatus(f.Event); v != nil {
			l.joined = []Prop{{"api_error_status", v}}
		}
	} else {
		l.alone = []Prop{{"name", "turn end"}, {"status", schema.StatusCompleted}, {"hook_event_name", f.HookEventName}}
		if f.DurationMS != nil {
			l.joined = append(l.joined, Prop{"duration_ms", *f.DurationMS})
		}
		if rest := leftovers(f.Event); rest != "" && lineStage(f.Event) == turnSummary {
			l.joined = append(l.joined, Prop{"stop_hooks", rest})
		}
	}
	if f.PromptID != "" {
		l.alone = append(l.alone, Prop{"prompt_id", f.PromptID})
	}
	return l
}
