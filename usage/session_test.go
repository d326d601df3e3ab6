package usage_test

import (
	"testing"

	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/usage"
)

// TestOfSession: a subagent whose file is missing is a lower bound, in a row of its type.
func TestOfSession(t *testing.T) {
	table := list(t)
	call := func(agent string) graph.UsageRow {
		return graph.UsageRow{Agent: agent, Model: "claude-opus-4-5", UsageCounts: graph.UsageCounts{Calls: 1, Output: 1e6}}
	}
	rows := []graph.UsageRow{call(""), call("Explore")}
	whole := usage.OfSession(rows, graph.SessionRow{}, []graph.AgentRow{{AgentType: "Explore"}}, &table)
	if len(whole.Rows) != 2 || whole.Total.LowerBound || whole.Total.CostLowerBound || *whole.Total.CostUSD != 50 {
		t.Errorf("nothing is missing: %+v", whole)
	}
	missing := []graph.AgentRow{{AgentType: "Explore", TotalLowerBound: true}, {TotalLowerBound: true}, {AgentType: "Plan"}}
	part := usage.OfSession(rows, graph.SessionRow{}, missing, &table)
	if part.Missing != 2 || len(part.Rows) != 3 || !part.Total.LowerBound || !part.Total.CostLowerBound {
		t.Fatalf("two are missing: %+v", part)
	}
	for _, r := range part.Rows {
		if r.LowerBound != (r.Key != usage.MainThread) || r.CostLowerBound != r.LowerBound {
			t.Errorf("%s: %+v", r.Key, r.Sums)
		}
		if r.Key == graph.Subagent && (r.CostUSD != nil || r.Calls != 0 || r.Models == nil) {
			t.Errorf("what is not known: %+v", r.Sums)
		}
	}
	if r := usage.OfSession(rows, graph.SessionRow{TotalLowerBound: true}, nil, &table); !r.Total.LowerBound {
		t.Error("the session says that it is a lower bound")
	}
	if r := usage.OfSession(nil, graph.SessionRow{}, nil, &table); r.Total.CostUSD != nil || len(r.Rows) != 0 {
		t.Errorf("no calls: %+v", r)
	}
}
