package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/actiongraph/actiongraph"
	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/internal/render"
	"github.com/actiongraph/actiongraph/journal"
)

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
			r.Error, r.noHome = err.Error(), r.Journal == "" && !errors.As(err, &system) && !errors.Is(err, journal.ErrNewerHome)
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
	a.printTallies(stayForgotten(r.Forgotten))
	if skipped := r.Refused + r.Torn; skipped > 0 {
		a.printf("%s skipped: no event of this version\n", render.Plural(int64(skipped), "line"))
	}
}
