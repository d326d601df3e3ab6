package main

import (
	"cmp"
	"context"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/internal/render"
)

func (nothing) Files(context.Context, graph.FileFilter) ([]graph.FileRow, error) { return nil, nil }

func (a *app) filesCmd() *cobra.Command {
	var f graph.FileFilter
	var in, since string
	cmd := &cobra.Command{
		Use:   "files [PATH]",
		Short: "Which files were read and written, or which sessions touched one",
		Long: `Without PATH, list the files that were read and written most. With it, list the sessions
that touched it, the latest first. PATH is a file or a directory: absolute, relative to
its repository, or the last parts of its path; with ./ or ../ it is relative to here.

What counts is a call of a tool that reads or writes a file, once it has completed. What a
shell command does to files is not known.`,
		Example: `  ag-sessiond files --since 7d
  ag-sessiond files src/main.go
  ag-sessiond files ./internal --session latest --json`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if len(args) > 0 {
				if f.Path, err = filePath(args[0]); err != nil {
					return err
				}
			}
			if f.Since, err = parseWhen(since, a.now(), false); err != nil {
				return err
			}
			if !cmd.Flags().Changed("session") {
				return a.read(cmd.Context(), func(ctx context.Context, r connector.Reader) error { return a.files(ctx, r, f) })
			}
			return a.readSession(cmd.Context(), in, func(ctx context.Context, r connector.Reader, s graph.SessionRow) error {
				f.Session = s.SessionID
				return a.files(ctx, r, f)
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&in, "session", "", "only what this `SESSION` did")
	flags.StringVar(&since, "since", "", "only since this `time`: "+whenHelp)
	flags.IntVar(&f.Limit, "limit", 50, "at most this `many` lines; 0 is all")
	_ = cmd.RegisterFlagCompletionFunc("session", a.completeSession)
	return cmd
}

// filePath is a PATH as a FileFilter takes it: what begins with a dot is looked for here,
// and the dots of any other are no components.
func filePath(arg string) (string, error) {
	if strings.TrimSpace(arg) == "" {
		return "", usagef("there is no path to look for")
	}
	slashed := filepath.ToSlash(arg)
	if slashed == "." || slashed == ".." || strings.HasPrefix(slashed, "./") || strings.HasPrefix(slashed, "../") {
		return filepath.Abs(arg)
	}
	return filepath.Clean(arg), nil
}

func (a *app) files(ctx context.Context, r connector.Reader, f graph.FileFilter) error {
	if f.Path != "" {
		return a.fileSessions(ctx, r, f)
	}
	limit, err := more(&f.Limit)
	if err != nil {
		return err
	}
	rows, err := r.Files(ctx, f)
	if err != nil {
		return err
	}
	rows = cut(a, rows, limit)
	for i := range rows {
		rows[i].Sessions = nil // they are many; a path asks for them
	}
	if a.json {
		return a.printJSON(list(rows))
	}
	if len(rows) == 0 {
		a.nothing("no file was read or written there and then")
		return nil
	}
	cols := append(touchColumns(), render.Column{Title: "SESSIONS", Right: true, Drop: 4},
		render.Column{Title: "HOST", Give: 8, Drop: 3}, render.Column{Title: "FILE", Give: 24, Left: true})
	var cells [][]string
	for _, row := range rows {
		cells = append(cells, append(touchCells(row.FileTouches), render.Count(row.SessionCount), row.Host, homeRelative(row.Path)))
	}
	sameIn(rows, func(r graph.FileRow) string { return r.Host }, cells, len(cols)-2)
	return a.style.Table(a.out, cols, cells)
}

// fileUse is what one session did with one file: a line of the answer about a path.
type fileUse struct {
	Path string `json:"path"`
	Host string `json:"host,omitempty"`
	graph.FileSession
}

func (a *app) fileSessions(ctx context.Context, r connector.Reader, f graph.FileFilter) error {
	limit, err := more(&f.Limit)
	if err != nil {
		return err
	}
	f.Limit = 0 // that is of lines, which are not files
	files, err := r.Files(ctx, f)
	if err != nil {
		return err
	}
	var rows []fileUse
	for _, file := range files {
		for _, s := range file.Sessions {
			rows = append(rows, fileUse{file.Path, file.Host, s})
		}
	}
	slices.SortStableFunc(rows, func(a, b fileUse) int {
		return cmp.Or(b.LastAt.Compare(a.LastAt), cmp.Compare(a.SessionID, b.SessionID), cmp.Compare(a.Path, b.Path))
	})
	rows = cut(a, rows, limit)
	if a.json {
		return a.printJSON(list(rows))
	}
	if len(rows) == 0 {
		a.nothing("no session read or wrote %s; ag-sessiond files lists what was, and a shell's commands do not say which files they touch", f.Path)
		return nil
	}
	return a.fileTable(rows)
}

func (a *app) fileTable(rows []fileUse) error {
	cols := append([]render.Column{{Title: "SESSION"}}, touchColumns()...)
	cols = append(cols, render.Column{Title: "HOW", Give: 12, Drop: 3}, render.Column{Title: "HOST", Give: 8, Drop: 4},
		render.Column{Title: "FILE", Give: 16, Left: true, Drop: 6}, render.Column{Title: "TITLE", Give: 16, Drop: 5})
	ids := make([]string, len(rows))
	for i, row := range rows {
		ids[i] = row.SessionID
	}
	var cells [][]string
	for i, id := range shortIDs(ids) {
		row := rows[i]
		var how []string
		for _, tool := range byCount(row.Tools) {
			how = append(how, render.Count(row.Tools[tool])+" "+tool)
		}
		name := row.Name
		if name == row.SessionID {
			name = ""
		}
		cells = append(cells, append(append([]string{id}, touchCells(row.FileTouches)...), strings.Join(how, ", "), row.Host, homeRelative(row.Path), name))
	}
	sameIn(rows, func(r fileUse) string { return r.Host }, cells, len(cols)-3)
	if one := sameIn(rows, func(r fileUse) string { return r.Path }, cells, len(cols)-2); one != "" {
		a.printf("%s\n", render.OneLine(homeRelative(one)))
	}
	return a.style.Table(a.out, cols, cells)
}

// sameIn empties a column, which then goes, where it says the same in all rows; it
// returns what that is.
func sameIn[T any](rows []T, of func(T) string, cells [][]string, column int) string {
	one := of(rows[0])
	if slices.ContainsFunc(rows, func(r T) bool { return of(r) != one }) {
		return ""
	}
	for _, line := range cells {
		line[column] = ""
	}
	return one
}

func touchColumns() []render.Column {
	return []render.Column{
		{Title: "FIRST", Drop: 2}, {Title: "LAST", Drop: 7}, {Title: "READS", Right: true}, {Title: "WRITES", Right: true},
		{Title: "LINES", Right: true, Drop: 1},
	}
}

func touchCells(t graph.FileTouches) []string {
	lines := ""
	if t.LinesAdded != nil || t.LinesRemoved != nil {
		var added, removed int64
		if t.LinesAdded != nil {
			added = *t.LinesAdded
		}
		if t.LinesRemoved != nil {
			removed = *t.LinesRemoved
		}
		lines = "+" + render.Count(added) + " -" + render.Count(removed)
	}
	return []string{render.Minute(t.FirstAt), render.Minute(t.LastAt), render.Count(t.Reads), render.Count(t.Writes), lines}
}
