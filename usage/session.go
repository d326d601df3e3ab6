package usage

import "github.com/actiongraph/actiongraph/graph"

// SessionFilter asks for what OfSession needs; "" is all sessions.
func SessionFilter(session string) graph.UsageFilter {
	return Options{By: Agent}.Filter(graph.UsageFilter{Session: session})
}

// OfSession makes the report of one session, by agent: rows are what SessionFilter asked
// for. Without a call of a model the total has no cost.
func OfSession(rows []graph.UsageRow, prices *Table) Report {
	rep := Make(rows, Options{By: Agent}, prices)
	if rep.Total.Calls == 0 {
		rep.Total.CostUSD = nil
	}
	return rep
}
