package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/internal/render"
)

func (a *app) showCmd() *cobra.Command {
	var full bool
	cmd := &cobra.Command{
		Use:   "show SESSION",
		Short: "Show one session as a tree: turns, tool calls, subagents, errors",
		Example: `  ag-sessiond show latest
  ag-sessiond show c8813339 --full | less -R
  ag-sessiond show latest --json`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: a.oneSession,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.readSession(cmd.Context(), args[0], func(ctx context.Context, r connector.Reader, s graph.SessionRow) error {
				return a.show(ctx, r, s, full)
			})
		},
	}
	cmd.Flags().BoolVar(&full, "full", false, "with inputs, results and whole texts, and with what is hidden otherwise")
	return cmd
}

func (a *app) show(ctx context.Context, r connector.Reader, s graph.SessionRow, full bool) error {
	actions, err := r.Actions(ctx, graph.ActionFilter{Session: s.SessionID, Content: true})
	if err != nil {
		return err
	}
	agents, err := r.Agents(ctx, s.SessionID)
	if err != nil {
		return err
	}
	if a.json {
		return a.printJSON(struct {
			graph.SessionRow
			Agents  []graph.AgentRow  `json:"agents"`
			Actions []graph.ActionRow `json:"actions"`
		}{s, list(agents), list(actions)})
	}
	return a.style.Session(a.out, render.SessionView{Session: s, Actions: actions, Agents: agents, Full: full})
}
