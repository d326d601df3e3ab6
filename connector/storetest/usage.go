package storetest

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/schema"
)

// Usage adds up model calls, one by one: the day is what the time package says of the
// call's own time.
func (m *Memory) Usage(_ context.Context, f graph.UsageFilter) ([]graph.UsageRow, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	type sums struct {
		counts graph.UsageCounts
		nanos  int64
	}
	groups := map[graph.UsageRow]*sums{}
	for id, g := range m.folds {
		if f.Session != "" && f.Session != id {
			continue
		}
		for _, n := range g.Nodes() {
			t := moment(n, "timestamp")
			if n.Label != graph.LabelAction || n.Type != graph.LLMCall || t.IsZero() || !selects(f, t) {
				continue
			}
			k := usageGroup(g, id, n, t, f)
			s := groups[k]
			if s == nil {
				s = &sums{}
				groups[k] = s
			}
			addCall(&s.counts, n)
			s.nanos += int64(math.Round(float(n, "cost_usd") * 1e9))
		}
		for _, n := range g.Nodes() { // of which no call is known
			t := moment(n, "started_at")
			used := number(n, "total_input_tokens") + number(n, "total_output_tokens") + number(n, "total_cache_read_input_tokens") +
				number(n, "total_cache_creation_input_tokens")
			if n.Label != graph.LabelAgent || !flag(n, "total_lower_bound") || used != 0 || t.IsZero() || !selects(f, t) {
				continue
			}
			k := usageGroup(g, id, n, t, f)
			if groups[k] == nil {
				groups[k] = &sums{}
			}
			groups[k].counts.LowerBounds++
		}
	}
	var out []graph.UsageRow
	for k := range maps.Keys(groups) {
		k.UsageCounts, k.CostNanos = groups[k].counts, groups[k].nanos
		out = append(out, k)
	}
	return graph.SortUsage(out), nil
}

// selects reports whether the whole quarter of an hour that t is in is asked for in part.
func selects(f graph.UsageFilter, t time.Time) bool {
	begin := t.Truncate(15 * time.Minute)
	return (f.Since.IsZero() || begin.Add(15*time.Minute).After(f.Since)) && (f.Until.IsZero() || begin.Before(f.Until))
}

func usageGroup(g *graph.Graph, id string, n *graph.Node, t time.Time, f graph.UsageFilter) graph.UsageRow {
	k := graph.UsageRow{Model: text(n, "model"), Speed: text(n, "speed"), Stated: n.Prop("cost_usd") != nil}
	switch prompt := number(n, "input_tokens") + number(n, "cache_read_input_tokens") + number(n, "cache_creation_input_tokens"); {
	case prompt > 200_000:
		k.Over = 200_000
	case prompt > 100_000:
		k.Over = 100_000
	}
	zone := f.Zone
	if zone == nil {
		zone = time.UTC
	}
	if f.ByDay {
		k.Day = t.In(zone).Format(time.DateOnly)
	}
	s := g.Node(graph.Ref{Label: graph.LabelSession, Key: id})
	if s == nil {
		s = &graph.Node{}
	}
	if f.BySession {
		k.SessionID, k.Title, k.StartedAt = id, text(s, "title"), moment(s, "started_at")
		if k.Title == "" {
			k.Title = text(s, "name")
		}
	}
	if f.BySession || f.ByProject {
		if k.Project = text(s, "repo_root"); k.Project == "" {
			k.Project = text(s, "working_directory")
		}
	}
	if lane := text(n, "agent_id"); f.ByAgent && lane != "" {
		k.Agent = "subagent"
		for _, a := range g.Nodes() {
			if a.Label == graph.LabelAgent && text(a, "agent_id") == lane && text(a, "agent_type") != "" {
				k.Agent = text(a, "agent_type")
			}
		}
	}
	return k
}

func addCall(c *graph.UsageCounts, n *graph.Node) {
	c.Calls++
	if flag(n, "lower_bound") {
		c.LowerBounds++
	}
	c.Input += number(n, "input_tokens")
	c.Output += number(n, "output_tokens")
	c.CacheRead += number(n, "cache_read_input_tokens")
	c.CacheWrite += number(n, "cache_creation_input_tokens")
	c.CacheWrite5m += number(n, "ephemeral_5m_input_tokens")
	c.CacheWrite1h += number(n, "ephemeral_1h_input_tokens")
	c.WebSearches += number(n, "web_search_requests")
}

// usageFilters ask for everything in every way; zones with odd offsets and changes.
func usageFilters(sessions []string, zones []*time.Location) (out []graph.UsageFilter) {
	out = []graph.UsageFilter{{}, {ByProject: true}, {BySession: true}, {ByAgent: true}, {Session: "nobody"},
		{ByDay: true, BySession: true, ByProject: true, ByAgent: true}, {Session: sessions[0], ByDay: true, ByAgent: true}}
	for _, z := range zones {
		out = append(out, graph.UsageFilter{ByDay: true, Zone: z},
			graph.UsageFilter{ByDay: true, ByAgent: true, Zone: z, Since: start.AddDate(0, 0, 20), Until: start.AddDate(0, 8, 3)},
			graph.UsageFilter{Zone: z, Since: start.Add(7 * time.Minute)}, graph.UsageFilter{Until: start.AddDate(0, 2, 0)})
	}
	return out
}

// testUsage puts random calls into sessions, changes, moves and deletes them, and asks
// after each step.
func testUsage(t *testing.T, p *pair) {
	if _, ok := p.store.(connector.Reader); !ok {
		return // the store does not read
	}
	zones := []*time.Location{time.UTC, time.FixedZone("odd", -(9*60+30)*60)}
	for _, name := range []string{"Europe/Berlin", "Asia/Kathmandu", "America/New_York"} {
		if z, err := time.LoadLocation(name); err == nil {
			zones = append(zones, z)
		}
	}
	seed := rapid.Custom(func(rt *rapid.T) []graph.Op { return usageOps(rt) })
	sessions := []string{"s1", "s2"}
	p.apply("s3", usageOps3()...)
	for i := range 8 {
		id := sessions[i%2]
		p.apply(id, own(id, seed.Example(i))...)
		p.compareUsage(append(sessions, "s3"), zones)
	}
	for i, id := range []string{"s1", "s2", "s2"} {
		b := p.batch(id, own(id, seed.Example(9+i))...)
		b.Reset = true
		p.applyBatches(b)
		p.compareUsage(sessions, zones)
	}
}

func (p *pair) compareUsage(sessions []string, zones []*time.Location) {
	p.t.Helper()
	r := p.store.(connector.Reader)
	for _, f := range usageFilters(sessions, zones) {
		same(p.t, fmt.Sprintf("Usage(%+v)", f), p.memory.Usage, r.Usage, f)
	}
	checker, ok := p.store.(connector.Checker)
	for i := 0; ok && i < len(sessions); i++ {
		if wrong, err := checker.Check(context.Background(), sessions[i]); err != nil || len(wrong) > 0 {
			p.t.Fatalf("check of %s: %v %v", sessions[i], wrong, err)
		}
	}
}

// usageOps puts and changes some model calls of a session, of which there are eight.
func usageOps(t *rapid.T) []graph.Op {
	draw := func(name string, to int) int { return rapid.IntRange(0, to).Draw(t, name) }
	ops := []graph.Op{
		put(agent, "", graph.Prop{Name: "agent_id", Value: "a1"}, graph.Prop{Name: "agent_type", Value: "Explore"},
			graph.Prop{Name: "started_at", Value: graph.Time(start.Add(time.Duration(draw("started", 400*24*60)) * time.Minute).UnixNano())},
			graph.Prop{Name: "total_lower_bound", Value: rapid.SampledFrom([]any{true, nil}).Draw(t, "low")},
			graph.Prop{Name: "total_output_tokens", Value: rapid.SampledFrom([]any{int64(7), nil, nil}).Draw(t, "out")}),
	}
	for range 1 + draw("calls", 40) {
		call := action(schema.NewID("llm", string(rune('a'+draw("call", 7)))))
		if draw("delete", 6) == 0 {
			ops = append(ops, delNode(call))
			continue
		}
		typ := graph.LLMCall
		if draw("other type", 9) == 0 {
			typ = graph.Context
		}
		props := usageProps(t, draw)
		if draw("one", 3) == 0 {
			props = props[1:2] // its lane alone
		}
		ops = append(ops, put(call, typ, props...))
	}
	return ops
}

func usageProps(t *rapid.T, draw func(string, int) int) (props []graph.Prop) {
	some := func(name string, value any) {
		if draw(name, 2) > 0 {
			props = append(props, graph.Prop{Name: name, Value: value})
		}
	}
	minutes := time.Duration(draw("minutes", 400*24*60)) * time.Minute
	props = append(props, graph.Prop{Name: "timestamp", Value: graph.Time(start.Add(minutes).UnixNano())},
		graph.Prop{Name: "agent_id", Value: rapid.SampledFrom([]string{"", "a1", "a2"}).Draw(t, "lane")})
	some("model", rapid.SampledFrom([]string{"claude-opus-5-5", "claude-haiku-5-5", "größer"}).Draw(t, "model"))
	some("speed", rapid.SampledFrom([]any{"fast", "standard", nil}).Draw(t, "speed"))
	some("cost_usd", rapid.SampledFrom([]any{0.1, 0.3, 1e-9, nil}).Draw(t, "cost"))
	some("lower_bound", draw("bound", 1) == 0)
	for _, name := range []string{"input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens",
		"ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens", "web_search_requests"} {
		some(name, int64(draw("tokens", 130_000)))
	}
	return props
}

// usageOps3 is a session whose sums are known: two calls of one price a side of
// midnight in Berlin, one of another.
func usageOps3() []graph.Op {
	llm := func(key string, at time.Time, props ...graph.Prop) graph.Op {
		return put(action(schema.NewID("s3", key)), graph.LLMCall, append(props, graph.Prop{Name: "timestamp", Value: graph.Time(at.UnixNano())},
			graph.Prop{Name: "model", Value: "m"}, graph.Prop{Name: "output_tokens", Value: int64(7)})...)
	}
	night := time.Date(2026, 3, 28, 22, 59, 59, 0, time.UTC)
	return slices.Concat([]graph.Op{
		put(ref(graph.LabelSession, "s3"), "", graph.Prop{Name: "title", Value: "Title"}, graph.Prop{Name: "repo_root", Value: "/repo"},
			graph.Prop{Name: "working_directory", Value: "/repo/sub"}, graph.Prop{Name: "started_at", Value: at(0)}),
		llm("a", night, graph.Prop{Name: "input_tokens", Value: int64(200_000)}),
		llm("b", night.Add(time.Second), graph.Prop{Name: "input_tokens", Value: int64(200_001)}, graph.Prop{Name: "lower_bound", Value: true}),
		llm("c", night.Add(24*time.Hour), graph.Prop{Name: "cost_usd", Value: 0.5}),
		put(action(schema.NewID("s3", "d")), graph.LLMCall, graph.Prop{Name: "input_tokens", Value: int64(1)}), // no time: nowhere
	})
}
