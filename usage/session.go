package usage

import (
	"slices"

	"github.com/actiongraph/actiongraph/graph"
)

// SessionFilter asks for what OfSession needs.
func SessionFilter(session string) graph.UsageFilter {
	return Options{By: Agent}.Filter(graph.UsageFilter{Session: session})
}

// OfSession makes the report of one session, by agent: rows are what SessionFilter asked
// for. A subagent whose file is missing has a row too, without calls: what it used is not
// known, and the total is a lower bound. Without a call of a model the total has no cost.
func OfSession(rows []graph.UsageRow, s graph.SessionRow, agents []graph.AgentRow, prices *Table) Report {
	rep := Make(rows, Options{By: Agent}, prices)
	low := s.TotalLowerBound
	for _, a := range agents {
		if !a.TotalLowerBound {
			continue
		}
		low = true
		if a.TotalInputTokens+a.TotalOutputTokens+a.TotalCacheReadTokens+a.TotalCacheCreationTokens == 0 {
			rep.Missing++
		}
		kind := a.AgentType
		if kind == "" {
			kind = graph.Subagent
		}
		i := slices.IndexFunc(rep.Rows, func(r Row) bool { return r.Key == kind })
		if i < 0 {
			i = len(rep.Rows)
			rep.Rows = append(rep.Rows, Row{Key: kind, Sums: Sums{Models: []string{}}})
		}
		rep.Rows[i].LowerBound, rep.Rows[i].CostLowerBound = true, true
	}
	rep.Total.LowerBound = rep.Total.LowerBound || low
	rep.Total.CostLowerBound = rep.Total.CostLowerBound || low
	if rep.Total.Calls == 0 {
		rep.Total.CostUSD = nil
	}
	return rep
}
