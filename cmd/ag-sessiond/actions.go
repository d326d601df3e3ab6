package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/internal/render"
	"github.com/actiongraph/actiongraph/schema"
)

func (a *app) actionsCmd() *cobra.Command {
	var f graph.ActionFilter
	var kind, agent string
	cmd := &cobra.Command{
		Use:   "actions SESSION",
		Short: "List a session's actions, in order",
		Long: `List a session's actions, in order. Of a fork those that it shares with the session that it
was forked from come first, in JSON with "inherited": true.`,
		Example: `  ag-sessiond actions latest --type tool_call --status failed
  ag-sessiond actions c8813339 --tool Bash --json
  ag-sessiond actions latest --agent main`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: a.oneSession,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkOneOf("--type", kind, actionTypes()); err != nil {
				return err
			}
			if err := checkOneOf("--status", f.Status, actionStatuses()); err != nil {
				return err
			}
			f.Type = graph.ActionType(kind)
			if cmd.Flags().Changed("agent") {
				if agent == "main" {
					agent = "" // the lane of the main thread
				}
				f.Agent = &agent
			}
			return a.readSession(cmd.Context(), args[0], func(ctx context.Context, r connector.Reader, s graph.SessionRow) error {
				return a.actions(ctx, r, s, f)
			})
		},
	}
	a.readsAt(cmd)
	flags := cmd.Flags()
	flags.StringVar(&kind, "type", "", "only actions of this `type`: tool_call, tool_result, user_message, …")
	flags.StringVar(&f.Tool, "tool", "", "only calls and results of this tool")
	flags.StringVar(&f.Status, "status", "", strings.Join(actionStatuses(), ", "))
	flags.StringVar(&agent, "agent", "", "only this subagent's (an agent `id`), or main for the main thread's")
	flags.IntVar(&f.Limit, "limit", 1000, "at most this `many`; 0 is all")
	flags.BoolVar(&f.Content, "content", false, "with texts and all properties (JSON)")
	fixedCompletion(cmd, "type", actionTypes())
	fixedCompletion(cmd, "status", actionStatuses())
	return cmd
}

func actionTypes() (out []string) {
	for _, t := range graph.ActionTypes() {
		out = append(out, string(t))
	}
	return out
}

func actionStatuses() []string {
	return []string{
		schema.StatusCompleted, schema.StatusFailed, schema.StatusDenied, schema.StatusBlocked,
		schema.StatusInterrupted, schema.StatusInProgress, schema.StatusPending, schema.StatusUnknown,
	}
}

func (a *app) actions(ctx context.Context, r connector.Reader, s graph.SessionRow, f graph.ActionFilter) error {
	f.Session = s.SessionID
	f.Content = f.Content || !a.json // a table says what each action is about
	limit, err := more(&f.Limit)
	if err != nil {
		return err
	}
	in, err := a.inherit(ctx, s)
	if err != nil {
		return err
	}
	defer in.Close()
	shared, err := in.actions(ctx, f)
	if err != nil {
		return err
	}
	own, err := r.Actions(ctx, f)
	if err != nil {
		return err
	}
	rows := cut(a, append(shared, own...), limit)
	if a.json {
		return a.printJSON(marked(rows, len(shared)))
	}
	if len(rows) == 0 && s.ActionCount == 0 {
		a.nothing("nothing is recorded of session %s but that it began", s.SessionID)
		return nil
	}
	if len(rows) == 0 {
		a.nothing("no action of session %s matches; ag-sessiond actions %s lists all", s.SessionID, s.SessionID)
		return nil
	}
	cols := []render.Column{
		{Title: "TIME", Drop: 3}, {Title: "TYPE", Give: 10}, {Title: "TOOL", Give: 8, Drop: 9}, {Title: "STATUS", Paint: render.PaintStatus, Drop: 4},
		{Title: "TOOK", Right: true, Drop: 2}, {Title: "AGENT", Give: 6, Paint: render.PaintDim, Drop: 1}, {Title: "OF", Paint: render.PaintDim, Drop: 5}, {Title: "WHAT", Give: 16},
	}
	var cells [][]string
	parents := in.names(s)
	for i := range rows {
		row := &rows[i]
		cells = append(cells, []string{
			render.Time(row.Timestamp), string(row.ActionType), row.ToolName, row.Status, render.Took(row),
			row.AgentID, parents[row.SessionID], render.Gist(row, s.WorkingDirectory),
		})
	}
	return a.style.Table(a.out, cols, cells)
}
