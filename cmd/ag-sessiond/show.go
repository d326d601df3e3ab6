package main

import (
	"cmp"
	"context"
	"slices"

	"github.com/spf13/cobra"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/internal/render"
	"github.com/actiongraph/actiongraph/schema"
)

func (a *app) showCmd() *cobra.Command {
	var full bool
	cmd := &cobra.Command{
		Use:   "show SESSION",
		Short: "Show one session as a tree: turns, tool calls, subagents, errors",
		Long: `Show one session as a tree: turns, tool calls, subagents where they were spawned, errors.

Tokens and cost are those of "usage", subagents included, and each type's share beside the
main thread's. ≥ marks a lower bound: of some call no final figures are known, or no price,
or a subagent's file is missing. Images are named, as [image: image/png, 34.1 kB].

Of a fork what it shares with the session that it was forked from comes first, in JSON with
"inherited": true; counts, tokens and cost are its own.`,
		Example: `  ag-sessiond show latest
  ag-sessiond show c8813339 --full | less -R
  ag-sessiond show latest --at 10m
  ag-sessiond show latest --json`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: a.oneSession,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.readSession(cmd.Context(), args[0], func(ctx context.Context, r connector.Reader, s graph.SessionRow) error {
				return a.show(ctx, r, s, full)
			})
		},
	}
	a.readsAt(cmd)
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
	u, err := a.used(ctx, r, s.SessionID)
	if err != nil {
		return err
	}
	in, err := a.inherit(ctx, s)
	if err != nil {
		return err
	}
	defer in.Close()
	if a.json {
		sharedAgents, err := in.agents(ctx)
		if err != nil {
			return err
		}
		sharedActions, err := in.actions(ctx, graph.ActionFilter{Content: true})
		if err != nil {
			return err
		}
		return a.printJSON(struct {
			shown
			used
			Agents  []inheritable[graph.AgentRow]  `json:"agents"`
			Actions []inheritable[graph.ActionRow] `json:"actions"`
		}{shown{s}, asUsed(&u), marked(append(sharedAgents, agents...), len(sharedAgents)), marked(append(sharedActions, actions...), len(sharedActions))})
	}
	if full {
		if err := a.addPayloads(ctx, s.SessionID, actions); err != nil {
			a.note("what is unknown is shown without its payload: %v", err)
		}
	}
	view := render.SessionView{Session: s, Actions: actions, Agents: agents, Full: full, Usage: u}
	for _, part := range in.parts {
		shared := render.SharedView{Head: part.head()}
		if shared.Actions, shared.Agents, err = in.content(ctx, part); err != nil {
			return err
		}
		view.Shared = append(view.Shared, shared)
	}
	return a.style.Session(a.out, view)
}

// shown is a SessionRow whose tokens and cost are, in JSON, those of what it is beside.
type shown struct{ graph.SessionRow }

// addPayloads gives unknown actions the metadata of their events, which the journal
// has and the store does not: why a payload could not be read, and its text. An
// action does not name its event; to the nanosecond, the time does.
func (a *app) addPayloads(ctx context.Context, session string, actions []graph.ActionRow) error {
	unknown := map[int64]*graph.ActionRow{}
	for i := range actions {
		if actions[i].ActionType == graph.Unknown && len(actions[i].Metadata) == 0 {
			unknown[actions[i].Timestamp.UnixNano()] = &actions[i]
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	j, err := a.ownJournal()
	if err != nil {
		return err
	}
	for line, err := range j.Records(journalSession(j, session)) {
		if err = cmp.Or(err, ctx.Err()); err != nil {
			return err
		}
		e, err := schema.Decode(line)
		if err != nil || e.EventType != schema.Unknown {
			continue
		}
		if row := unknown[e.Timestamp.UnixNano()]; row != nil {
			row.Metadata = slices.Clone(e.Metadata)
		}
	}
	return ctx.Err()
}
