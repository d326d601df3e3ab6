package diff

import (
	"cmp"
	"slices"
	"strings"

	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/history"
	"github.com/actiongraph/actiongraph/internal/render"
	"github.com/actiongraph/actiongraph/usage"
)

// comparison is a Diff while it is being made.
type comparison struct {
	a, b   *recording
	full   bool
	prices *usage.Table

	paired map[graph.Ref]graph.Ref // nodes of a's graph and of b's that are one item
	nodes  int                     // pairs of these that differ
}

// items aligns siblings and compares what is paired. Between two pairs comes first what only
// a has.
func (c *comparison) items(a, b []*node) (out []*Item) {
	if len(a) == 0 && len(b) == 0 {
		return nil
	}
	al := align(a, b)
	at := 0
	onlyB := func(until int) {
		for ; at < until; at++ {
			if al.partnerB[at] < 0 {
				out = append(out, c.only(c.b, b[at], BOnly))
			}
		}
	}
	for i, n := range a {
		j := al.partnerA[i]
		if j < 0 {
			out = append(out, c.only(c.a, n, AOnly))
			continue
		}
		if !al.crossed[i] {
			onlyB(j)
		}
		out = append(out, c.pair(n, b[j]))
	}
	onlyB(len(b))
	return out
}

// only is what one of the two has alone.
func (c *comparison) only(r *recording, n *node, change Change) *Item {
	it := &Item{Change: change, Kind: n.kind, Name: n.tool}
	if side := c.side(r, n); change == AOnly {
		it.A = side
	} else {
		it.B = side
	}
	for _, kid := range n.kids {
		it.Items = append(it.Items, c.only(r, kid, change))
	}
	return it
}

func (c *comparison) pair(x, y *node) *Item {
	it := &Item{Change: Same, Kind: x.kind, Name: x.tool, A: c.side(c.a, x), B: c.side(c.b, y)}
	it.Fields = c.fields(x, y)
	it.Items = c.items(x.kids, y.kids)
	if len(it.Fields) > 0 || !allSame(it.Items) {
		it.Change = Changed
	} else if !c.full {
		it.Items = nil
	}
	c.note(x, y, it.Fields)
	return it
}

// note counts which nodes of the graphs differ.
func (c *comparison) note(x, y *node, differ []Field) {
	if x.agent != nil && y.agent != nil {
		c.paired[graph.Ref{Label: graph.LabelAgent, Key: x.agent.AgentKey}] = graph.Ref{Label: graph.LabelAgent, Key: y.agent.AgentKey}
	}
	note := func(x, y *graph.ActionRow) {
		if x != nil && y != nil {
			c.paired[graph.Ref{Label: graph.LabelAction, Key: x.ActionID}] = graph.Ref{Label: graph.LabelAction, Key: y.ActionID}
		}
	}
	note(x.action, y.action)
	note(x.result, y.result)
	returned := func(f Field) bool {
		return x.result != nil && y.result != nil && (f.Name == "result" || f.Name == "change" || f.Name == "error")
	}
	if slices.ContainsFunc(differ, returned) {
		c.nodes++
	}
	if slices.ContainsFunc(differ, func(f Field) bool { return !returned(f) }) {
		c.nodes++
	}
}

// fields are the parts of two nodes that differ, in the order in which the first has them.
func (c *comparison) fields(x, y *node) (out []Field) {
	if x.exact == y.exact {
		return nil
	}
	other := func(n *node, name string) field {
		if i := slices.IndexFunc(n.fields, func(f field) bool { return f.name == name }); i >= 0 {
			return n.fields[i]
		}
		return field{name: name}
	}
	for _, f := range x.fields {
		if g := other(y, f.name); f.sum != g.sum {
			out = append(out, c.field(f, g))
		}
	}
	for _, g := range y.fields {
		if f := other(x, g.name); f.text == "" {
			out = append(out, c.field(f, g))
		}
	}
	slices.SortStableFunc(out, func(a, b Field) int { return cmp.Compare(rank(a.Name), rank(b.Name)) })
	return out
}

// rank puts what was asked for before what came of it.
func rank(name string) int {
	if strings.HasPrefix(name, "input.") {
		return 0
	}
	return 1 + slices.Index([]string{"prompt", "description", "text", "status", "error", "result", "change", "answer"}, name)
}

// side is an item as one recording has it.
func (c *comparison) side(r *recording, n *node) *Side {
	s := &Side{At: n.at}
	if n.kind == kindTurn {
		s.Turn, s.Figures = &n.turn, c.turnFigures(n)
	}
	if a := n.action; a != nil {
		s.Gist, s.Status, s.DurationMS, s.ToolUseID = render.Gist(a, r.session.WorkingDirectory), a.Status, a.DurationMS, a.ToolUseID
		if a.Status == "denied" || a.Status == "blocked" || a.NeverRan {
			s.DurationMS = nil // which is how long the refusal took
		}
	}
	if a := n.agent; a != nil {
		s.Gist, s.Status, s.AgentID = render.OneLine(a.Description), a.Status, a.AgentID
		if n.end.After(n.at) {
			ms := float64(n.end.Sub(n.at)) / 1e6
			s.DurationMS = &ms
		}
	}
	return s
}

func (c *comparison) session(r *recording, log *history.Log) Session {
	title := cmp.Or(render.FirstLine(r.session.Title), render.Style{UTF8: true}.Truncate(render.FirstLine(r.session.FirstPrompt), 100))
	return Session{
		SessionID: r.session.SessionID, Title: title, StartedAt: r.session.StartedAt, Model: r.session.Model,
		ForkedFrom: r.session.ForkedFrom, MissingParent: log.Missing, Totals: c.totals(r),
	}
}

func (c *comparison) totals(r *recording) Figures {
	var f Figures
	rows := slices.Clone(r.missing)
	for _, n := range r.root.kids {
		f.count(n)
		rows = append(rows, n.used...)
	}
	end := r.session.EndedAt
	if end.IsZero() {
		end = r.session.LastEventAt
	}
	if !r.session.StartedAt.IsZero() && end.After(r.session.StartedAt) {
		f.DurationMS = float64(end.Sub(r.session.StartedAt)) / 1e6
	}
	f.spend(rows, c.prices)
	return f
}

func (c *comparison) turnFigures(n *node) *Figures {
	var f Figures
	f.count(n)
	last := n.at
	for _, kid := range n.kids {
		if kid.end.After(last) {
			last = kid.end
		}
	}
	if !n.at.IsZero() {
		f.DurationMS = float64(last.Sub(n.at)) / 1e6
	}
	f.spend(n.used, c.prices)
	return &f
}

// count adds the calls and agents within a node.
func (f *Figures) count(n *node) {
	switch n.kind {
	case kindAgent:
		f.Agents++
	case kindCall:
		f.Calls++
		if s := n.action.Status; s == "failed" || s == "denied" || s == "blocked" {
			f.Failed++
		}
	}
	for _, kid := range n.kids {
		f.count(kid)
	}
}

// spend adds what model calls used, and what that cost.
func (f *Figures) spend(rows []graph.UsageRow, prices *usage.Table) {
	total := usage.OfSession(rows, prices).Total
	f.Tokens, f.CostUSD = total.Tokens, total.CostUSD
	f.LowerBound = total.LowerBound || total.CostUSD != nil && total.CostLowerBound
}
