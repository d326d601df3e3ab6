package main

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/actiongraph/actiongraph"
	"github.com/actiongraph/actiongraph/adapters/jsonl"
	"github.com/actiongraph/actiongraph/config"
	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/schema"
	"github.com/actiongraph/actiongraph/source"
	"github.com/actiongraph/actiongraph/transcript"
)

// fileImport is what import of files says as JSON: of transcripts at its top, of
// everything else in JSONL.
type fileImport struct {
	actiongraph.TranscriptReport
	JSONL  *actiongraph.JSONLReport `json:"jsonl,omitempty"` // absent where there was nothing but transcripts
	DryRun bool                     `json:"dry_run"`
	// PassedOver is how many files of folders were not looked at, for their names.
	PassedOver int               `json:"passed_over"`
	Store      *connector.Report `json:"store,omitempty"` // what the store took in after it
}

// importMemory is the soft limit of an import: with 90, 125 and 150 MiB one of 500 MB in 3,150
// files takes 13.5, 12.9 and 12.9 s of CPU time, and 129, 163 and 180 MB. What one session of
// 1 GB folds to, 750,000 actions, is 117 MB by itself, and would be collected all the time
// below that; it peaks at 189 MB.
const importMemory = 125 << 20

// fileImporter is one import of files.
type fileImporter struct {
	*app
	importOptions
	since time.Time
	stdin io.Reader
	bar   *importBar
	fold  *importFold
	done  fileImport
	named map[string]bool // files that the command line names
}

// importFiles reads files into the journal, and the store after it.
func (a *app) importFiles(ctx context.Context, paths []string, stdin io.Reader, o importOptions) error {
	im := fileImporter{app: a, importOptions: o, stdin: stdin, bar: a.importBar(ctx), named: map[string]bool{}}
	im.done = fileImport{DryRun: o.dryRun, TranscriptReport: noTranscripts()}
	defer im.bar.done()
	trees, others, err := im.split(paths)
	if err != nil {
		return err
	}
	if im.since, err = parseWhen(o.since, a.now(), false); err != nil {
		return err
	}
	// To collect seldom below a limit saves a fifth of the time of an import, which is short
	// and may have 200 MB.
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	if a.env("GOMEMLIMIT") == "" {
		defer debug.SetMemoryLimit(debug.SetMemoryLimit(importMemory))
	}
	if im.fold, err = a.foldAlong(ctx, o.dryRun); err != nil {
		return err
	}
	err = im.read(ctx, trees, others)
	stopped := err != nil && !errors.Is(err, actiongraph.ErrPartial)
	store, foldErr := im.fold.finish(ctx, stopped, im.bar.folding)
	im.done.Store = store
	im.bar.done()
	if failed := im.report(ctx); failed != nil {
		return failed
	}
	switch {
	case !errors.Is(err, actiongraph.ErrPartial):
		return errors.Join(err, foldErr)
	case foldErr != nil:
		return foldErr
	}
	return &exitError{code: exitFailed, err: err, silent: true} // the report has named what could not be read
}

// split says which paths may be transcripts, and which go to the reader of JSONL at once.
func (im *fileImporter) split(paths []string) (trees, others []string, err error) {
	if len(paths) == 0 {
		if trees = actiongraph.TranscriptFolders(); len(trees) == 0 {
			return nil, nil, usagef("there are no session files of Claude Code here: give a PATH (looked for %s)",
				strings.Join(actiongraph.PossibleTranscriptFolders(), ", "))
		}
		return trees, nil, nil
	}
	for _, path := range paths {
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			im.named[realPath(path)] = true
		}
		switch {
		case path == stdinPath:
			im.named[path] = true
			others = append(others, path)
		case im.format != config.Auto && im.format != string(jsonl.Claude):
			others = append(others, path)
		default:
			trees = append(trees, matches(path)...)
		}
	}
	return trees, others, nil
}

// matches are the files of a glob; of any other path that itself.
func matches(path string) []string {
	if _, err := os.Lstat(path); err != nil {
		if found, err := filepath.Glob(path); err == nil && len(found) > 0 {
			return found
		}
	}
	return []string{path}
}

func realPath(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	return path
}

// read reads the transcripts, then what is none.
func (im *fileImporter) read(ctx context.Context, trees, others []string) error {
	var partly error
	if len(trees) > 0 {
		err := im.readTranscripts(ctx, trees)
		if err != nil && !errors.Is(err, actiongraph.ErrPartial) {
			return err
		}
		partly = err
		if im.format == config.Auto {
			others, im.done.Foreign = append(others, im.done.Foreign...), []string{} // the other reader may know them
		}
	}
	if len(others) > 0 {
		err := im.readJSONL(ctx, others)
		if im.done.JSONL != nil {
			im.done.Foreign = im.done.JSONL.Foreign
		}
		if err != nil && !errors.Is(err, actiongraph.ErrPartial) {
			return err
		}
		partly = errors.Join(partly, err)
	}
	if slices.ContainsFunc(im.done.Foreign, im.isNamed) {
		partly = errors.Join(partly, actiongraph.ErrPartial)
	}
	return partly
}

func (im *fileImporter) readTranscripts(ctx context.Context, trees []string) (err error) {
	o := actiongraph.TranscriptOptions{DryRun: im.dryRun, Since: im.since}
	if im.format == config.Auto {
		o.Other = im.otherJSONL
	}
	read := func(home *actiongraph.Home) error {
		progress := func(p actiongraph.TranscriptProgress) {
			im.bar.reading(p.Bytes, p.TotalBytes)
			im.fold.large(p.Large > 0)
		}
		if home == nil {
			im.done.TranscriptReport, err = actiongraph.CountTranscripts(ctx, trees, o, progress)
		} else {
			im.done.TranscriptReport, err = home.ImportTranscripts(ctx, trees, o, progress)
		}
		return err
	}
	return im.withHome(read)
}

func (im *fileImporter) readJSONL(ctx context.Context, paths []string) (err error) {
	o := actiongraph.JSONLOptions{Namespace: im.namespace, KeepUnknown: im.keepUnknown, Strict: im.strict, DryRun: im.dryRun}
	if im.format != config.Auto {
		o.Format = jsonl.Format(im.format)
	}
	before := im.done.Bytes
	progress := func(p actiongraph.JSONLProgress) { im.bar.reading(before+p.Bytes, before+p.TotalBytes) }
	read := func(home *actiongraph.Home) error {
		var report actiongraph.JSONLReport
		if home == nil {
			report, err = actiongraph.CountJSONL(ctx, paths, im.stdin, o, progress)
		} else {
			report, err = home.ImportJSONL(ctx, paths, im.stdin, o, progress)
		}
		im.done.JSONL = &report
		im.done.PassedOver += report.PassedOver
		return err
	}
	return im.withHome(read)
}

// withHome opens the home. A dry run makes none: it counts as for an empty one, nil, where
// there is none yet.
func (im *fileImporter) withHome(read func(*actiongraph.Home) error) error {
	dir, err := im.homeDir()
	if err != nil {
		return err
	}
	if im.dryRun && !isHome(dir) {
		return read(nil)
	}
	home, err := actiongraph.Open(dir, actiongraph.Options{})
	if err != nil {
		return unavailable(err)
	}
	defer home.Close()
	return read(home)
}

// otherJSONL reports whether a file of a folder that is not named like a transcript is
// looked at: the runtime's own records beside transcripts are not, nor what is not named like
// JSONL, which is counted.
func (im *fileImporter) otherJSONL(path string) bool {
	dir, name := filepath.Split(path)
	own := strings.HasSuffix(name, ".meta.json") || name == "sessions-index.json" || filepath.Base(dir) == "tool-results"
	if !own && !source.Wanted(name) {
		im.done.PassedOver++
		return false
	}
	return !own
}

// noTranscripts is the report of an import that had none.
func noTranscripts() actiongraph.TranscriptReport {
	return actiongraph.TranscriptReport{Kinds: map[string]int64{}, Types: map[schema.Type]int64{}, Unknown: map[string]int64{},
		Problems: []transcript.Problem{}, PerFile: []transcript.FileReport{}, Foreign: []string{}}
}
