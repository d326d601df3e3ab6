package neo4j

import (
	"context"
	"time"

	"github.com/actiongraph/actiongraph/graph"
)

// Usage adds up model calls, sorted by what they are kept apart by.
func (s *Store) Usage(ctx context.Context, f graph.UsageFilter) (out []graph.UsageRow, err error) {
	err = s.view(ctx, "add up usage", func(v *view) error {
		out, err = v.usage(f)
		return err
	})
	return graph.SortUsage(out), err
}

func (v *view) usage(f graph.UsageFilter) (out []graph.UsageRow, err error) {
	if out, err = v.missingUsage(f); err != nil {
		return nil, err
	}
	var first, last any
	err = v.rows("usage_extent", nil, func(m row) { first, last = m["first"], m["last"] })
	from, ok := first.(int64)
	if err != nil || !ok {
		return out, err
	}
	until, _ := last.(int64)
	var spans []any
	for _, s := range f.Spans(quarter(from), quarter(until)) {
		spans = append(spans, row{"start": s.From, "stop": s.Until, "offset": s.Offset})
	}
	if len(spans) == 0 {
		return out, nil
	}
	params := row{"spans": spans, "session": sessionParam(f), "by_day": f.ByDay, "by_session": f.BySession, "by_project": f.ByProject || f.BySession,
		"by_agent": f.ByAgent, "subagent": graph.Subagent, "tiers": graph.UsageTiers()}
	err = v.rows("usage", params, func(m row) { out = append(out, usageRow(m)) })
	return out, err
}

// sessionParam is the session that is asked for; null is all.
func sessionParam(f graph.UsageFilter) any {
	if f.Session == "" {
		return nil
	}
	return encodeKey(f.Session)
}

// missingUsage makes rows of the subagents of which no call is known.
func (v *view) missingUsage(f graph.UsageFilter) (out []graph.UsageRow, err error) {
	err = v.rows("usage_missing", row{"session": sessionParam(f)}, func(m row) {
		props, _ := m["props"].(map[string]any)
		at, missing := graph.MissingUsage(decodeProps(graph.LabelAgent, props))
		if !missing || !f.Selects(at.Quarter()) {
			return
		}
		all := usageRow(m)
		r := graph.UsageRow{UsageCounts: graph.UsageCounts{LowerBounds: 1}}
		if f.BySession {
			r.SessionID, r.Title, r.StartedAt = all.SessionID, all.Title, all.StartedAt
		}
		if f.BySession || f.ByProject {
			r.Project = all.Project
		}
		if f.ByDay {
			r.Day = graph.UsageDay(f.Span(at.Quarter()).Day(at.Quarter()))
		}
		if id, _ := decoded(props, "agent_id").(string); f.ByAgent && id != "" {
			if r.Agent, _ = decoded(props, "agent_type").(string); r.Agent == "" {
				r.Agent = graph.Subagent
			}
		}
		out = append(out, r)
	})
	return out, err
}

// quarter is the quarter of an hour of a timestamp_ms.
func quarter(ms int64) int64 { return graph.Time(ms * int64(time.Millisecond)).Quarter() }

func usageRow(m row) graph.UsageRow {
	text := func(name string) string { s, _ := decoded(m, name).(string); return s }
	number := func(name string) int64 { n, _ := m[name].(int64); return n }
	r := graph.UsageRow{SessionID: decodeKey(m["session"]), Title: text("title"), Project: text("working_directory"), Agent: text("agent_type"),
		Model: text("model"), Speed: text("speed"), Over: number("over"), CostNanos: number("cost"),
		UsageCounts: graph.UsageCounts{Calls: number("calls"), LowerBounds: number("lower_bounds"), Input: number("input"),
			Output: number("output"), CacheRead: number("cache_read"), CacheWrite: number("cache_write"),
			CacheWrite5m: number("cache_write_5m"), CacheWrite1h: number("cache_write_1h"), WebSearches: number("web_searches")}}
	if r.Title == "" {
		r.Title = text("name")
	}
	if day, ok := m["day"].(int64); ok {
		r.Day = graph.UsageDay(day)
	}
	r.Stated, _ = m["stated"].(bool)
	if t, ok := decoded(m, "started_at").(graph.Time); ok {
		r.StartedAt = time.Unix(0, int64(t)).UTC()
	}
	return r
}
