package main

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"

	"github.com/actiongraph/actiongraph"
	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/internal/render"
)

// transcriptImport is what import of transcripts says as JSON.
type transcriptImport struct {
	actiongraph.TranscriptReport
	DryRun bool              `json:"dry_run"`
	Store  *connector.Report `json:"store,omitempty"` // what the store took in after it
}

// importMemory is the soft limit of an import: with 90, 125 and 150 MiB one of 500 MB in 3,150
// files takes 13.5, 12.9 and 12.9 s of CPU time, and 129, 163 and 180 MB. What one session of
// 1 GB folds to, 750,000 actions, is 117 MB by itself, and would be collected all the time
// below that; it peaks at 197 MB.
const importMemory = 125 << 20

// importTranscripts reads session files into the journal, and the store after it.
func (a *app) importTranscripts(ctx context.Context, paths []string, o importOptions) error {
	if len(paths) == 0 {
		if paths = actiongraph.TranscriptFolders(); len(paths) == 0 {
			return usagef("there are no session files of Claude Code here: give a PATH (looked for %s)",
				strings.Join(actiongraph.PossibleTranscriptFolders(), ", "))
		}
	}
	since, err := parseWhen(o.since, a.now(), false)
	if err != nil {
		return err
	}
	// To collect seldom below a limit saves a fifth of the time of an import, which is short
	// and may have 200 MB.
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	if a.env("GOMEMLIMIT") == "" {
		defer debug.SetMemoryLimit(debug.SetMemoryLimit(importMemory))
	}
	bar := a.importBar(ctx)
	defer bar.done()
	fold, err := a.foldAlong(ctx, o.dryRun)
	if err != nil {
		return err
	}
	done := transcriptImport{DryRun: o.dryRun}
	done.TranscriptReport, err = a.readTranscripts(ctx, paths, actiongraph.TranscriptOptions{DryRun: o.dryRun, Since: since}, func(p actiongraph.TranscriptProgress) {
		bar.reading(p)
		fold.large(p.Large > 0)
	})
	stopped := err != nil && !errors.Is(err, actiongraph.ErrPartial)
	store, foldErr := fold.finish(ctx, stopped, bar.folding)
	done.Store, err = store, errors.Join(err, foldErr)
	bar.done()
	if a.json {
		return errors.Join(a.printJSON(done), partial(err))
	}
	a.printTranscripts(done, o.verbose)
	if ctx.Err() != nil {
		a.note("stopped: what was read is kept, and the next import goes on there")
	}
	return partial(err)
}

// partial is the error of an import whose report has named what could not be read.
func partial(err error) error {
	if err == nil || !errors.Is(err, actiongraph.ErrPartial) {
		return err
	}
	return &exitError{code: exitFailed, err: err, silent: true}
}

// readTranscripts reads into the home. A dry run makes none: it counts as for an empty
// one where there is none yet.
func (a *app) readTranscripts(ctx context.Context, paths []string, o actiongraph.TranscriptOptions, progress func(actiongraph.TranscriptProgress)) (r actiongraph.TranscriptReport, err error) {
	dir, err := a.homeDir()
	if err != nil {
		return r, err
	}
	if o.DryRun && !isHome(dir) {
		return actiongraph.CountTranscripts(ctx, paths, o, progress)
	}
	home, err := actiongraph.Open(dir, actiongraph.Options{})
	if err != nil {
		return r, unavailable(err)
	}
	defer home.Close()
	return home.ImportTranscripts(ctx, paths, o, progress)
}

// printTranscripts says what was read, and what was not.
func (a *app) printTranscripts(r transcriptImport, verbose bool) {
	read := "read"
	if r.DryRun {
		read = "to read"
	}
	a.printf("%s %s, %s in %s: %s in %s, %s\n", render.Plural(r.Lines, "line"), read, render.Bytes(r.Bytes),
		render.Plural(int64(r.Read), "file"), render.Plural(r.Events, "event"),
		render.Plural(int64(r.Sessions), "session"), render.Duration(r.Duration))
	for _, left := range []struct {
		n    int
		what string
	}{{r.Unchanged, "unchanged"}, {r.Older, "older than --since"}, {r.Failed, "failed"}} {
		if left.n > 0 {
			a.printf("%s %s\n", render.Plural(int64(left.n), "file"), left.what)
		}
	}
	if r.Store != nil && r.Store.Events > 0 {
		a.printf("the store took in %s in %s\n", render.Plural(int64(r.Store.Events), "event"), render.Duration(r.Store.Duration))
	}
	a.printKinds("lines: ", r.Kinds, verbose)
	a.printKinds("skipped, of types that this version does not know: ", r.Unknown, true)
	for _, c := range []struct {
		n    int64
		noun string
		what string
	}{
		{r.Broken, "broken line", "skipped"}, {r.Blank, "blank line", "skipped"},
		{r.Copied, "line", "copied from sessions before, whose own transcripts tell them"},
		{r.Waiting, "byte", "of last lines wait until they are whole"},
	} {
		if c.n > 0 {
			a.printf("%s %s\n", render.Plural(c.n, c.noun), c.what)
		}
	}
	if verbose || r.Failed > 0 || r.Broken > 0 {
		a.printFiles(r, verbose)
	}
	for _, p := range r.Problems {
		a.note("%s", p)
	}
	for _, f := range r.PerFile {
		for _, p := range f.Problems {
			a.note("%s", p)
		}
		if more := f.Broken - int64(len(f.Problems)); more > 0 {
			a.note("%s: %s", f.Path, render.Plural(more, "more broken line"))
		}
	}
}

// fewKinds is how many types of lines are named where nobody asked for all.
const fewKinds = 6

func (a *app) printKinds(title string, kinds map[string]int64, all bool) {
	if len(kinds) == 0 {
		return
	}
	var parts []string
	var rest int64
	for i, kind := range byCount(kinds) {
		if i >= fewKinds && !all {
			rest += kinds[kind]
			continue
		}
		parts = append(parts, fmt.Sprintf("%s %s", render.Count(kinds[kind]), render.OneLine(kind)))
	}
	if rest > 0 {
		parts = append(parts, render.Count(rest)+" other")
	}
	a.printf("%s%s\n", title, strings.Join(parts, ", "))
}

// printFiles is the table of the files: of all that were read, or of those with which
// something is wrong.
func (a *app) printFiles(r transcriptImport, all bool) {
	cols := []render.Column{
		{Title: "FILE", Give: 24, Left: true}, {Title: "LINES", Right: true}, {Title: "SIZE", Right: true, Drop: 1},
		{Title: "EVENTS", Right: true}, {Title: "BROKEN", Right: true, Paint: render.PaintNumber}, {Title: "NOTE", Drop: 2},
	}
	var cells [][]string
	for _, f := range r.PerFile {
		if !all && len(f.Problems) == 0 {
			continue
		}
		note := ""
		if f.Restart {
			note = "read again: it is another file now"
		}
		cells = append(cells, []string{f.Path, render.Count(f.Lines), render.Bytes(f.Bytes), render.Count(f.Events), render.Count(f.Broken), note})
	}
	if len(cells) > 0 {
		_ = a.style.Table(a.out, cols, cells) // what becomes of it shows when it is flushed
	}
}
