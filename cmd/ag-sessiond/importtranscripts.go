package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/actiongraph/actiongraph"
	"github.com/actiongraph/actiongraph/internal/render"
)

// report says what was read, and what was not.
func (im *fileImporter) report(ctx context.Context) error {
	if im.json {
		return im.printJSON(im.done)
	}
	t, other := im.done.TranscriptReport, im.done.JSONL
	if other == nil || t.Files > 0 || len(t.Problems) > 0 {
		im.printTranscripts(t)
	}
	if other != nil && (other.Files > len(other.Foreign) || len(other.Problems) > 0) {
		im.printJSONL(*other)
	}
	if store := im.done.Store; store != nil && store.Events > 0 {
		im.printf("the store took in %s in %s\n", render.Plural(int64(store.Events), "event"), render.Duration(store.Duration))
	}
	im.printForeign()
	for _, p := range t.Problems {
		im.note("%s", p)
	}
	im.noteProblems(transcriptFiles(t.PerFile))
	if other != nil {
		for _, p := range other.Problems {
			im.note("%s", p)
		}
		im.noteProblems(jsonlFiles(other.PerFile))
		if !im.since.IsZero() {
			im.note("--since is for transcripts: of other files all was read")
		}
	}
	if ctx.Err() != nil {
		im.note("stopped: what was read is kept, and the next import goes on there")
	}
	return nil
}

// tally is a sum that is only worth a line where it is not 0.
type tally struct {
	n          int64
	noun, what string
}

func (a *app) printTallies(all ...tally) {
	for _, c := range all {
		if c.n > 0 {
			a.printf("%s %s\n", render.Plural(c.n, c.noun), c.what)
		}
	}
}

func (im *fileImporter) printTranscripts(r actiongraph.TranscriptReport) {
	im.printf("%s %s, %s in %s: %s in %s, %s\n", render.Plural(r.Lines, "line"), im.verb(), render.Bytes(r.Bytes),
		render.Plural(int64(r.Read), "file"), render.Plural(r.Events, "event"),
		render.Plural(int64(r.Sessions), "session"), render.Duration(r.Duration))
	im.printTallies(tally{int64(r.Unchanged), "file", "unchanged"}, tally{int64(r.Older), "file", "older than --since"},
		tally{int64(r.Failed), "file", "failed"}, stayForgotten(r.Forgotten))
	im.printKinds("lines: ", r.Kinds, im.verbose)
	im.printKinds("skipped, of types that this version does not know: ", r.Unknown, true)
	im.printTallies(tally{r.Broken, "broken line", "skipped"}, tally{r.Blank, "blank line", "skipped"},
		tally{r.Copied, "line", "copied from sessions before, whose own transcripts tell them"},
		tally{r.Waiting, "byte", "of last lines wait until they are whole"})
	if im.verbose || r.Failed > 0 || r.Broken > 0 {
		im.printFiles(transcriptFiles(r.PerFile))
	}
}

func (im *fileImporter) verb() string {
	if im.dryRun {
		return "to read"
	}
	return "read"
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
