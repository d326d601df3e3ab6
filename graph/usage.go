package graph

import (
	"math"
	"strconv"

	"github.com/actiongraph/actiongraph/schema"
)

// spending is what one model call used, or several did together; cost is in billionths
// of a dollar: sums of floats depend on their order. A runtime states the figures of a
// call several times, growing (one transcript line a content block), so each is the
// greatest seen.
type spending [8]int64

// The figures of a spending. The cache writes that live five minutes and one hour are
// part of all cache writes.
const (
	inputTokens = iota
	outputTokens
	cacheReadTokens
	cacheWriteTokens
	cacheWrite5mTokens
	cacheWrite1hTokens
	webSearches
	cost
)

// figure names a figure, as a property of a call; of a sum it is total_ and this.
func figure(k int) string {
	return [...]string{"input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens",
		"ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens", "web_search_requests", "cost_usd"}[k]
}

func figureValue(k int, n int64) any {
	if k == cost {
		return float64(n) / 1e9
	}
	return n
}

// The greatest figures of a call: a million million tokens, a million dollars. What states
// more is wrong, and must not make sums worthless.
const (
	mostTokens = 1e12
	mostCost   = 1e15
)

// figuresOf returns what e states, -1 where it states nothing.
func figuresOf(e *schema.Event) (u spending, any bool) {
	for k, v := range []*int64{e.InputTokens, e.OutputTokens, e.CacheReadInputTokens, e.CacheCreationInputTokens,
		e.Ephemeral5mInputTokens, e.Ephemeral1hInputTokens} {
		u[k] = -1
		if v != nil {
			u[k], any = min(*v, mostTokens), true
		}
	}
	u[webSearches], u[cost] = -1, -1
	if raw := schema.Field(schema.Field(schema.Field(e.Extra, "usage"), "server_tool_use"), "web_search_requests"); raw != nil {
		if n, err := strconv.ParseInt(string(raw), 10, 64); err == nil {
			u[webSearches], any = min(n, mostTokens), true
		}
	}
	if e.CostUSD != nil {
		u[cost], any = nanos(*e.CostUSD), true
	}
	return u, any
}

// nanos gives dollars in billionths. A number too great for an int64 would be converted to
// anything.
func nanos(dollars float64) int64 {
	if !(dollars > 0) {
		return 0
	}
	return int64(min(math.Round(dollars*1e9), mostCost))
}

// low reports figures of a model call that are a lower bound: a subagent's file may lack
// the last ones.
func (a *action) low() bool { return a.has(inFile) && !a.has(isFinal) }

// sum is the usage of several calls. No journal makes it overflow, and what was added can
// be taken away again: a figure is over × 2⁶² more than spending says.
type sum struct {
	spending
	over  [8]int64
	low   int64 // calls whose figures are a lower bound, and agents whose calls are missing
	shown spending
	said  bool // total_lower_bound
}

// usage folds token counts and cost into the call i, and into the sums of its lane's
// and the session's calls.
func (s *Session) usage(f *fact, i int32) {
	stated, any := figuresOf(f.Event)
	ended := f.EventType == schema.LLMEnd && (f.Origin == schema.OriginTranscript || f.Reason != "")
	if !any && !ended {
		return
	}
	u, a := s.usageOf(i, true), s.actions.at(i)
	lane := s.lanes[a.lane]
	for k, n := range stated {
		if n > u[k] {
			lane.sums().add(k, n-u[k])
			s.node.spent.add(k, n-u[k])
			u[k] = n
			s.put(i, Prop{figure(k), figureValue(k, n)})
		}
	}
	was := a.low()
	if ended {
		a.set(inFile, a.has(inFile) || f.Origin == schema.OriginTranscript)
		a.set(isFinal, a.has(isFinal) || f.Reason != "")
	}
	if low := a.low(); low != was {
		n := int64(1)
		if was {
			n = -1
		}
		lane.sums().low += n
		s.node.spent.low += n
		s.put(i, Prop{"lower_bound", flag(low)})
	}
	s.putUsage(lane)
}

// usageOf returns what the model call i used, nil where nothing says so and none is asked
// for.
func (s *Session) usageOf(i int32, create bool) *spending {
	a := s.actions.at(i)
	switch {
	case actionTypes[a.typ] != LLMCall:
		return nil
	case a.more != 0:
	case create:
		a.more = s.usages.add()
	default:
		return nil
	}
	return s.usages.at(a.more)
}

// moveUsage takes what the call i used out of the sum of the lane that it was in.
func (s *Session) moveUsage(i, was int32) {
	from, to := s.lanes[was], s.lanes[s.actions.at(i).lane]
	if actionTypes[s.actions.at(i).typ] == LLMCall {
		from.calls--
		to.calls++
		s.showMissing(from)
		s.showMissing(to)
	}
	u := s.usageOf(i, false)
	if u == nil {
		return
	}
	for k, n := range u {
		from.sums().add(k, -n)
		to.sums().add(k, n)
	}
	if s.actions.at(i).low() {
		from.sums().low--
		to.sums().low++
	}
	s.putUsage(from)
	s.putUsage(to)
}

// countCall counts a new LLMCall.
func (s *Session) countCall(i int32) {
	l := s.lanes[s.actions.at(i).lane]
	l.calls++
	s.showMissing(l)
	if s.node.modelCalls++; s.node.modelCalls == 1 {
		for _, l := range s.lanes {
			s.showMissing(l)
		}
	}
}

// uncount takes what a model call used out of all sums: it is going.
func (s *Session) uncount(i int32) {
	a := s.actions.at(i)
	if actionTypes[a.typ] != LLMCall {
		return
	}
	l := s.lanes[a.lane]
	if u := s.usageOf(i, false); u != nil {
		for k, n := range u {
			l.sums().add(k, -n)
			s.node.spent.add(k, -n)
		}
	}
	if a.low() {
		l.sums().low--
		s.node.spent.low--
	}
	s.putUsage(l)
	l.calls--
	s.showMissing(l)
	if s.node.modelCalls--; s.node.modelCalls == 0 {
		for _, l := range s.lanes {
			s.showMissing(l)
		}
	}
}

// showMissing makes the sums lower bounds where a subagent ran and none of its calls of the
// model is known, though the session's are: its own file is missing.
func (s *Session) showMissing(l *lane) {
	missing := l.calls == 0 && s.node.modelCalls > 0 && l.spawner != 0 && s.callOf(l.spawner).ended != 0
	if missing == l.missing {
		return
	}
	l.missing = missing
	n := int64(1)
	if !missing {
		n = -1
	}
	l.sums().low += n
	s.node.spent.low += n
	s.putUsage(l)
}

// putUsage writes what a subagent used, as far as it changed.
func (s *Session) putUsage(l *lane) {
	if l.id != "" && l.spent != nil {
		if props := l.spent.changes(l.spent.total()); len(props) > 0 {
			s.putAgent(l, props...)
		}
	}
}

// sums returns what the calls of l used, for it to be changed: most have none.
func (l *lane) sums() *sum {
	if l.spent == nil {
		l.spent = &sum{}
	}
	return l.spent
}

// overflow is what a figure of a sum is carried over at. A change is less.
const overflow = 1 << 62

// add adds n, which may be negative, to the figure k.
func (u *sum) add(k int, n int64) {
	u.spending[k] += n
	switch {
	case u.spending[k] >= overflow:
		u.spending[k] -= overflow
		u.over[k]++
	case u.spending[k] < 0:
		u.spending[k] += overflow
		u.over[k]--
	}
}

// total returns the figures, those too great as the greatest there is.
func (u *sum) total() spending {
	total := u.spending
	for k := range total {
		if u.over[k] > 0 {
			total[k] = overflow - 1
		}
	}
	return total
}

// changes gives the properties of a sum, of which total is to be shown, that are not yet.
func (u *sum) changes(total spending) (props []Prop) {
	for k, n := range total {
		if n != u.shown[k] {
			var v any
			if n != 0 {
				v = figureValue(k, n)
			}
			props = append(props, Prop{"total_" + figure(k), v})
		}
	}
	u.shown = total
	if low := u.low > 0; low != u.said {
		u.said = low
		props = append(props, Prop{"total_lower_bound", flag(low)})
	}
	return props
}

// max returns the greater of each figure.
func (u spending) max(o spending) spending {
	for k := range u {
		u[k] = max(u[k], o[k])
	}
	return u
}
