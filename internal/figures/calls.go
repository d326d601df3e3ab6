package figures

import (
	"context"
	"slices"
	"time"

	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/metrics"
	"github.com/actiongraph/actiongraph/schema"
	"github.com/actiongraph/actiongraph/usage"
)

// series is a counter with its labels.
type series struct {
	name          metrics.Name
	first, second string
}

func (s *series) labels() []string {
	switch {
	case s.first == "":
		return nil
	case s.second == "":
		return []string{s.first}
	}
	return []string{s.first, s.second}
}

// call is what is known of a call of a tool or a model. It is never changed: what comes after
// it is another one.
type call struct {
	typ    graph.ActionType
	name   string // of the tool
	tool   string // its label
	status string
	took   float64 // seconds; 0 is not known
	// Of a model: the properties that say what it used, and what that comes to.
	props []graph.Prop
	model string // its label
	used  graph.UsageCounts
	nanos float64
	price bool // nothing is missing for want of a price
}

// share is what one transaction adds.
type share struct {
	*Tally
	ctx      context.Context
	prices   *usage.Table
	counts   bool             // the batch: else it is history
	changed  map[string]*call // by action, nil where it was deleted
	adds     map[series]float64
	tookTool []string // of each call whose duration has become known
	took     []float64
	received []time.Time
}

// op adds the difference that an op makes.
func (s *share) op(op *graph.Op) {
	n := &op.Node
	if op.Kind != graph.PutNode && op.Kind != graph.DelNode || n.Label != graph.LabelAction ||
		n.Type != graph.ToolCall && n.Type != graph.LLMCall {
		return
	}
	before, ok := s.before(n)
	if !ok {
		return
	}
	var after *call
	if op.Kind == graph.PutNode {
		after = s.after(before, n)
	}
	s.changed[n.Key] = after
	if !s.counts {
		return
	}
	s.add(before, -1)
	s.add(after, +1)
	if after != nil && after.took > 0 && (before == nil || before.took == 0) {
		s.tookTool, s.took = append(s.tookTool, after.tool), append(s.took, after.took)
	}
}

// before is what an action was until now, nil where it was not there; ok is false where that
// is not known.
func (s *share) before(n *graph.Node) (c *call, ok bool) {
	if c, ok := s.changed[n.Key]; ok {
		return c, true
	}
	if slices.ContainsFunc(n.Props, func(p graph.Prop) bool { return p.Name == "action_type" }) {
		return nil, true // a new one comes with its type
	}
	if c := s.known.get(n.Key); c != nil {
		return c, true
	}
	row, err := s.Reader.Action(s.ctx, n.Key)
	if err != nil {
		return nil, false
	}
	return s.after(nil, &graph.Node{Type: row.ActionType, Props: propsOf(&row)}), true
}

// propsOf are the properties of a row that after looks at.
func propsOf(row *graph.ActionRow) []graph.Prop {
	props := []graph.Prop{
		{Name: "timestamp", Value: graph.TimeOf(row.Timestamp)}, {Name: "tool_name", Value: row.ToolName},
		{Name: "mcp_server", Value: row.MCPServer}, {Name: "status", Value: row.Status}, {Name: "model", Value: row.Model},
	}
	if row.DurationMS != nil {
		props = append(props, graph.Prop{Name: "duration_ms", Value: *row.DurationMS})
	}
	for name, v := range row.Properties {
		if graph.IsUsage(name) {
			props = append(props, graph.Prop{Name: name, Value: v})
		}
	}
	return props
}

// after is what a call is with the properties that change.
func (s *share) after(before *call, n *graph.Node) *call {
	c := &call{}
	if before != nil {
		*c = *before
	}
	c.typ = n.Type
	if n.Type == graph.LLMCall {
		s.spend(c, n.Props)
		return c
	}
	name, server := c.name, ""
	for _, p := range n.Props {
		text, _ := p.Value.(string)
		switch p.Name {
		case "tool_name":
			name = text
		case "mcp_server":
			server = text
		case "status":
			c.status = text
		case "duration_ms":
			ms, _ := p.Value.(float64)
			c.took = max(0, ms/1000)
		}
	}
	if name != c.name {
		if server == "" {
			server, _, _ = schema.SplitMCP(name)
		}
		c.name, c.tool = name, s.tools.Label(name, server)
	}
	return c
}

// spend takes over what a model call used.
func (s *share) spend(c *call, props []graph.Prop) {
	c.props = slices.Clone(c.props)
	for _, p := range props {
		if !graph.IsUsage(p.Name) {
			continue
		}
		if i := slices.IndexFunc(c.props, func(o graph.Prop) bool { return o.Name == p.Name }); i >= 0 {
			c.props[i] = p
		} else {
			c.props = append(c.props, p)
		}
	}
	row, _, ok := graph.UsageOf(c.props)
	if !ok {
		return
	}
	c.model, c.used = s.models.Label(usage.ShortName(row.Model)), row.UsageCounts
	c.nanos, c.price = s.prices.Cost(row)
	silent := row.Model == "" && row.Input+row.Output+row.CacheRead+row.CacheWrite == 0
	c.price = c.price || silent
}

// add adds what a call comes to, or takes it away.
func (s *share) add(c *call, sign float64) {
	if c == nil {
		return
	}
	if c.typ == graph.LLMCall {
		if c.model == "" {
			return
		}
		s.adds[series{name: metrics.ModelCalls, first: c.model}] += sign
		s.adds[series{metrics.Tokens, c.model, "input"}] += sign * float64(c.used.Input)
		s.adds[series{metrics.Tokens, c.model, "output"}] += sign * float64(c.used.Output)
		s.adds[series{metrics.Tokens, c.model, "cache_read"}] += sign * float64(c.used.CacheRead)
		s.adds[series{metrics.Tokens, c.model, "cache_write"}] += sign * float64(c.used.CacheWrite)
		s.adds[series{name: metrics.Cost, first: c.model}] += sign * c.nanos / 1e9
		if !c.price {
			s.adds[series{name: metrics.UnpricedCalls, first: c.model}] += sign
		}
		return
	}
	if c.name == "" {
		return
	}
	s.adds[series{name: metrics.ToolCalls, first: c.tool}] += sign
	switch c.status {
	case schema.StatusFailed, schema.StatusDenied, schema.StatusBlocked, schema.StatusInterrupted:
		s.adds[series{metrics.ToolFailures, c.tool, c.status}] += sign
	}
}

// settle adds the share, which is written. A counter cannot fall: what it has too much, for a
// figure was corrected, it is owed until it is right again.
func (s *share) settle() {
	for key, c := range s.changed {
		s.known.put(key, c)
	}
	for k, n := range s.adds {
		n += s.debts[k]
		if n < 0 {
			s.debts[k] = n
			continue
		}
		delete(s.debts, k)
		if n > 0 {
			s.Metrics.Counter(k.name, n, k.labels()...)
		}
	}
	for i, tool := range s.tookTool {
		s.Metrics.Histogram(metrics.ToolDuration, s.took[i], tool)
	}
	now := s.now()
	for _, at := range s.received {
		s.Metrics.Histogram(metrics.EventDelay, max(0, now.Sub(at).Seconds()))
	}
}

func (t *Tally) now() time.Time {
	if t.Now != nil {
		return t.Now()
	}
	return time.Now()
}

// calls are the latest that changed: the last mostCalls at least, and at most twice as many.
type calls struct{ young, old map[string]*call }

// mostCalls is more than run at a time, and the next batch of a catch-up may still change.
const mostCalls = 2000

func (k *calls) get(action string) *call {
	if c := k.young[action]; c != nil {
		return c
	}
	return k.old[action]
}

func (k *calls) put(action string, c *call) {
	if c == nil {
		delete(k.young, action)
		delete(k.old, action)
		return
	}
	if len(k.young) >= mostCalls {
		k.old, k.young = k.young, nil
	}
	if k.young == nil {
		k.young = map[string]*call{}
	}
	k.young[action] = c
}
