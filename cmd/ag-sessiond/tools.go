package main

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/internal/render"
)

func (a *app) toolsCmd() *cobra.Command {
	var id string
	cmd := &cobra.Command{
		Use:   "tools",
		Short: "Which tools were used how often, how long they took, what failed",
		Example: `  ag-sessiond tools
  ag-sessiond tools --session latest --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !cmd.Flags().Changed("session") {
				return a.read(cmd.Context(), func(ctx context.Context, r connector.Reader) error {
					return a.tools(ctx, r, graph.SessionRow{})
				})
			}
			return a.readSession(cmd.Context(), id, a.tools)
		},
	}
	cmd.Flags().StringVar(&id, "session", "", "of this `SESSION` only")
	_ = cmd.RegisterFlagCompletionFunc("session", a.completeSession)
	return cmd
}

func (a *app) tools(ctx context.Context, r connector.Reader, s graph.SessionRow) error {
	rows, err := r.Tools(ctx, s.SessionID)
	if err != nil {
		return err
	}
	if a.json {
		return a.printJSON(list(rows))
	}
	if len(rows) == 0 {
		a.nothing("no tool was used yet")
		return nil
	}
	return a.toolTable(rows)
}

func (a *app) toolTable(rows []graph.ToolStats) error {
	cols := []render.Column{
		{Title: "TOOL", Give: 16}, {Title: "CALLS", Right: true}, {Title: "FAILED", Right: true, Paint: render.PaintNumber},
		{Title: "DENIED", Right: true, Drop: 5}, {Title: "AVG", Right: true, Drop: 1}, {Title: "P50", Right: true, Drop: 4},
		{Title: "P95", Right: true, Drop: 3}, {Title: "MAX", Right: true, Drop: 2},
	}
	var cells [][]string
	for _, t := range rows {
		cells = append(cells, []string{
			t.ToolName, render.Count(t.UsageCount), render.Count(t.ErrorCount), render.Count(t.DeniedCount),
			render.Millis(t.AvgDurationMS), render.Millis(t.P50DurationMS), render.Millis(t.P95DurationMS), render.Millis(t.MaxDurationMS),
		})
	}
	return a.style.Table(a.out, cols, cells)
}

// byCount returns the keys of m, the greatest count first.
func byCount(m map[string]int64) []string {
	return slices.SortedFunc(maps.Keys(m), func(a, b string) int {
		return cmp.Or(cmp.Compare(m[b], m[a]), cmp.Compare(a, b))
	})
}
