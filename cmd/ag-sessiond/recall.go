package main

import (
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/actiongraph/actiongraph/adapters/jsonl"
	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/internal/render"
)

// mostGrouped is how many failures --group-by looks at, the best or the newest.
const mostGrouped = 10_000

func (a *app) recallCmd() *cobra.Command {
	q := graph.SearchQuery{Recall: true}
	var namespace, in, since, until, kind, by string
	cmd := &cobra.Command{
		Use:   "recall [WORDS...]",
		Short: "What did a tool do before: calls by what they gave",
		Long: `Find tool calls that have any of the words in their tool's name, in what they gave, or in the
error of those that failed. The best come first (BM25); equal ones, and all where no words are
given, the newest first. Filters select exactly.

A call that is still going on is not found. Of a word that more than 5,000 calls have, the
newest 2,000 are ranked; --all ranks every one.`,
		Example: `  ag-sessiond recall "web_search weather"
  ag-sessiond recall --namespace default --task task-001
  ag-sessiond recall error timeout --failed --since 7d
  ag-sessiond recall --failed --group-by error`,
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			q.Words = strings.Join(args, " ")
			if kind != "action" {
				return usagef("--grain-type %s: only grains of the type action are recorded", kind)
			}
			if slices.Contains(q.Tags, "") {
				return usagef("--tag: a tag has at least one character")
			}
			if err := checkOneOf("--group-by", by, []string{"error"}); err != nil {
				return err
			}
			if q.Since, err = parseWhen(since, a.now(), false); err != nil {
				return err
			}
			if q.Until, err = parseWhen(until, a.now(), true); err != nil {
				return err
			}
			answer := a.search
			if by != "" {
				q.Failed = true
				answer = a.groupErrors
			}
			if cmd.Flags().Changed("namespace") {
				if cmd.Flags().Changed("session") {
					return usagef("--namespace and --session are two names of one thing: give one")
				}
				q.Session = jsonl.NamespaceSession(namespace)
			}
			if !cmd.Flags().Changed("session") {
				return a.read(cmd.Context(), func(ctx context.Context, r connector.Reader) error { return answer(ctx, r, q) })
			}
			return a.readSession(cmd.Context(), in, func(ctx context.Context, r connector.Reader, s graph.SessionRow) error {
				q.Session = s.SessionID
				return answer(ctx, r, q)
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&kind, "grain-type", "action", "the `type` of grain: action is the only one")
	namespaceFlag(flags, &namespace, "only grains of this `namespace`")
	flags.StringVar(&in, "session", "", "only in this `SESSION`")
	flags.StringVar(&q.Tool, "tool", "", "only calls of this tool: its `NAME` as it is written")
	flags.StringVar(&q.Task, "task", "", "only what was done for this parent task `ID`")
	flags.StringVar(&q.RelatedTo, "related-to", "", "only what is related to this action: the `HASH` of a grain, or an action's id")
	flags.StringArrayVar(&q.Tags, "tag", nil, "only actions with this `tag`; given again: with all of them")
	flags.BoolVar(&q.Failed, "failed", false, "only what failed")
	flags.StringVar(&by, "group-by", "", "`error`: failures by what they say, numbers aside")
	flags.StringVar(&since, "since", "", "only since this `time`: "+whenHelp)
	flags.StringVar(&until, "until", "", "only before this `time`, as --since has it; of a day: until its end")
	flags.IntVar(&q.Limit, "limit", 10, "at most this `many`; 0 is all")
	flags.BoolVar(&q.All, "all", false, "rank every hit, also of words that very many have")
	fixedCompletion(cmd, "grain-type", []string{"action"})
	fixedCompletion(cmd, "group-by", []string{"error"})
	_ = cmd.RegisterFlagCompletionFunc("session", a.completeSession)
	return cmd
}

func (a *app) groupErrors(ctx context.Context, r connector.Reader, q graph.SearchQuery) error {
	limit := q.Limit
	if limit < 0 {
		return usagef("--limit %d: give 0 for all, or a number above it", limit)
	}
	q.Limit = mostGrouped
	hits, err := r.Search(ctx, q)
	if err != nil {
		return asked(err)
	}
	if len(hits) == mostGrouped {
		a.note("there are more: these are the first %d failures that recall gives; --since leaves out old ones", mostGrouped)
	}
	groups := graph.GroupErrors(hits)
	if limit > 0 {
		groups = cut(a, groups, limit)
	}
	if a.json {
		for i := range groups {
			groups[i].Tools, groups[i].Example.Marks = list(groups[i].Tools), list(groups[i].Example.Marks)
		}
		return a.printJSON(list(groups))
	}
	if len(groups) == 0 {
		a.nothing("nothing failed that is like this")
		return nil
	}
	cols := []render.Column{{Title: "COUNT", Right: true}, {Title: "TOOLS", Give: 12}, {Title: "FIRST", Drop: 1}, {Title: "LAST"}, {Title: "ERROR", Give: 20},
		{Title: "EXAMPLE", Spare: true, Paint: render.PaintDim}}
	var cells [][]string
	for _, g := range groups {
		text := g.Error
		if text == "" {
			text = "(no error given)"
		}
		cells = append(cells, []string{render.Count(g.Count), strings.Join(g.Tools, ", "), render.Time(g.FirstAt), render.Time(g.LastAt), text,
			g.Example.Action.ActionID})
	}
	return a.style.Table(a.out, cols, cells)
}
