package main

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/internal/render"
	"github.com/actiongraph/actiongraph/schema"
)

func (a *app) sessionsCmd() *cobra.Command {
	var f graph.SessionFilter
	var since, until string
	cmd := &cobra.Command{
		Use:     "sessions",
		Aliases: []string{"ls"},
		Short:   "List sessions, newest first",
		Example: `  ag-sessiond sessions
  ag-sessiond sessions --since 2h --has-errors
  ag-sessiond sessions --dir . --status completed --json
  ag-sessiond sessions --graph bolt://localhost:7687`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if err := checkOneOf("--status", f.Status, sessionStatuses()); err != nil {
				return err
			}
			if f.Since, err = parseWhen(since, a.now(), false); err != nil {
				return err
			}
			if f.Until, err = parseWhen(until, a.now(), true); err != nil {
				return err
			}
			if f.Dir != "" {
				if f.Dir, err = filepath.Abs(f.Dir); err != nil {
					return err
				}
			}
			return a.read(cmd.Context(), func(ctx context.Context, r connector.Reader) error { return a.sessions(ctx, r, f) })
		},
	}
	flags := cmd.Flags()
	flags.IntVar(&f.Limit, "limit", 100, "at most this `many`; 0 is all")
	flags.StringVar(&f.Status, "status", "", strings.Join(sessionStatuses(), ", "))
	flags.BoolVar(&f.HasErrors, "has-errors", false, "only sessions with errors")
	flags.StringVar(&f.Tag, "tag", "", "only sessions with this tag")
	flags.StringVar(&since, "since", "", "started at this `time` or later: "+whenHelp)
	flags.StringVar(&until, "until", "", "started at this `time` or earlier; a day is included")
	flags.StringVar(&f.Dir, "dir", "", "only sessions in this `directory` or below it")
	flags.StringVar(&f.User, "user", "", "only sessions of this user")
	flags.StringVar(&f.Host, "host", "", "only sessions on this host")
	fixedCompletion(cmd, "status", sessionStatuses())
	return cmd
}

func sessionStatuses() []string {
	return []string{schema.StatusActive, schema.StatusCompleted, schema.StatusFailed, schema.StatusAbandoned, schema.StatusUnknown}
}

func (a *app) sessions(ctx context.Context, r connector.Reader, f graph.SessionFilter) error {
	limit, err := more(&f.Limit)
	if err != nil {
		return err
	}
	rows, err := r.Sessions(ctx, f)
	if err != nil {
		return err
	}
	rows = a.cut(rows, limit)
	if a.json {
		return a.printJSON(list(rows))
	}
	if len(rows) == 0 {
		a.nothing("no session matches; ag-sessiond sessions lists all, ag-sessiond status says what is recorded")
		return nil
	}
	cols := []render.Column{
		{Title: "ID"}, {Title: "STARTED", Drop: 7}, {Title: "TOOK", Right: true, Drop: 3}, {Title: "STATUS", Paint: render.PaintStatus, Drop: 8},
		{Title: "ACTIONS", Right: true, Drop: 2}, {Title: "TOOLS", Right: true, Drop: 5}, {Title: "ERRORS", Right: true, Paint: render.PaintNumber, Drop: 6},
		{Title: "MODEL", Give: 8, Drop: 1}, {Title: "DIRECTORY", Give: 16, Left: true, Drop: 4}, {Title: "TITLE", Give: 18},
	}
	var cells [][]string
	for i, id := range shortIDs(sessionIDs(rows)) {
		s := rows[i]
		cells = append(cells, []string{
			id, render.Minute(s.StartedAt), render.RowDuration(s), s.Status,
			render.Count(s.ActionCount), render.Count(s.ToolCallCount), render.Count(s.ErrorCount),
			strings.TrimPrefix(s.Model, "claude-"), homeRelative(s.WorkingDirectory), withTags(title(s), s.Tags),
		})
	}
	return a.style.Table(a.out, cols, cells)
}

func withTags(title string, tags []string) string {
	for _, t := range tags {
		title += " #" + t
	}
	return title
}

// homeRelative writes the user's home directory as ~.
func homeRelative(dir string) string {
	home, err := os.UserHomeDir()
	if err != nil || home == "/" {
		return dir
	}
	if rest, ok := strings.CutPrefix(dir, home); ok && (rest == "" || os.IsPathSeparator(rest[0])) {
		return "~" + rest
	}
	return dir
}

// more asks for one row more than the limit, so that a list can say that it was cut.
// It returns the limit.
func more(limit *int) (int, error) {
	n := *limit
	if n < 0 {
		return 0, usagef("--limit %d: give a number, 0 is all", n)
	}
	if n > 0 {
		*limit = n + 1
	}
	return n, nil
}

// cut keeps the rows that were asked for, and says if there are others.
func (a *app) cut(rows []graph.SessionRow, limit int) []graph.SessionRow { return cut(a, rows, limit) }

func cut[T any](a *app, rows []T, limit int) []T {
	if limit == 0 || len(rows) <= limit {
		return rows
	}
	a.note("showing the first %d; --limit 0 shows all", limit)
	return rows[:limit]
}

// checkOneOf refuses a flag's value that is not among values; "" is no value.
func checkOneOf(flag, value string, values []string) error {
	if value == "" || slices.Contains(values, value) {
		return nil
	}
	return usagef("%s %q: want one of %s", flag, value, strings.Join(values, ", "))
}

func fixedCompletion(cmd *cobra.Command, flag string, values []string) {
	// The error says that there is no such flag, which a test of --help shows.
	_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
}
