package usage_test

import (
	"slices"
	"testing"

	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/usage"
)

// TestMissing: a subagent whose file is missing makes the total and its own row a lower
// bound, without a cost, a call or a model.
func TestMissing(t *testing.T) {
	table := list(t)
	call := func(agent string) graph.UsageRow {
		return graph.UsageRow{Agent: agent, Model: "claude-opus-4-5", UsageCounts: graph.UsageCounts{Calls: 1, Output: 1e6}}
	}
	missing := func(agent string) graph.UsageRow {
		return graph.UsageRow{Agent: agent, UsageCounts: graph.UsageCounts{LowerBounds: 1}}
	}
	rows := []graph.UsageRow{call(""), call("Explore")}
	whole := usage.OfSession(rows, &table)
	if len(whole.Rows) != 2 || whole.Missing != 0 || whole.Total.LowerBound || whole.Total.CostLowerBound || *whole.Total.CostUSD != 50 {
		t.Errorf("nothing is missing: %+v", whole)
	}
	part := usage.OfSession(append(rows, missing("Explore"), missing(graph.Subagent)), &table)
	if part.Missing != 2 || len(part.Rows) != 3 || !part.Total.LowerBound || !part.Total.CostLowerBound || *part.Total.CostUSD != 50 || part.Total.Calls != 2 {
		t.Fatalf("two are missing: %+v", part)
	}
	if len(part.Unpriced) != 0 || !slices.Equal(part.Total.Models, []string{"claude-opus-4-5"}) {
		t.Errorf("no model is without a price: %v of %v", part.Unpriced, part.Total.Models)
	}
	for _, r := range part.Rows {
		if r.LowerBound != (r.Key != usage.MainThread) || r.CostLowerBound != r.LowerBound {
			t.Errorf("%s: %+v", r.Key, r.Sums)
		}
		if r.Key == graph.Subagent && (r.CostUSD != nil || r.Calls != 0 || r.Models == nil) {
			t.Errorf("what is not known: %+v", r.Sums)
		}
	}
	day := usage.Make([]graph.UsageRow{missing("")}, usage.Options{By: usage.Day, Models: true}, &table)
	if len(day.Rows) != 1 || len(day.Rows[0].Parts) != 1 || day.Rows[0].Parts[0].CostUSD != nil {
		t.Errorf("a day of which nothing else is known: %+v", day)
	}
	if r := usage.OfSession(nil, &table); r.Total.CostUSD != nil || len(r.Rows) != 0 {
		t.Errorf("no calls: %+v", r)
	}
}
