package graph

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"
)

// UsageQuarter is the grain of time of a usage report: every time zone's day begins and
// ends with one, so that one count of the calls serves all zones.
const UsageQuarter = 15 * time.Minute

// Subagent is what UsageRow.Agent says of a subagent whose type is not known.
const Subagent = "subagent"

// UsageFilter selects model calls, and says what their sums are kept apart by; zero
// fields select all calls and add all of them up.
type UsageFilter struct {
	Session string // its id
	// Since and Until bound the calls' time, in whole quarters of an hour: the one that
	// Since is in is counted, as is the one that Until is in unless it begins with it.
	Since, Until time.Time
	Zone         *time.Location // of the days; nil is UTC
	ByDay        bool
	BySession    bool
	ByProject    bool
	ByAgent      bool
}

// UsageRow adds up calls of one model whose tokens have one price.
type UsageRow struct {
	Day       string    // 2026-11-20, with ByDay
	SessionID string    // with BySession, as are the next two
	Title     string    // else the session's caption
	StartedAt time.Time // of the session
	Project   string    // with ByProject or BySession: the repository, else the working directory
	Agent     string    // with ByAgent: the subagent's type; "" is the main thread

	Model string // "" is not known
	Speed string // as the vendor's API says it: "fast", "standard" or ""
	Over  int64  // the prompts are longer than this: one of UsageTiers, or 0
	// Stated calls came with their cost, CostNanos; the others' has to be computed.
	Stated    bool
	CostNanos int64 // billionths of a dollar

	UsageCounts
}

// UsageCounts are sums over calls. CacheWrite includes the two that follow it.
type UsageCounts struct {
	Calls        int64
	LowerBounds  int64 // calls whose figures may be short of the truth, and subagents without calls
	Input        int64
	Output       int64
	CacheRead    int64
	CacheWrite   int64
	CacheWrite5m int64
	CacheWrite1h int64
	WebSearches  int64
}

// UsageTiers are the lengths of a prompt, in tokens, beyond which a vendor may ask more,
// the longest first. Prices name one of them.
func UsageTiers() []int64 { return []int64{200_000, 100_000} }

// UsageSpan is a stretch of time in which the filter's zone has one offset.
type UsageSpan struct {
	From, Until int64 // quarters of an hour since 1970, UTC; Until is not in it
	Offset      int64 // seconds east of UTC
}

// Spans divides what the filter selects of the calls between two quarters, both counted.
// Without ByDay it is one span.
func (f UsageFilter) Spans(first, last int64) (out []UsageSpan) {
	if !f.Since.IsZero() {
		first = max(first, quarterOf(f.Since))
	}
	if !f.Until.IsZero() {
		last = min(last, quarterOf(f.Until.Add(-1)))
	}
	for first <= last {
		span := f.Span(first)
		span.From, span.Until = first, min(span.Until, last+1)
		first = span.Until
		out = append(out, span)
	}
	return out
}

// Span is the stretch that a quarter is in: the day of a call in it is
// (quarter × 900 + Offset) / 86400 days after 1970. Without ByDay it is all of time.
func (f UsageFilter) Span(quarter int64) UsageSpan {
	s := UsageSpan{From: math.MinInt64, Until: math.MaxInt64}
	if f.ByDay && f.Zone != nil {
		at := time.Unix(quarter*secondsOfQuarter, 0).In(f.Zone)
		_, offset := at.Zone()
		s.Offset = int64(offset)
		begin, end := at.ZoneBounds()
		if !begin.IsZero() {
			s.From = min(quarter, quarterOf(begin))
		}
		if !end.IsZero() {
			s.Until = max(quarter+1, quarterOf(end))
		}
	}
	return s
}

// Selects reports whether calls of a quarter are asked for.
func (f UsageFilter) Selects(quarter int64) bool {
	return (f.Since.IsZero() || quarter >= quarterOf(f.Since)) && (f.Until.IsZero() || quarter <= quarterOf(f.Until.Add(-1)))
}

const secondsOfQuarter = int64(UsageQuarter / time.Second)

// quarterOf is the quarter of an hour that t is in.
func quarterOf(t time.Time) int64 {
	return floorDiv(t.Unix(), secondsOfQuarter)
}

func floorDiv(a, b int64) int64 {
	if a < 0 {
		a -= b - 1
	}
	return a / b
}

// Day is the day of a quarter of the span, in days after 1970.
func (s UsageSpan) Day(quarter int64) int64 {
	return floorDiv(quarter*secondsOfQuarter+s.Offset, 24*60*60)
}

// UsageDay is the day of a number of days after 1970.
func UsageDay(days int64) string {
	return time.Unix(days*24*60*60, 0).UTC().Format(time.DateOnly)
}

// Quarter is the quarter of an hour since 1970 that a time is in.
func (t Time) Quarter() int64 { return quarterOf(time.Unix(0, int64(t))) }

// UsageOf returns what one LLMCall adds to its row: the fields that its own properties
// give. A call without a timestamp is in none.
func UsageOf(props []Prop) (r UsageRow, quarter int64, ok bool) {
	r.Calls = 1
	for _, p := range props {
		switch p.Name {
		case "timestamp":
			var t Time
			t, ok = p.Value.(Time)
			quarter = t.Quarter()
		case "model":
			r.Model = asText(p.Value)
		case "speed":
			r.Speed = asText(p.Value)
		case "input_tokens":
			r.Input = asInt(p.Value)
		case "output_tokens":
			r.Output = asInt(p.Value)
		case "cache_read_input_tokens":
			r.CacheRead = asInt(p.Value)
		case "cache_creation_input_tokens":
			r.CacheWrite = asInt(p.Value)
		case "ephemeral_5m_input_tokens":
			r.CacheWrite5m = asInt(p.Value)
		case "ephemeral_1h_input_tokens":
			r.CacheWrite1h = asInt(p.Value)
		case "web_search_requests":
			r.WebSearches = asInt(p.Value)
		case "lower_bound":
			if asBool(p.Value) {
				r.LowerBounds = 1
			}
		case "cost_usd":
			if cost, is := p.Value.(float64); is {
				r.Stated, r.CostNanos = true, int64(math.Round(cost*1e9))
			}
		}
	}
	for _, n := range UsageTiers() {
		if r.Input+r.CacheRead+r.CacheWrite > n {
			r.Over = n
			break
		}
	}
	return r, quarter, ok
}

// MissingUsage reports whether a subagent with these properties ran and no call of it is
// known: its file is missing. Reports count it as a LowerBound without calls, tokens and
// model, when it started. at is its start; one without is in none.
func MissingUsage(props []Prop) (at Time, missing bool) {
	started, low, used := false, false, false
	for _, p := range props {
		switch p.Name {
		case "started_at":
			at, started = p.Value.(Time)
		case "total_lower_bound":
			low = asBool(p.Value)
		case "total_input_tokens", "total_output_tokens", "total_cache_read_input_tokens", "total_cache_creation_input_tokens":
			used = used || asInt(p.Value) != 0
		}
	}
	return at, started && low && !used
}

// IsUsage reports a property that UsageOf looks at.
func IsUsage(name string) bool {
	switch name {
	case "timestamp", "model", "speed", "input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens",
		"ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens", "web_search_requests", "lower_bound", "cost_usd":
		return true
	}
	return false
}

// Add adds other's counts.
func (c *UsageCounts) Add(other UsageCounts) { c.add(other, 1) }

// Sub takes other's counts away.
func (c *UsageCounts) Sub(other UsageCounts) { c.add(other, -1) }

func (c *UsageCounts) add(o UsageCounts, sign int64) {
	c.Calls += sign * o.Calls
	c.LowerBounds += sign * o.LowerBounds
	c.Input += sign * o.Input
	c.Output += sign * o.Output
	c.CacheRead += sign * o.CacheRead
	c.CacheWrite += sign * o.CacheWrite
	c.CacheWrite5m += sign * o.CacheWrite5m
	c.CacheWrite1h += sign * o.CacheWrite1h
	c.WebSearches += sign * o.WebSearches
}

// SortUsage adds up rows that are alike but for their sums, as those of two spans of
// one day, and sorts the rest by what they are kept apart by.
func SortUsage(rows []UsageRow) []UsageRow {
	order := make([]*UsageRow, len(rows)) // a row is 30 words
	for i := range rows {
		order[i] = &rows[i]
	}
	slices.SortFunc(order, compareUsage)
	out := make([]UsageRow, 0, len(rows))
	for _, r := range order {
		if n := len(out); n > 0 && compareUsage(&out[n-1], r) == 0 {
			out[n-1].UsageCounts.Add(r.UsageCounts)
			out[n-1].CostNanos += r.CostNanos
			continue
		}
		out = append(out, *r)
	}
	return out
}

// compareUsage compares one by one: of a report by session there are many rows, and most
// differ in the first.
func compareUsage(a, b *UsageRow) int {
	for _, pair := range [...][2]*string{{&a.Day, &b.Day}, {&a.SessionID, &b.SessionID}, {&a.Project, &b.Project},
		{&a.Agent, &b.Agent}, {&a.Model, &b.Model}, {&a.Speed, &b.Speed}} {
		if *pair[0] != *pair[1] {
			return strings.Compare(*pair[0], *pair[1])
		}
	}
	if a.Over != b.Over || a.Stated == b.Stated {
		return cmp.Compare(a.Over, b.Over)
	}
	if a.Stated {
		return 1
	}
	return -1
}
