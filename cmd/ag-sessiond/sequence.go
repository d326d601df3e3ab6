package main

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/internal/render"
)

func (a *app) sequenceCmd() *cobra.Command {
	var content bool
	cmd := &cobra.Command{
		Use:   "sequence SESSION",
		Short: "List a session's actions with what follows each and what it is parent of",
		Long: `List a session's actions in order, each with the action that follows it in its
lane (FOLLOWED_BY) and those that it is parent of (PARENT_OF). The table numbers the
actions; --json has their ids, and says which messages are thinking. Of a fork what it shares
comes first, in JSON with "inherited": true.`,
		Example: `  ag-sessiond sequence latest
  ag-sessiond sequence c8813339 --content --json`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: a.oneSession,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.readSession(cmd.Context(), args[0], func(ctx context.Context, r connector.Reader, s graph.SessionRow) error {
				return a.sequence(ctx, r, s, content)
			})
		},
	}
	a.readsAt(cmd)
	cmd.Flags().BoolVar(&content, "content", false, "with each action's properties and text")
	return cmd
}

// step is one item of the first seed's get_action_sequence, under its keys.
type step struct {
	ActionID       string         `json:"action_id"`
	ActionType     string         `json:"action_type"`
	Timestamp      time.Time      `json:"timestamp"`
	Status         *string        `json:"status"`
	NextActionID   *string        `json:"next_action_id"`
	ChildActionIDs []string       `json:"child_action_ids"`
	AgentID        string         `json:"agent_id,omitempty"`
	Thinking       bool           `json:"thinking,omitempty"` // what the model thought, which is no answer
	Properties     map[string]any `json:"properties,omitzero"`
}

func (a *app) sequence(ctx context.Context, r connector.Reader, s graph.SessionRow, content bool) error {
	in, err := a.inherit(ctx, s)
	if err != nil {
		return err
	}
	defer in.Close()
	f := graph.ActionFilter{Session: s.SessionID, Content: content || !a.json}
	shared, err := in.actions(ctx, f)
	if err != nil {
		return err
	}
	own, err := r.Actions(ctx, f)
	if err != nil {
		return err
	}
	rows := append(shared, own...)
	next, children := links(rows)
	if !a.json && len(rows) == 0 {
		a.nothing("nothing is recorded of session %s but that it began", s.SessionID)
		return nil
	}
	if !a.json {
		return a.sequenceTable(s, rows, next, children, content)
	}
	steps := []step{}
	for _, row := range rows {
		st := step{
			ActionID: row.ActionID, ActionType: string(row.ActionType), Timestamp: row.Timestamp, AgentID: row.AgentID, Thinking: row.Thinking,
			Status: optional(row.Status), NextActionID: optional(next[row.ActionID]), ChildActionIDs: list(children[row.ActionID]),
		}
		if content {
			st.Properties = map[string]any{}
			for k, v := range row.Properties {
				st.Properties[k] = v
			}
			if row.Text != "" {
				st.Properties["text"] = row.Text
			}
		}
		steps = append(steps, st)
	}
	return a.printJSON(marked(steps, len(shared)))
}

// optional is nil for what is absent: the seed's null.
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// links turns what each action says of the one before and above it around.
func links(rows []graph.ActionRow) (next map[string]string, children map[string][]string) {
	next, children = map[string]string{}, map[string][]string{}
	for _, row := range rows {
		if row.FollowsID != "" {
			next[row.FollowsID] = row.ActionID
		}
		if row.ParentActionID != "" {
			children[row.ParentActionID] = append(children[row.ParentActionID], row.ActionID)
		}
	}
	return next, children
}

func (a *app) sequenceTable(s graph.SessionRow, rows []graph.ActionRow, next map[string]string, children map[string][]string, content bool) error {
	number := make(map[string]string, len(rows))
	for i, row := range rows {
		number[row.ActionID] = strconv.Itoa(i + 1)
	}
	cols := []render.Column{
		{Title: "#", Right: true}, {Title: "TIME", Drop: 2}, {Title: "TYPE", Give: 8}, {Title: "TOOL", Give: 8, Drop: 3},
		{Title: "STATUS", Paint: render.PaintStatus, Drop: 1}, {Title: "NEXT", Right: true}, {Title: "PARENT OF", Give: 4}, {Title: "WHAT", Give: 12},
	}
	var cells [][]string
	for i := range rows {
		row := &rows[i]
		var kids []string
		for _, id := range children[row.ActionID] {
			kids = append(kids, number[id])
		}
		what := render.Gist(row, s.WorkingDirectory)
		if content && row.Text != "" {
			what = row.Text
		}
		cells = append(cells, []string{
			number[row.ActionID], render.Clock(row.Timestamp), string(row.ActionType), row.ToolName, row.Status,
			number[next[row.ActionID]], strings.Join(kids, ","), what,
		})
	}
	return a.style.Table(a.out, cols, cells)
}
