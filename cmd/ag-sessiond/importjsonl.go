package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/actiongraph/actiongraph"
	"github.com/actiongraph/actiongraph/adapters/jsonl"
	"github.com/actiongraph/actiongraph/internal/render"
	"github.com/actiongraph/actiongraph/source"
	"github.com/actiongraph/actiongraph/transcript"
)

func (im *fileImporter) printJSONL(r actiongraph.JSONLReport) {
	im.printf("%s %s, %s in %s: %s in %s, %s\n", render.Plural(r.Lines, "line"), im.verb(), render.Bytes(r.Bytes),
		render.Plural(int64(r.Read), "file"), render.Plural(r.Events, "event"),
		render.Plural(int64(r.Sessions), "session"), render.Duration(r.Duration))
	im.printTallies(tally{int64(r.Unchanged), "file", "unchanged"}, tally{int64(r.Failed), "file", "failed"}, stayForgotten(r.Forgotten))
	if found := foundFormats(r.PerFile); found != "" {
		im.printf("found: %s\n", found)
	}
	im.printKinds("lines: ", r.Kinds, im.verbose)
	im.printKinds("known, and nothing to record: ", r.Skipped, true)
	im.printKinds("of types that this version does not know, kept as they are: ", r.Unknown, true)
	im.printTallies(tally{r.Broken, "bad line", "skipped"}, tally{r.Blank, "blank line", "skipped"},
		tally{r.Waiting, "byte", "of last lines wait until they are whole"})
	if im.verbose || r.Failed > 0 || r.Broken > 0 {
		im.printFiles(jsonlFiles(r.PerFile))
	}
}

// stayForgotten says of how many sessions nothing was recorded, since they were forgotten.
func stayForgotten(n int) tally {
	return tally{int64(n), "session", "forgotten before, and stay so"}
}

// foundFormats says which formats the files that were read have: audit in 1 file, oms in
// 2 files.
func foundFormats(files []source.FileReport) string {
	count := map[jsonl.Format]int64{}
	for _, f := range files {
		if f.Format != "" {
			count[f.Format]++
		}
	}
	var parts []string
	for _, format := range slices.Sorted(maps.Keys(count)) {
		parts = append(parts, fmt.Sprintf("%s in %s", format, render.Plural(count[format], "file")))
	}
	return strings.Join(parts, ", ")
}

// printForeign says which files are of no format that is known: those of the command line
// by name.
func (im *fileImporter) printForeign() {
	why := "no format that is known: no audit record, TraceEvent, Action grain or event of the protocol, nor a transcript, unless it is one that is compressed or piped"
	if im.format == string(jsonl.Claude) {
		why = "no transcript: none of its first lines has a sessionId"
	}
	var rest int64
	for _, path := range im.done.Foreign {
		if im.verbose || im.isNamed(path) {
			im.note("%s: %s", path, why)
		} else {
			rest++
		}
	}
	if rest > 0 {
		im.printf("%s of no format that is known: -v names them\n", render.Plural(rest, "file"))
	}
	if n := int64(im.done.PassedOver); n > 0 {
		im.printf("%s of other names than *.jsonl, *.ndjson, *.json not looked at: name them to read them\n", render.Plural(n, "file"))
	}
}

// isNamed reports whether the command line names a file, and not only a folder of it.
func (im *fileImporter) isNamed(path string) bool { return im.named[path] || im.named[realPath(path)] }

// readFile is what a table says of one file that was read.
type readFile struct {
	path                         string
	lines, bytes, events, broken int64
	note                         string
	problems                     []string // the first of them
}

func transcriptFiles(reports []transcript.FileReport) (files []readFile) {
	for _, r := range reports {
		f := readFile{path: r.Path, lines: r.Lines, bytes: r.Bytes, events: r.Events, broken: r.Broken, note: restartNote(r.Restart)}
		for _, p := range r.Problems {
			f.problems = append(f.problems, p.String())
		}
		files = append(files, f)
	}
	return files
}

func jsonlFiles(reports []source.FileReport) (files []readFile) {
	for _, r := range reports {
		f := readFile{path: r.Path, lines: r.Lines, bytes: r.Bytes, events: r.Events, broken: r.Broken, note: string(r.Format)}
		if again := restartNote(r.Restart); again != "" {
			f.note = strings.TrimPrefix(f.note+", "+again, ", ")
		}
		if r.Format == "" && len(r.Problems) > 0 {
			f.note = "not read: see below"
		}
		for _, p := range r.Problems {
			f.problems = append(f.problems, p.String())
		}
		files = append(files, f)
	}
	return files
}

func restartNote(restart bool) string {
	if restart {
		return "read again: it is another file now"
	}
	return ""
}

// printFiles is the table of the files that were read, or of those with which something is
// wrong.
func (im *fileImporter) printFiles(files []readFile) {
	cols := []render.Column{
		{Title: "FILE", Give: 24, Left: true}, {Title: "LINES", Right: true}, {Title: "SIZE", Right: true, Drop: 1},
		{Title: "EVENTS", Right: true}, {Title: "BROKEN", Right: true, Paint: render.PaintNumber}, {Title: "NOTE", Drop: 2},
	}
	var cells [][]string
	for _, f := range files {
		if im.verbose || len(f.problems) > 0 {
			cells = append(cells, []string{f.path, render.Count(f.lines), render.Bytes(f.bytes), render.Count(f.events), render.Count(f.broken), f.note})
		}
	}
	if len(cells) > 0 {
		_ = im.style.Table(im.out, cols, cells) // what becomes of it shows when it is flushed
	}
}

func (a *app) noteProblems(files []readFile) {
	for _, f := range files {
		for _, p := range f.problems {
			a.note("%s", p)
		}
		if more := f.broken - int64(len(f.problems)); more > 0 {
			a.note("%s: %s", f.path, render.Plural(more, "more broken line"))
		}
	}
}
