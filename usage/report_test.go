package usage_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/usage"
)

// TestReports: whatever a report is by, its rows add up to the total, its parts to their
// row, and the total is that of the rows that it was made of.
func TestReports(t *testing.T) {
	table := list(t)
	rapid.Check(t, func(rt *rapid.T) {
		rows := rapid.SliceOfN(rapid.Custom(drawRow), 0, 30).Draw(rt, "rows")
		o := usage.Options{By: rapid.SampledFrom(usage.Reports()).Draw(rt, "by"), Models: rapid.Bool().Draw(rt, "models"), Agents: rapid.Bool().Draw(rt, "agents")}
		var want usage.Sums
		cost, unknown := 0.0, false
		for _, r := range rows {
			want.Calls += r.Calls
			want.Tokens += r.Input + r.Output + r.CacheWrite + r.CacheRead
			want.LowerBound = want.LowerBound || r.LowerBounds > 0
			nanos, ok := table.Cost(r)
			cost, unknown = cost+nanos, unknown || !ok
		}
		report := usage.Make(rows, o, &table)
		var sum usage.Sums
		for _, row := range report.Rows {
			var parts usage.Sums
			for _, p := range row.Parts {
				addSums(&parts, p.Sums)
			}
			if o.Models || o.Agents {
				sameSums(rt, "parts of "+row.Key, parts, row.Sums)
			}
			addSums(&sum, row.Sums)
		}
		sameSums(rt, "rows", sum, report.Total)
		sameSums(rt, "total", want, report.Total)
		if unknown != (len(report.Unpriced) > 0) || report.Total.CostUSD != nil && math.Round(*report.Total.CostUSD*1e9) != cost ||
			report.Total.CostUSD == nil && !unknown || unknown && !report.Total.CostLowerBound {
			rt.Fatalf("cost %v of %v, not priced %v", report.Total.CostUSD, cost/1e9, report.Unpriced)
		}
		keys := make([]string, len(report.Rows))
		for i, row := range report.Rows {
			keys[i] = row.Key
		}
		if slices.Sort(keys); len(slices.Compact(keys)) != len(report.Rows) {
			rt.Fatalf("two rows have one key: %v", keys)
		}
	})
}

func drawRow(t *rapid.T) graph.UsageRow {
	n := rapid.Int64Range(0, 1e6)
	return graph.UsageRow{
		Day:       time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, rapid.IntRange(0, 40).Draw(t, "day")).Format(time.DateOnly),
		SessionID: rapid.SampledFrom([]string{"s1", "s2", "s3"}).Draw(t, "session"),
		Project:   rapid.SampledFrom([]string{"", "/a", "/b"}).Draw(t, "project"),
		Agent:     rapid.SampledFrom([]string{"", "Explore", graph.Subagent}).Draw(t, "agent"),
		Model:     rapid.SampledFrom([]string{"", "claude-opus-5-5", "unheard of"}).Draw(t, "model"),
		Speed:     rapid.SampledFrom([]string{"", "fast"}).Draw(t, "speed"),
		Stated:    rapid.Bool().Draw(t, "stated"), CostNanos: n.Draw(t, "cost"),
		UsageCounts: graph.UsageCounts{Calls: 1 + n.Draw(t, "calls"), LowerBounds: rapid.Int64Range(0, 1).Draw(t, "bounds"), Input: n.Draw(t, "input"),
			Output: n.Draw(t, "output"), CacheRead: n.Draw(t, "read"), CacheWrite: n.Draw(t, "write")},
	}
}

func addSums(to *usage.Sums, s usage.Sums) {
	to.Calls += s.Calls
	to.Tokens += s.Tokens
	to.LowerBound = to.LowerBound || s.LowerBound
}

func sameSums(t *rapid.T, what string, a, b usage.Sums) {
	if a.Calls != b.Calls || a.Tokens != b.Tokens || a.LowerBound != b.LowerBound {
		t.Fatalf("%s: %d calls, %d tokens, lower bound %v; want %d, %d, %v", what, a.Calls, a.Tokens, a.LowerBound, b.Calls, b.Tokens, b.LowerBound)
	}
}

// TestSources: a report says when prices other than the table's were used, and only then.
func TestSources(t *testing.T) {
	table := list(t)
	listed := table.Source
	own := usage.Price{Models: []string{"mine"}, Rates: usage.Rates{Input: 1}, Source: "config.toml"}
	table.Prices = append([]usage.Price{own}, table.Prices...)
	for want, models := range map[string][]string{listed: {"claude-opus-5-5", "unheard of"}, "config.toml, " + listed: {"mine", "claude-opus-5-5", "mine"}} {
		var rows []graph.UsageRow
		for _, m := range models {
			rows = append(rows, graph.UsageRow{Day: "2026-11-20", Model: m})
		}
		if got := usage.Make(rows, usage.Options{By: usage.Day}, &table).PricesSource; got != want {
			t.Errorf("%v: prices from %q, want %q", models, got, want)
		}
	}
	stated := graph.UsageRow{Day: "2026-11-20", Model: "mine", Stated: true}
	if got := usage.Make([]graph.UsageRow{stated}, usage.Options{By: usage.Day}, &table).PricesSource; got != listed {
		t.Errorf("a stated cost: prices from %q", got)
	}
}

// TestKeys: months and weeks of the days that begin and end them.
func TestKeys(t *testing.T) {
	table := list(t)
	for day, want := range map[string][2]string{
		"2026-11-02": {"2026-11-02", "2026-11"}, // a Monday
		"2026-11-01": {"2026-10-26", "2026-11"}, "2026-11-08": {"2026-11-02", "2026-11"}, "2027-01-01": {"2026-12-28", "2027-01"},
	} {
		for i, by := range []usage.By{usage.Week, usage.Month} {
			r := usage.Make([]graph.UsageRow{{Day: day}}, usage.Options{By: by}, &table)
			if r.Rows[0].Key != want[i] {
				t.Errorf("%s by %s: %s, want %s", day, by, r.Rows[0].Key, want[i])
			}
		}
	}
}
