package graph_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/actiongraph/actiongraph/graph"
)

// TestUsageSpans: the spans of a filter are what it selects, without a gap, and give each
// quarter of an hour the day that the time package says it is in.
func TestUsageSpans(t *testing.T) {
	zones := []*time.Location{nil, time.UTC, time.FixedZone("west", -(9*60+30)*60), time.FixedZone("east", 14*60*60)}
	for _, name := range []string{"Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe", "America/St_Johns", "Pacific/Apia"} {
		if z, err := time.LoadLocation(name); err == nil {
			zones = append(zones, z)
		}
	}
	const quarters = 4 * 24 * 365
	first := time.Date(2009, 1, 1, 0, 0, 0, 0, time.UTC).Unix() / 900 // Apia left out a day in 2011
	rapid.Check(t, func(rt *rapid.T) {
		draw := func(name string) time.Time {
			if rapid.Bool().Draw(rt, "no "+name) {
				return time.Time{}
			}
			return time.Unix(first*900, 0).Add(time.Duration(rapid.Int64Range(0, int64(18*365*24*time.Hour)).Draw(rt, name)))
		}
		f := graph.UsageFilter{ByDay: rapid.Bool().Draw(rt, "by day"), Zone: rapid.SampledFrom(zones).Draw(rt, "zone"), Since: draw("since"), Until: draw("until")}
		begin := first + rapid.Int64Range(0, 16*quarters).Draw(rt, "first")
		end := begin + rapid.Int64Range(-2, 2*quarters).Draw(rt, "last")
		next := begin
		for next <= end && !f.Selects(next) {
			next++
		}
		for _, s := range f.Spans(begin, end) {
			if s.From != next || s.Until <= s.From {
				rt.Fatalf("span %+v, want one from %d", s, next)
			}
			for _, q := range []int64{s.From, (s.From + s.Until) / 2, s.Until - 1} {
				checkDay(rt, f, s, q)
			}
			next = s.Until
		}
		if next <= end && f.Selects(next) || next > begin && !f.Selects(next-1) && next-1 >= begin && len(f.Spans(begin, end)) > 0 {
			rt.Fatalf("the spans end at %d, asked for is up to %d", next, end)
		}
	})
}

func checkDay(t *rapid.T, f graph.UsageFilter, s graph.UsageSpan, quarter int64) {
	if !f.Selects(quarter) {
		t.Fatalf("quarter %d is in %+v and not asked for", quarter, s)
	}
	zone := time.UTC
	if f.ByDay && f.Zone != nil {
		zone = f.Zone
	}
	want := time.Unix(quarter*900, 0).In(zone).Format(time.DateOnly)
	for _, span := range []graph.UsageSpan{s, f.Span(quarter)} {
		if got := graph.UsageDay(span.Day(quarter)); got != want {
			t.Fatalf("quarter %d in %v: %s, want %s", quarter, zone, got, want)
		}
	}
}
