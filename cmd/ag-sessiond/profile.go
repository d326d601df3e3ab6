package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/internal/render"
)

func (a *app) profileCmd() *cobra.Command {
	var f graph.ProfileFilter
	var id, since string
	cmd := &cobra.Command{
		Use:   "profile [TOOL]",
		Short: "How long a tool's calls take, which are slow, and whether it gets slower",
		Long: `How long the calls of a tool took: percentiles, a histogram, week by week, and the slowest.
Without TOOL one line for each tool, the slowest (p90) first.

A tool is degrading when its median or its p90 of the last seven days is half as long again, and
5 ms more, as in the four weeks before, with ten timed calls or more on both sides.`,
		Example: `  ag-sessiond profile
  ag-sessiond profile web_search --since 30d
  ag-sessiond profile Bash --session latest --json`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if f.Since, err = parseWhen(since, a.now(), false); err != nil {
				return err
			}
			if f.Slowest < 0 {
				return usagef("--slowest %d: give 0 for none, or a number above it", f.Slowest)
			}
			f.Now = a.now().UTC().Truncate(time.Minute)
			if len(args) > 0 {
				f.Tool = args[0]
			}
			if !cmd.Flags().Changed("session") {
				return a.read(cmd.Context(), func(ctx context.Context, r connector.Reader) error { return a.profile(ctx, r, f) })
			}
			return a.readSession(cmd.Context(), id, func(ctx context.Context, r connector.Reader, s graph.SessionRow) error {
				f.Session = s.SessionID
				return a.profile(ctx, r, f)
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&id, "session", "", "of this `SESSION` only")
	flags.StringVar(&since, "since", "", "only since this `time`: "+whenHelp)
	flags.IntVar(&f.Slowest, "slowest", 5, "of TOOL, and with --json of each: list this `many` of the slowest calls")
	_ = cmd.RegisterFlagCompletionFunc("session", a.completeSession)
	return cmd
}

func (a *app) profile(ctx context.Context, r connector.Reader, f graph.ProfileFilter) error {
	if f.Tool == "" && !a.json {
		f.Slowest = 0 // not shown
	}
	tools, err := r.Profile(ctx, f)
	if err != nil {
		return err
	}
	slices.SortStableFunc(tools, func(a, b graph.ToolProfile) int { return cmp.Compare(orNone(b.P90MS), orNone(a.P90MS)) })
	if a.json {
		for i := range tools {
			t := &tools[i]
			t.Histogram, t.Weeks, t.Slowest = list(t.Histogram), list(t.Weeks), list(t.Slowest)
		}
		return a.printJSON(list(tools))
	}
	switch {
	case len(tools) == 0 && (f.Session != "" || !f.Since.IsZero()):
		of := "a tool"
		if f.Tool != "" {
			of = f.Tool
		}
		a.nothing("no call of %s is in what --since and --session select; `ag-sessiond tools` lists the tools", of)
		return nil
	case len(tools) == 0 && f.Tool != "":
		a.nothing("no call of %s is recorded; `ag-sessiond tools` lists the tools", f.Tool)
		return nil
	case len(tools) == 0:
		a.nothing("no tool was used yet")
		return nil
	case f.Tool != "":
		return a.toolProfile(tools[0])
	}
	cols := append([]render.Column{{Title: "TOOL", Give: 16}}, durationColumns()...)
	cols = append(cols, render.Column{Title: "THIS WEEK", Drop: 6, Give: 12, Paint: render.PaintWarning})
	var cells [][]string
	for _, t := range tools {
		cells = append(cells, append(append([]string{t.ToolName}, durationCells(t.DurationProfile)...), a.trend(t)))
	}
	return a.style.Table(a.out, cols, cells)
}

func durationColumns() []render.Column {
	return []render.Column{{Title: "CALLS", Right: true}, {Title: "FAILED", Right: true, Paint: render.PaintNumber}, {Title: "P50", Right: true},
		{Title: "P90", Right: true}, {Title: "P99", Right: true, Drop: 2}, {Title: "MAX", Right: true, Drop: 1}}
}

func durationCells(p graph.DurationProfile) []string {
	return []string{render.Count(p.Count), render.Count(p.Failed), render.Millis(p.P50MS), render.Millis(p.P90MS), render.Millis(p.P99MS), render.Millis(p.MaxMS)}
}

// orNone sorts what has no duration after all that have.
func orNone(ms *float64) float64 {
	if ms == nil {
		return -1
	}
	return *ms
}

// trend says how a tool that is degrading does against the four weeks before.
func (a *app) trend(t graph.ToolProfile) string {
	if !t.Degrading {
		return ""
	}
	now := t.Weeks[0]
	to := "->"
	if a.style.UTF8 {
		to = "→"
	}
	return fmt.Sprintf("degrading: p50 %s %s %s, p90 %s %s %s", render.Millis(t.Before.P50MS), to, render.Millis(now.P50MS),
		render.Millis(t.Before.P90MS), to, render.Millis(now.P90MS))
}

// toolProfile shows all of one tool.
func (a *app) toolProfile(t graph.ToolProfile) error {
	head := []string{render.OneLine(t.ToolName), render.Plural(t.Count, "call"), fmt.Sprintf("%s failed", render.Count(t.Failed))}
	if missing := t.Count - t.Timed; missing > 0 {
		head = append(head, fmt.Sprintf("%s without a duration", render.Count(missing)))
	}
	a.printf("%s\n", strings.Join(head, ", "))
	if t.Timed == 0 {
		return nil
	}
	a.printf("p50 %s  p90 %s  p99 %s  max %s\n", render.Millis(t.P50MS), render.Millis(t.P90MS), render.Millis(t.P99MS), render.Millis(t.MaxMS))
	if trend := a.trend(t); trend != "" {
		a.printf("%s\n", trend)
	}
	a.printf("\n")
	if err := a.style.Histogram(a.out, t.Histogram); err != nil {
		return err
	}
	if len(t.Weeks) > 0 {
		a.printf("\n")
		var cells [][]string
		for _, w := range t.Weeks {
			cells = append(cells, append([]string{render.Minute(w.Start)}, durationCells(w.DurationProfile)...))
		}
		if err := a.style.Table(a.out, append([]render.Column{{Title: "SEVEN DAYS FROM"}}, durationColumns()...), cells); err != nil {
			return err
		}
	}
	if len(t.Slowest) == 0 {
		return nil
	}
	a.printf("\n")
	var cells [][]string
	for _, s := range t.Slowest {
		cells = append(cells, []string{render.Millis(s.DurationMS), render.Time(s.Timestamp), s.SessionID, s.Status, cmp.Or(s.Name, s.ToolName), s.ActionID})
	}
	return a.style.Table(a.out, []render.Column{{Title: "SLOWEST", Right: true}, {Title: "WHEN"}, {Title: "SESSION", Give: 8, Drop: 2}, {Title: "STATUS", Drop: 1},
		{Title: "CALL", Give: 16}, {Title: "ACTION", Spare: true, Paint: render.PaintDim}}, cells)
}
