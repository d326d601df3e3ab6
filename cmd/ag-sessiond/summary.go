package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/internal/render"
)

func (a *app) summaryCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "summary [SESSION]",
		Short: "Count what a session did, or all sessions",
		Long: `Count what a session did, or all sessions: actions, statuses of tool calls, subagents,
errors, tools; tokens and cost as "usage" has them, of one session by agent too.`,
		Example: `  ag-sessiond summary
  ag-sessiond summary latest --json`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: a.oneSession,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return a.read(cmd.Context(), func(ctx context.Context, r connector.Reader) error {
					return a.summary(ctx, r, graph.SessionRow{})
				})
			}
			return a.readSession(cmd.Context(), args[0], a.summary)
		},
	}
	a.readsAt(cmd)
	return cmd
}

// plainSummary is a Summary whose tokens and cost are, in JSON, those of what it is beside.
type plainSummary struct{ graph.Summary }

// seedSummary is a Summary with what the first seed's get_session_summary has
// beside it.
type seedSummary struct {
	plainSummary
	used
	Model             string `json:"model,omitempty"`
	UserMessages      int64  `json:"user_message_count"`
	AssistantMessages int64  `json:"assistant_message_count"`
	// Inherited is what a fork shares, which the counts are without.
	Inherited []inheritedSummary `json:"inherited,omitempty"`
}

func (a *app) summary(ctx context.Context, r connector.Reader, s graph.SessionRow) error {
	sum, err := r.Summary(ctx, s.SessionID)
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
		sum.Tools = list(sum.Tools)
		if sum.ActionTypes == nil {
			sum.ActionTypes = map[string]int64{}
		}
		if sum.ToolCallStatuses == nil {
			sum.ToolCallStatuses = map[string]int64{}
		}
		return a.printJSON(seedSummary{
			plainSummary: plainSummary{sum}, used: asUsed(&u), Model: s.Model,
			UserMessages:      sum.ActionTypes[string(graph.UserMessage)],
			AssistantMessages: sum.ActionTypes[string(graph.AssistantMessage)],
			Inherited:         in.summary(),
		})
	}
	a.summaryHead(sum, s)
	for _, part := range in.parts {
		a.printf("%-12s%s\n", "inherited", a.style.Wrap(12, []string{render.Plural(part.ActionCount, "action"), render.Plural(part.ToolCallCount, "tool call"), part.head()}))
	}
	a.counts("actions", sum.ActionCount, sum.ActionTypes)
	a.counts("tool calls", sum.ToolCallCount, sum.ToolCallStatuses)
	a.printf("%-12s%s\n", "subagents", render.Count(sum.AgentCount))
	a.printf("%-12s%s\n", "errors", render.Count(sum.ErrorCount))
	if tokens := a.style.Tokens(&u); len(tokens) > 0 {
		a.printf("%-12s%s\n", "tokens", a.style.Wrap(12, tokens))
	}
	if cost := a.style.Cost(&u); len(cost) > 0 {
		a.printf("%-12s%s\n", "cost", a.style.Wrap(12, cost))
	}
	if by := a.style.ByAgent(&u); len(by) > 0 {
		a.printf("%-12s%s\n", "by agent", a.style.Wrap(12, by))
	}
	if len(sum.Tools) == 0 {
		return nil
	}
	a.printf("\n")
	return a.toolTable(sum.Tools)
}

func (a *app) summaryHead(sum graph.Summary, s graph.SessionRow) {
	if sum.SessionID == "" {
		a.printf("%-12s%s\n", "sessions", render.Count(sum.SessionCount))
		return
	}
	if t := title(s); t != "" {
		a.printf("%s\n", a.style.Truncate(t, a.style.Width))
	}
	a.printf("%-12s%s\n", "session", render.OneLine(sum.SessionID))
	if s.ForkedFrom != "" {
		a.printf("%-12s%s\n", "fork of", render.OneLine(s.ForkedFrom))
	}
	a.printf("%-12s%s\n", "status", a.style.Status(sum.Status))
	if !sum.StartedAt.IsZero() {
		started := []string{render.Time(sum.StartedAt)}
		if took := render.Millis(sum.DurationMS); took != "" {
			started = append(started, "took "+took)
		}
		a.printf("%-12s%s\n", "started", a.style.Wrap(12, started))
	}
}

// counts prints a number and what it is made of, the most first.
func (a *app) counts(name string, n int64, by map[string]int64) {
	total := render.Count(n)
	var parts []string
	for _, k := range byCount(by) {
		parts = append(parts, render.Count(by[k])+" "+strings.ReplaceAll(render.OneLine(k), "_", " "))
	}
	if len(parts) > 0 {
		parts[0] = total + ": " + parts[0]
		total = a.style.Wrap(12, parts)
	}
	a.printf("%-12s%s\n", name, total)
}
