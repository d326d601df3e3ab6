package render

import (
	"fmt"

	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/usage"
)

// AtLeast marks a lower bound.
func (s Style) AtLeast() string { return s.pick("≥", ">=") }

// Tokens says what calls of models used: how many tokens, of which kind. It is nothing where
// no model was called. What went into a call is known at once, what came out in the end.
func (s Style) Tokens(r *usage.Report) []string {
	u := r.Total
	switch {
	case u.Calls == 0:
		return nil
	case silent(r):
		return []string{"not recorded"}
	}
	least, in := s.least(u.LowerBound), s.least(r.Missing > 0)
	out := []string{in + Count(u.Input) + " in", least + Count(u.Output) + " out"}
	if u.CacheRead+u.CacheWrite > 0 {
		out = append(out, in+Count(u.CacheRead)+" cache read", in+Count(u.CacheWrite)+" cache written", least+Count(u.Tokens)+" in all")
	}
	return out
}

// silent reports a record that says of no call what it used or cost, as audit dumps do not.
func silent(r *usage.Report) bool {
	u := r.Total
	return u.Tokens == 0 && !u.LowerBound && (u.CostUSD == nil || *u.CostUSD == 0)
}

func (s Style) least(is bool) string {
	if is {
		return s.AtLeast()
	}
	return ""
}

// Dollars is what is known of a cost, to the cent; what is less than one is not nothing.
func (s Style) Dollars(u usage.Sums) string {
	switch {
	case u.CostUSD == nil:
		return s.pick("–", "-")
	case u.CostLowerBound:
		return fmt.Sprintf("%s$%.2f", s.AtLeast(), *u.CostUSD)
	case *u.CostUSD > 0 && *u.CostUSD < 0.005:
		return "<$0.01"
	}
	return fmt.Sprintf("$%.2f", *u.CostUSD)
}

// Cost says what a report's calls cost, and of which models no price is known. It is
// nothing where no model was called.
func (s Style) Cost(r *usage.Report) (out []string) {
	if r.Total.Calls > 0 && r.Total.CostUSD != nil && !silent(r) {
		out = append(out, s.Dollars(r.Total))
	}
	if unpriced := Models(r.Unpriced); len(unpriced) > 0 {
		unpriced[0] = "no price is known of " + unpriced[0]
		out = append(out, unpriced...)
	}
	return out
}

// Models names models in full, as a table of prices takes them.
func Models(names []string) []string {
	out := make([]string, len(names))
	for i, m := range names {
		if out[i] = OneLine(m); out[i] == "" {
			out[i] = "a model without a name"
		}
	}
	return out
}

// ByAgent says how much of a session's report is whose. It is nothing where there is only
// the main thread.
func (s Style) ByAgent(r *usage.Report) (out []string) {
	if len(r.Rows) == 0 || len(r.Rows) == 1 && r.Rows[0].Key == usage.MainThread || silent(r) {
		return nil
	}
	for _, row := range r.Rows {
		tokens := Count(row.Tokens) + " tokens"
		if row.Calls == 0 {
			out = append(out, OneLine(row.Key)+" not known")
			continue
		}
		if row.CostUSD != nil {
			tokens += " (" + s.Dollars(row.Sums) + ")"
		}
		out = append(out, OneLine(row.Key)+" "+s.least(row.LowerBound)+tokens)
	}
	return out
}

// AgentTokens is how many tokens a subagent used; "" where it is not known.
func (s Style) AgentTokens(a *graph.AgentRow) string {
	n := a.TotalInputTokens + a.TotalOutputTokens + a.TotalCacheReadTokens + a.TotalCacheCreationTokens
	switch {
	case n > 0:
		return s.least(a.TotalLowerBound) + Count(n) + " tokens"
	case a.TotalLowerBound:
		return "tokens not known"
	}
	return ""
}
