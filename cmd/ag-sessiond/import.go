package main

import (
	"context"
	"errors"
	"io/fs"
	"slices"

	"github.com/spf13/cobra"

	"github.com/actiongraph/actiongraph"
	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/internal/render"
)

func (a *app) importCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "import HOME...",
		Short: "Take in what another home has recorded: a second machine's, or a backup",
		Long: `Append to the journal what the journal of another home (a directory such as
~/.actiongraph) has and this one has not. To import it again adds only what is new.

A session that was resumed on another machine is in a shared database twice: the
session, and SESSION~JOURNAL, which CONTINUES it. After the import it is one. Import a
journal that nobody writes any more: what is written after that is a part of its own
again, until the next import.`,
		Example: `  ag-sessiond import /backup/.actiongraph --json
  scp -r laptop:.actiongraph /tmp/laptop && ag-sessiond import /tmp/laptop`,
		Args: cobra.MinimumNArgs(1),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveFilterDirs
		},
		RunE: func(cmd *cobra.Command, args []string) error { return a.importHomes(cmd.Context(), args) },
	}
}

type importReport struct {
	Home string `json:"home"`
	actiongraph.ImportReport
	Error string `json:"error,omitempty"`

	noHome bool // the command line names what is none
}

// importHomes imports each home; one that fails does not stop the others.
func (a *app) importHomes(ctx context.Context, dirs []string) error {
	into, err := a.homeDir()
	if err != nil {
		return err
	}
	home, err := actiongraph.Open(into, actiongraph.Options{})
	if err != nil {
		return unavailable(err)
	}
	defer home.Close()
	reports := []importReport{}
	var errs []error
	for _, dir := range dirs {
		bar, done := a.progressBar(ctx)
		r := importReport{Home: dir}
		r.ImportReport, err = home.Import(ctx, dir, func(n, total int64) {
			if bar != nil {
				bar(connector.Progress{Bytes: n, TotalBytes: total})
			}
		})
		done()
		if err != nil {
			var system *fs.PathError
			r.Error, r.noHome = err.Error(), r.Journal == "" && !errors.As(err, &system)
			errs = append(errs, err)
		}
		reports = append(reports, r)
		if !a.json {
			a.printImport(r)
		}
		if ctx.Err() != nil {
			break
		}
	}
	if a.json {
		errs = append([]error{a.printJSON(reports)}, errs...)
	}
	err = errors.Join(errs...)
	if !slices.ContainsFunc(reports, func(r importReport) bool { return !r.noHome }) {
		return usagef("%w", err)
	}
	return err
}

func (a *app) printImport(r importReport) {
	if r.Journal == "" {
		return // it is no home, which the error says
	}
	a.printf("%s in %s from %s, %s known already, %s of journal, %s\n", render.Plural(int64(r.Events), "new event"),
		render.Plural(int64(r.Sessions), "session"), render.OneLine(r.Home), render.Count(int64(r.Known)),
		render.Bytes(r.Bytes), render.Duration(r.Duration))
	if skipped := r.Refused + r.Torn; skipped > 0 {
		a.printf("%s skipped: no event of this version\n", render.Plural(int64(skipped), "line"))
	}
}
