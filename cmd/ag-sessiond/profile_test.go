package main

import (
	"bufio"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/internal/render"
)

// profiled answers with the profiles of calls that it is given.
type profiled struct {
	nothing
	calls []graph.TimedCall[int]
}

func (p profiled) Profile(_ context.Context, f graph.ProfileFilter) ([]graph.ToolProfile, error) {
	made := graph.NewProfiler[int](f)
	for _, c := range p.calls {
		made.Add(c)
	}
	return made.Profiles(func(names []int) (rows []graph.ActionRow, _ error) {
		for range names {
			rows = append(rows, graph.ActionRow{})
		}
		return rows, nil
	})
}

// TestProfileDegrading: what got slower says by how much, in the list and alone.
func TestProfileDegrading(t *testing.T) {
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	calls := func(tool string, thisWeek, before float64) (out []graph.TimedCall[int]) {
		for i := range 20 {
			for ago, ms := range map[time.Duration]float64{time.Hour: thisWeek, 10 * 24 * time.Hour: before} {
				ms += float64(i)
				out = append(out, graph.TimedCall[int]{Tool: tool, At: now.Add(-ago), DurationMS: &ms, Key: func() string { return "k" }})
			}
		}
		return out
	}
	slower := calls("web_search", 900, 300)
	for _, c := range []struct {
		tool, want string
		calls      []graph.TimedCall[int]
	}{
		{"", "degrading: p50 309ms → 909ms, p90 317ms → 917ms", append(calls("steady", 40, 38), slower...)},
		{"web_search", "web_search, 40 calls, 0 failed\np50 319ms  p90 915ms  p99 919ms  max 919ms\ndegrading: p50 309ms → 909ms", slower},
	} {
		tool, want, r := c.tool, c.want, profiled{calls: c.calls}
		var out strings.Builder
		a := &app{out: bufio.NewWriter(&out), err: &out, style: render.Style{UTF8: true}}
		if err := a.profile(t.Context(), r, graph.ProfileFilter{Tool: tool, Now: now}); err != nil {
			t.Fatal(err)
		}
		a.out.Flush()
		if !strings.Contains(out.String(), want) || strings.Count(out.String(), "degrading") != 1 {
			t.Errorf("%q:\n%s", tool, out.String())
		}
	}
}
