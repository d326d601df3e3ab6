package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/internal/render"
)

func (a *app) graphCmd() *cobra.Command {
	var format string
	formats := []string{"json", "dot", "mermaid"}
	cmd := &cobra.Command{
		Use:   "graph SESSION",
		Short: "Print a session's subgraph as JSON, dot or Mermaid",
		Long: `Print the nodes and edges of one session. In dot and Mermaid each lane (the main
thread, each subagent) is a group, FOLLOWED_BY is solid, PARENT_OF dashed, and
HAS_ACTION, which the groups show, is left out; JSON has everything.`,
		Example: `  ag-sessiond graph latest > session.json
  ag-sessiond graph latest --format dot | dot -Tsvg > session.svg
  ag-sessiond graph c8813339 --format mermaid`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: a.oneSession,
		RunE: func(cmd *cobra.Command, args []string) error {
			if a.json && !cmd.Flags().Changed("format") {
				format = "json"
			}
			if err := checkOneOf("--format", format, formats); err != nil {
				return err
			}
			if a.json && format != "json" {
				return usagef("--json and --format %s: give one of them", format)
			}
			return a.readSession(cmd.Context(), args[0], func(ctx context.Context, r connector.Reader, s graph.SessionRow) error {
				return a.graph(ctx, r, s, format)
			})
		},
	}
	a.readsAt(cmd)
	cmd.Flags().StringVar(&format, "format", "json", "json, dot or mermaid")
	fixedCompletion(cmd, "format", formats)
	return cmd
}

func (a *app) graph(ctx context.Context, r connector.Reader, s graph.SessionRow, format string) error {
	g, err := r.Load(ctx, s.SessionID)
	if err != nil {
		return err
	}
	switch format {
	case "dot":
		return render.Dot(a.out, g)
	case "mermaid":
		return render.Mermaid(a.out, g)
	}
	return a.printJSON(g)
}
