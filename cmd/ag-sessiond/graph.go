package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/errcode"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/internal/render"
)

func (a *app) graphCmd() *cobra.Command {
	var format, around string
	var depth int
	formats := []string{"json", "dot", "mermaid"}
	cmd := &cobra.Command{
		Use:   "graph SESSION",
		Short: "Print a session's subgraph as JSON, dot or Mermaid",
		Long: `Print the nodes and edges of one session. In dot and Mermaid each lane (the main
thread, each subagent) is a group, FOLLOWED_BY is solid, PARENT_OF dashed, and
HAS_ACTION, which the groups show, is left out; JSON has everything. A fork's graph has what it
shares, too, as it is in the session that it was forked from.

--around is a view: the part within --depth edges of one node, whichever way they point.
KEY is a node's key as JSON has it, the beginning of one (8 characters), or LABEL KEY. The
way does not go on through the Session, an Agent, a Tool, Tag or File, by which all of a
session is two edges away, unless it begins there.`,
		Example: `  ag-sessiond graph latest > session.json
  ag-sessiond graph latest --format dot | dot -Tsvg > session.svg
  ag-sessiond graph c8813339 --format mermaid
  ag-sessiond graph latest --around 9f4cbf92 --depth 2 --format mermaid
  ag-sessiond graph latest --around Bash`,
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
			switch flags := cmd.Flags(); {
			case flags.Changed("depth") && !flags.Changed("around"):
				return usagef("--depth is counted from a node: name it with --around")
			case flags.Changed("around") && around == "":
				return usagef("--around is empty: give the key of a node")
			case depth < 0:
				return usagef("--depth %d: %w", depth, graph.ErrDepth)
			}
			return a.readSession(cmd.Context(), args[0], func(ctx context.Context, r connector.Reader, s graph.SessionRow) error {
				return a.graph(ctx, r, s, view{format, around, depth})
			})
		},
	}
	a.readsAt(cmd)
	cmd.Flags().StringVar(&format, "format", "json", "json, dot or mermaid")
	cmd.Flags().StringVar(&around, "around", "", "only what is near the node with this `key`")
	cmd.Flags().IntVar(&depth, "depth", 1, "how many `edges` near is")
	fixedCompletion(cmd, "format", formats)
	return cmd
}

// view is what is printed of a graph.
type view struct {
	format string
	around string // "" is all
	depth  int
}

func (a *app) graph(ctx context.Context, r connector.Reader, s graph.SessionRow, v view) error {
	g, err := r.Load(ctx, s.SessionID)
	if err != nil {
		return err
	}
	in, err := a.inherit(ctx, s)
	if err != nil {
		return err
	}
	defer in.Close()
	if err := in.addTo(ctx, g); err != nil {
		return err
	}
	if v.around != "" {
		center, err := g.Find(v.around)
		if errors.Is(err, graph.ErrNotFound) {
			err = errcode.With(errcode.NotFound, fmt.Errorf("session %s has no node %q: ag-sessiond graph %s has the keys of all", s.SessionID, v.around, s.SessionID))
		}
		if err != nil {
			return err
		}
		if g, err = g.Around(center, v.depth); err != nil {
			return err
		}
	}
	switch v.format {
	case "dot":
		return render.Dot(a.out, g)
	case "mermaid":
		return render.Mermaid(a.out, g)
	}
	return a.printJSON(g)
}
