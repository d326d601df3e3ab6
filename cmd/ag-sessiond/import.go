package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/actiongraph/actiongraph"
	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/internal/render"
)

func (a *app) importCmd() *cobra.Command {
	var o importOptions
	cmd := &cobra.Command{
		Use:   "import [PATH...]",
		Short: "Read in the sessions that are on disk: Claude Code's files, or another home",
		Long: `Read the session files of Claude Code (trees of them, or single files) into the
journal and the store. Without a PATH those in $CLAUDE_CONFIG_DIR/projects,
~/.claude/projects and ~/.config/claude/projects are read. What was read before, or was
recorded by hooks, is there once; to import again reads only what is new. Ctrl-C, or a
kill, loses nothing: import again to go on.

A line that is broken is reported with its file and number, and the rest goes on.

A PATH that is a home of actiongraph (a directory such as ~/.actiongraph) is what a
second machine recorded, or a backup: what its journal has and this one has not is
appended. A session that was resumed on another machine is in a shared database twice:
the session, and SESSION~JOURNAL, which CONTINUES it. After the import it is one. Import
a journal that nobody writes any more: what is written after that is a part of its own
again, until the next import.`,
		Example: `  ag-sessiond import
  ag-sessiond import --since 30d --dry-run
  ag-sessiond import ~/backup/projects/-home-me-app -v
  scp -r laptop:.actiongraph /tmp/laptop && ag-sessiond import /tmp/laptop`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error { return a.importPaths(cmd.Context(), args, o) },
	}
	flags := cmd.Flags()
	flags.BoolVarP(&o.dryRun, "dry-run", "n", false, "count what is new and write nothing")
	flags.StringVar(&o.since, "since", "", "only sessions that have something since this `TIME`: "+whenHelp)
	flags.BoolVarP(&o.verbose, "verbose", "v", false, "say it file by file")
	return cmd
}

// importOptions are the flags of import.
type importOptions struct {
	dryRun, verbose bool
	since           string
}

// importPaths tells homes from transcripts.
func (a *app) importPaths(ctx context.Context, paths []string, o importOptions) error {
	var homes []string
	for _, path := range paths {
		if isHome(path) {
			homes = append(homes, path)
		}
	}
	switch {
	case len(homes) == 0:
		return a.importTranscripts(ctx, paths, o)
	case len(homes) < len(paths):
		return usagef("%s is a home of actiongraph, and others of these are none: import them one after the other", homes[0])
	case o != (importOptions{}):
		return usagef("--dry-run, --since and --verbose are for the files of Claude Code, not for a home (%s)", homes[0])
	}
	return a.importHomes(ctx, homes)
}

// isHome reports whether a directory is a home: it has what journal.Open makes first.
func isHome(dir string) bool {
	for _, name := range []string{"id", "key"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || !info.Mode().IsRegular() {
			return false
		}
	}
	return true
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
