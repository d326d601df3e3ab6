package main

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/internal/render"
)

func (a *app) searchCmd() *cobra.Command {
	var q graph.SearchQuery
	var kind, in, since, until string
	cmd := &cobra.Command{
		Use:   "search WORDS...",
		Short: "Search everything that was said, called and answered",
		Long: `Search tool names, inputs, results, errors, what was said and what the model thought.
All words must match; the best hits (BM25) come first, among the newest 2,000 unless --all
is given.`,
		Example: `  ag-sessiond search connection refused
  ag-sessiond search migration --tool Bash --failed --since 3d
  ag-sessiond search TODO --session latest --json`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			q.Words = strings.Join(args, " ")
			if strings.TrimSpace(q.Words) == "" {
				return usagef("there are no words to search for")
			}
			if err := checkOneOf("--type", kind, actionTypes()); err != nil {
				return err
			}
			q.Type = graph.ActionType(kind)
			if q.Since, err = parseWhen(since, a.now(), false); err != nil {
				return err
			}
			if q.Until, err = parseWhen(until, a.now(), true); err != nil {
				return err
			}
			if !cmd.Flags().Changed("session") {
				return a.read(cmd.Context(), func(ctx context.Context, r connector.Reader) error { return a.search(ctx, r, q) })
			}
			return a.readSession(cmd.Context(), in, func(ctx context.Context, r connector.Reader, s graph.SessionRow) error {
				q.Session = s.SessionID
				return a.search(ctx, r, q)
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&q.Tool, "tool", "", "only calls and results of this tool")
	flags.StringVar(&kind, "type", "", "only actions of this `type`: tool_call, tool_result, user_message, …")
	flags.StringVar(&in, "session", "", "only in this `SESSION`")
	flags.BoolVar(&q.Failed, "failed", false, "only what failed")
	flags.StringVar(&since, "since", "", "only since this `time`: "+whenHelp)
	flags.StringVar(&until, "until", "", "only until this `time`")
	flags.IntVar(&q.Limit, "limit", 20, "at most this `many`; 0 is all")
	flags.BoolVar(&q.All, "all", false, "rank every hit, not the newest 2,000")
	fixedCompletion(cmd, "type", actionTypes())
	_ = cmd.RegisterFlagCompletionFunc("session", a.completeSession)
	return cmd
}

func (a *app) search(ctx context.Context, r connector.Reader, q graph.SearchQuery) error {
	limit, err := more(&q.Limit)
	if err != nil {
		return err
	}
	hits, err := r.Search(ctx, q)
	if err != nil {
		return asked(err)
	}
	hits = cut(a, hits, limit)
	if a.json {
		for i := range hits {
			hits[i].Marks = list(hits[i].Marks)
		}
		return a.printJSON(list(hits))
	}
	if len(hits) == 0 {
		if strings.TrimSpace(q.Words) == "" && q.Recall {
			a.nothing("nothing found; names of tools, tags, tasks and namespaces match whole, as they are written")
			return nil
		}
		all := "all words must match, and "
		if q.Recall {
			all = ""
		}
		a.nothing("nothing found; %sa word matches whole (wait* matches its beginnings)", all)
		return nil
	}
	heads, fit := make([][]string, len(hits)), true
	ids := make([]string, len(hits))
	for i, h := range hits {
		ids[i] = h.Action.SessionID
		heads[i] = a.hitHead(h.Action)
		fit = fit && a.style.Fits(strings.Join(heads[i], "  "))
	}
	ids = shortIDs(ids)
	for i, h := range hits {
		if i > 0 {
			a.printf("\n")
		}
		if !fit {
			heads[i][0], heads[i][1] = render.Minute(h.Action.Timestamp), render.OneLine(ids[i])
		}
		a.printf("%s\n", strings.Join(heads[i], "  "))
		a.printf("    %s\n", a.style.Snippet(h.Snippet, h.Marks, max(a.style.Width-4, 20)))
	}
	return nil
}

// asked makes of a question that no store answers a mistake of who asked.
func asked(err error) error {
	if errors.Is(err, graph.ErrLongQuestion) {
		return usagef("%w", err)
	}
	return err
}

// hitHead says what a hit is: when, of which session, what kind, and how it ended where
// that is not as usual.
func (a *app) hitHead(row graph.ActionRow) []string {
	head := []string{render.Time(row.Timestamp), render.OneLine(row.SessionID), render.OneLine(hitKind(row))}
	if row.ToolName != "" {
		head = append(head, render.OneLine(row.ToolName))
	}
	if row.Status != "" && row.Status != "completed" {
		head = append(head, a.style.Status(row.Status))
	}
	if took := render.Millis(row.DurationMS); took != "" {
		head = append(head, took)
	}
	return head
}

// hitKind is the type of a hit, and what the model thought apart from what it said.
func hitKind(a graph.ActionRow) string {
	if a.Thinking {
		return "thinking"
	}
	return string(a.ActionType)
}
