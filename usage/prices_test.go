package usage_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/usage"
)

func list(t *testing.T) usage.Table {
	t.Helper()
	table, err := usage.ListPrices()
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// million is a million tokens of each kind: what they cost is the sum of the prices.
func million(model string) graph.UsageRow {
	return graph.UsageRow{Model: model, UsageCounts: graph.UsageCounts{Calls: 1, Input: 1e6, Output: 1e6, CacheRead: 1e6,
		CacheWrite: 2e6, CacheWrite5m: 1e6, CacheWrite1h: 1e6}}
}

// TestListPrices holds the table against sums that were added up by hand from the page
// that it names.
func TestListPrices(t *testing.T) {
	table := list(t)
	for model, want := range map[string]float64{
		"claude-fable-5-2":                                8 + 40 + .2 + 10 + 16,
		"claude-fable-5-1":                                10 + 50 + .25 + 12.5 + 20,
		"claude-opus-5-5":                                 4 + 20 + .2 + 5 + 8,
		"claude-opus-5":                                   5 + 25 + .5 + 6.25 + 10,
		"claude-opus-4-5-20251101":                        5 + 25 + .5 + 6.25 + 10,
		"us.anthropic.claude-opus-4-1-20250805-v1:0":      15 + 75 + 1.5 + 18.75 + 30,
		"claude-opus-4-20250514":                          15 + 75 + 1.5 + 18.75 + 30,
		"claude-sonnet-5-5[1m]":                           2 + 10 + .1 + 2.5 + 4,
		"anthropic/claude-sonnet-4.5":                     3 + 15 + .3 + 3.75 + 6,
		"claude-sonnet-4@20250514":                        3 + 15 + .3 + 3.75 + 6,
		"claude-3-7-sonnet-latest":                        3 + 15 + .3 + 3.75 + 6,
		"claude-haiku-5-5":                                .1 + .5 + .01 + .125 + .2,
		"global.anthropic.claude-haiku-4-5-20251001-v1:0": 1 + 5 + .1 + 1.25 + 2,
		"claude-3-haiku-20240307":                         .25 + 1.25 + .03 + .3 + .5,
	} {
		if got, ok := table.Cost(million(model)); !ok || math.Abs(got/1e9-want) > 1e-9 {
			t.Errorf("%s: %v, %v, want %v", model, got/1e9, ok, want)
		}
	}
	for _, model := range []string{"", "gpt-6", "claude", "claude-opus", "claude-opus-6", "claude-opus-5-6", "opus-5", "claude-opus-5-5-mini"} {
		if got, ok := table.Cost(million(model)); ok || got != 0 {
			t.Errorf("%q costs %v: a model that is not in the table has no cost", model, got)
		}
	}
	if _, err := time.Parse(time.DateOnly, table.AsOf); err != nil || !strings.HasPrefix(table.Source, "https://") {
		t.Errorf("prices as of %q from %q", table.AsOf, table.Source)
	}
}

func TestCost(t *testing.T) {
	table := list(t)
	for name, tc := range map[string]struct {
		change func(*graph.UsageRow)
		want   float64 // dollars; negative is not known
	}{
		"fast":                      {func(r *graph.UsageRow) { r.Speed = "fast" }, 2 * 37.2},
		"standard":                  {func(r *graph.UsageRow) { r.Speed = "standard" }, 37.2},
		"fast, not stated":          {func(r *graph.UsageRow) { r.Speed, r.Model = "fast", "claude-sonnet-5" }, -1},
		"long, one price":           {func(r *graph.UsageRow) { r.Over = 200_000 }, 37.2},
		"long":                      {func(r *graph.UsageRow) { r.Over, r.Model = 200_000, "claude-sonnet-4-5" }, 6 + 22.5 + .6 + 7.5 + 12},
		"not long enough":           {func(r *graph.UsageRow) { r.Over, r.Model = 100_000, "claude-sonnet-4-5" }, 28.05},
		"longer than haiku's":       {func(r *graph.UsageRow) { r.Over, r.Model = 200_000, "claude-haiku-5-5" }, .5 + 2.5 + .05 + .625 + 1},
		"cache writes not split":    {func(r *graph.UsageRow) { r.CacheWrite5m, r.CacheWrite1h = 0, 0 }, 4 + 20 + .2 + 10},
		"cache writes split partly": {func(r *graph.UsageRow) { r.CacheWrite5m = 0 }, 37.2},
		"web searches":              {func(r *graph.UsageRow) { r.WebSearches = 100 }, 38.2},
		"stated":                    {func(r *graph.UsageRow) { r.Stated, r.CostNanos, r.Model = true, 5, "unheard of" }, 5e-9},
		"nothing used":              {func(r *graph.UsageRow) { r.UsageCounts = graph.UsageCounts{Calls: 1} }, 0},
		"nothing used, no price":    {func(r *graph.UsageRow) { r.UsageCounts, r.Model = graph.UsageCounts{Calls: 1}, "unheard of" }, -1},
	} {
		r := million("claude-opus-5-5")
		tc.change(&r)
		got, ok := table.Cost(r)
		if ok != (tc.want >= 0) || ok && math.Abs(got/1e9-tc.want) > 1e-9 {
			t.Errorf("%s: %v, %v, want %v", name, got/1e9, ok, tc.want)
		}
	}
}

// TestCostIsNeverNegative: no price that Check takes makes a cost overflow.
func TestCostIsNeverNegative(t *testing.T) {
	p := usage.Price{Models: []string{"*"}, Fast: 999_999, Rates: usage.Rates{Input: 999_999, Output: 999_999, CacheRead: 999_999, CacheWrite5m: 999_999, CacheWrite1h: 999_999}}
	if err := p.Check(); err != nil {
		t.Fatal(err)
	}
	table := usage.Table{Prices: []usage.Price{p}}
	last := 0.0
	for n := int64(1); n > 0; n *= 2 {
		got, ok := table.Cost(graph.UsageRow{Speed: "fast", UsageCounts: graph.UsageCounts{Calls: 1, Input: n, Output: n, CacheRead: n, CacheWrite: n}})
		if !ok || got <= last || got < float64(n) {
			t.Fatalf("%d tokens of each kind cost %v, %v; half of them %v", n, got, ok, last)
		}
		last = got
	}
}

// TestNames: the first name that fits counts, and asterisks stand for any text.
func TestNames(t *testing.T) {
	price := func(dollars float64, names ...string) usage.Price {
		return usage.Price{Models: names, Rates: usage.Rates{Input: dollars}}
	}
	table := usage.Table{Prices: []usage.Price{price(1, "a*c"), price(2, "*x*y*"), price(3, "us.anthropic.claude-opus-4-5-20251101-v1:0"),
		price(4, "claude-opus-4-5"), price(5, "a"), price(6, "*")}}
	for model, want := range map[string]float64{
		"ac": 1, "abc": 1, "acc": 1, "ab": 6, "xy": 2, "1x2y3": 2, "yx": 6, "a": 5, "": 6,
		"us.anthropic.claude-opus-4-5-20251101-v1:0": 3, "claude-opus-4-5": 4, "eu.anthropic.claude-opus-4-5-20251101-v1:0": 4,
	} {
		if got, _ := table.Cost(graph.UsageRow{Model: model, UsageCounts: graph.UsageCounts{Input: 1e6}}); got != want*1e9 {
			t.Errorf("%q: %v, want %v", model, got/1e9, want)
		}
	}
}

func TestShortName(t *testing.T) {
	for model, want := range map[string]string{
		"claude-opus-4-5": "claude-opus-4-5", "claude-opus-4-5-20251101": "claude-opus-4-5", "Claude-Opus-4.5": "claude-opus-4-5",
		"vertex_ai/claude-opus-4-5@20251101": "claude-opus-4-5", "my-model-v2": "my-model", "gpt-6.1-sol": "gpt-6.1-sol",
		"<synthetic>": "<synthetic>", "": "", "-20251101": "-20251101", "not-claude": "not-claude",
	} {
		if got := usage.ShortName(model); got != want {
			t.Errorf("%q: %q, want %q", model, got, want)
		}
	}
}

func FuzzNames(f *testing.F) {
	f.Add("claude-*-4-5", "claude-opus-4-5-20251101")
	f.Add("*", "us.anthropic.claude-3-opus-20240229-v1:0[1m]@")
	f.Fuzz(func(t *testing.T, name, model string) {
		table := usage.Table{Prices: []usage.Price{{Models: []string{name}, Rates: usage.Rates{Input: 1}}}}
		_, ok := table.Cost(graph.UsageRow{Model: model, UsageCounts: graph.UsageCounts{Input: 1}})
		if name == model && !strings.Contains(name, "*") && !ok {
			t.Errorf("%q does not fit itself", name)
		}
		if short := usage.ShortName(model); usage.ShortName(short) != short && strings.HasPrefix(short, "claude") && strings.Count(model, "-") < 3 {
			t.Logf("%q becomes shorter again", short)
		}
	})
}

func TestCheck(t *testing.T) {
	rates := usage.Rates{Input: 1, Output: 1}
	for want, p := range map[string]usage.Price{
		"no model is named":     {Rates: rates},
		"price -1":              {Models: []string{"x"}, Rates: usage.Rates{Input: -1}},
		"price NaN":             {Models: []string{"x"}, Rates: rates, Fast: math.NaN()},
		"over.tokens 150000":    {Models: []string{"x"}, Rates: rates, Over: &usage.Long{Tokens: 150_000}},
		"dollars per million t": {Models: []string{"x"}, Rates: rates, Over: &usage.Long{Tokens: 200_000, Rates: usage.Rates{Output: 1e6}}},
	} {
		if err := p.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
