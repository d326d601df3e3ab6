package storetest

import (
	"cmp"
	"context"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/graph"
)

func profileFilters(sessions []string) []graph.ProfileFilter {
	t := func(s int) time.Time { return time.Date(2026, 1, 1, 0, 0, s, 1, time.UTC) }
	return []graph.ProfileFilter{
		{}, {Now: t(0).AddDate(0, 0, 9), Slowest: 2}, {Tool: "Bash", Now: t(3), Slowest: 5}, {Tool: "nonesuch"}, {Session: sessions[0], Slowest: 1},
		{Session: "nobody"}, {Since: t(2), Slowest: 3}, {Until: t(2), Tool: "Read"}, {Since: t(1), Until: t(4), Session: sessions[0], Tool: "Bash", Now: t(9)},
		{Since: year(1600)}, {Since: year(2300)}, {Until: year(1600)}, {Until: year(2300)},
	}
}

// Profile takes every call of a tool and sorts.
func (m *Memory) Profile(_ context.Context, f graph.ProfileFilter) (out []graph.ToolProfile, _ error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	calls := map[string][]graph.ActionRow{}
	for id := range m.folds {
		for _, r := range m.actionRows(id) {
			if r.ActionType == graph.ToolCall && r.ToolName != "" && (f.Tool == "" || f.Tool == r.ToolName) &&
				(f.Session == "" || f.Session == id) && during(r.Timestamp, f.Since, f.Until) {
				r.Text, r.Properties, r.Metadata = "", nil, nil
				calls[r.ToolName] = append(calls[r.ToolName], r)
			}
		}
	}
	for tool, rows := range calls {
		out = append(out, profile(tool, rows, f))
	}
	slices.SortFunc(out, func(a, b graph.ToolProfile) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.ToolName, b.ToolName))
	})
	return out, nil
}

func profile(tool string, rows []graph.ActionRow, f graph.ProfileFilter) graph.ToolProfile {
	p := graph.ToolProfile{ToolName: tool, DurationProfile: durations(rows)}
	slices.SortFunc(rows, func(a, b graph.ActionRow) int {
		return cmp.Or(a.Timestamp.Compare(b.Timestamp), cmp.Compare(a.ActionID, b.ActionID))
	})
	timed := slices.DeleteFunc(slices.Clone(rows), func(r graph.ActionRow) bool { return !hasDuration(r) })
	slices.SortStableFunc(timed, func(a, b graph.ActionRow) int { return cmp.Compare(*b.DurationMS, *a.DurationMS) })
	p.Slowest = timed[:min(len(timed), f.Slowest)]
	if len(timed) > 0 {
		for from, to := 0.0, 1.0; from <= *timed[0].DurationMS || from == 0; from, to = to, next(to) {
			b := graph.DurationBucket{FromMS: from, ToMS: to}
			for _, r := range timed {
				if (*r.DurationMS >= from || from == 0) && *r.DurationMS < to {
					b.Count++
				}
			}
			if b.Count > 0 || len(p.Histogram) > 0 {
				p.Histogram = append(p.Histogram, b)
			}
		}
	}
	if f.Now.IsZero() {
		return p
	}
	const day = 24 * time.Hour
	in := func(from, to time.Time) (some []graph.ActionRow) { // (from, to], what is later than now included
		for _, r := range rows {
			if !r.Timestamp.IsZero() && r.Timestamp.After(from) && (!r.Timestamp.After(to) || to.Equal(f.Now)) {
				some = append(some, r)
			}
		}
		return some
	}
	for end := f.Now; len(rows) > 0 && end.Year() > 2000; end = end.Add(-7 * day) {
		if some := in(end.Add(-7*day), end); len(some) > 0 {
			p.Weeks = append(p.Weeks, graph.ProfileWeek{Start: end.Add(-7 * day), DurationProfile: durations(some)})
		}
	}
	if before := in(f.Now.Add(-35*day), f.Now.Add(-7*day)); len(before) > 0 {
		d, now := durations(before), durations(in(f.Now.Add(-7*day), f.Now))
		p.Before = &d
		worse := func(a, b *float64) bool { return *a >= 1.5**b && *a-*b >= 5 }
		p.Degrading = d.Timed >= 10 && now.Timed >= 10 && (worse(now.P50MS, d.P50MS) || worse(now.P90MS, d.P90MS))
	}
	return p
}

// next is the bound after one of 1, 2, 5, 10 and so on.
func next(bound float64) float64 {
	for ten := 1.0; ; ten *= 10 {
		for _, n := range []float64{1, 2, 5} {
			if math.Round(n*ten) > bound {
				return n * ten
			}
		}
	}
}

func hasDuration(r graph.ActionRow) bool {
	return r.DurationMS != nil && *r.DurationMS >= 0 && *r.DurationMS <= 1e12
}

func durations(rows []graph.ActionRow) (p graph.DurationProfile) {
	var d []float64
	for _, r := range rows {
		p.Count++
		if r.Status == "failed" {
			p.Failed++
		}
		if hasDuration(r) {
			d = append(d, *r.DurationMS)
		}
	}
	slices.Sort(d)
	if p.Timed = int64(len(d)); len(d) > 0 {
		rank := func(part float64) *float64 { return &d[int(math.Ceil(part*float64(len(d))))-1] }
		p.P50MS, p.P90MS, p.P99MS, p.MaxMS = rank(0.5), rank(0.9), rank(0.99), rank(1)
	}
	return p
}

// testProfile: a tool that was quick for four weeks and slow in this one is degrading, one
// with too few calls is not.
func testProfile(t *testing.T, p *pair) {
	now := start.AddDate(0, 0, 35)
	var ops []graph.Op
	call := func(tool string, ago time.Duration, ms float64) {
		ops = append(ops, put(action(graph.ToolCallID("s", string(rune('a'+len(ops))))), graph.ToolCall, graph.Prop{Name: "tool_name", Value: tool},
			graph.Prop{Name: "timestamp", Value: graph.Time(now.Add(-ago).UnixNano())}, graph.Prop{Name: "duration_ms", Value: ms},
			graph.Prop{Name: "status", Value: "completed"}))
	}
	for i := range 10 {
		h := time.Duration(i) * time.Hour
		call("worse", 14*24*time.Hour+h, 100+float64(i))
		call("worse", h, 200+float64(i))
		call("same", 20*24*time.Hour+h, 100)
		call("same", h, 100)
		if i < 9 {
			call("few", h, 9000)
		}
		call("few", 8*24*time.Hour+h, 1)
	}
	p.apply("s", ops...)
	r, ok := p.store.(connector.Reader)
	if !ok {
		return // the store does not read
	}
	p.compareAnswers("s")
	f := graph.ProfileFilter{Now: now, Slowest: 1}
	same(p.t, "Profile", p.memory.Profile, r.Profile, f)
	got, err := r.Profile(context.Background(), f)
	if err != nil || len(got) != 3 {
		t.Fatal(got, err)
	}
	for _, tool := range got {
		if tool.Degrading != (tool.ToolName == "worse") || tool.Before == nil || len(tool.Weeks) != 2 || len(tool.Slowest) != 1 {
			t.Errorf("%+v", tool)
		}
	}
	if w := got[1]; w.ToolName != "worse" || *w.P50MS != 109 || *w.P90MS != 207 || *w.P99MS != 209 || *w.Slowest[0].DurationMS != 209 || *w.Before.P50MS != 104 {
		t.Errorf("%+v", w)
	}
}
