package main

import (
	"cmp"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rs/zerolog"

	"github.com/actiongraph/actiongraph"
	"github.com/actiongraph/actiongraph/config"
	"github.com/actiongraph/actiongraph/internal/render"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/transcript"
)

// followed says which transcripts a daemon reads as they grow.
type followed struct {
	announced bool
	trees     []string
}

// treesFlag is --transcripts: without a value all folders of the runtime. The folders may
// also follow as arguments.
type treesFlag struct {
	given bool
	dirs  []string
}

func (f *treesFlag) String() string { return strings.Join(f.dirs, ",") }
func (f *treesFlag) Type() string   { return "stringArray" }
func (f *treesFlag) Set(dir string) error {
	if f.given = true; dir != config.All {
		f.dirs = append(f.dirs, dir)
	}
	return nil
}

// transcripts is what the configuration and the flags of run say: --transcripts adds to
// the configuration, --no-transcripts overrides it.
func (a *app) transcripts(c config.Config, trees treesFlag, none bool) (f followed, err error) {
	if trees.given && none {
		return f, usagef("--transcripts and --no-transcripts: give one of them")
	}
	if none {
		return f, nil
	}
	follow := slices.Clone(c.Transcripts.Follow)
	if follow == nil {
		follow = []string{config.Announced}
	}
	if trees.given && len(trees.dirs) == 0 {
		follow = append(follow, config.All)
	}
	for _, dir := range trees.dirs {
		if info, err := os.Stat(dir); err != nil || !info.IsDir() {
			return f, usagef("--transcripts: %s is no folder", dir)
		}
		if dir, err = filepath.Abs(dir); err != nil {
			return f, err
		}
		follow = append(follow, dir)
	}
	for _, what := range follow {
		switch what {
		case config.Announced:
			f.announced = true
		case config.All:
			f.announced = true
			f.add(actiongraph.PossibleTranscriptFolders()...)
		default:
			f.add(what)
		}
	}
	return f, nil
}

func (f *followed) add(trees ...string) {
	for _, tree := range trees {
		if !slices.Contains(f.trees, tree) {
			f.trees = append(f.trees, tree)
		}
	}
}

func (f followed) String() string {
	var all []string
	if f.announced {
		all = append(all, config.Announced)
	}
	all = append(all, f.trees...)
	if len(all) == 0 {
		return "none"
	}
	return strings.Join(all, ", ")
}

// follower reads them; nil where there are none.
func (f followed) follower(j *journal.Journal, log zerolog.Logger) *transcript.Follower {
	if !f.announced && len(f.trees) == 0 {
		return nil
	}
	follower := actiongraph.TranscriptFollower(j)
	follower.Announced, follower.Trees, follower.Log = f.announced, f.trees, log
	return follower
}

// printFollowed prints how a daemon's reading of files as they grow is.
func (a *app) printFollowed(noun string, h *transcript.Health) {
	if h == nil {
		return
	}
	field := func(name, format string, args ...any) { a.printf("%-10s"+format+"\n", append([]any{name}, args...)...) }
	a.printf("\n")
	behind := "nothing is behind"
	if h.Behind > 0 {
		behind = render.Bytes(h.Behind) + " behind"
	}
	field("follows", "%s; %s", render.Plural(int64(h.Files), noun), behind)
	if h.Lines > 0 {
		field("read", "%s, %s since it began, the last %s", render.Plural(h.Lines, "line"), render.Plural(h.Events, "event"), render.Time(h.ReadAt))
	}
	if h.Broken > 0 {
		field("broken", "%s passed over", render.Plural(h.Broken, "line"))
	}
	if len(h.Unknown) > 0 {
		field("unknown", "%s", unknownKinds(h.Unknown))
	}
	if h.Failing > 0 {
		field("failing", "%s cannot be read now", render.Plural(int64(h.Failing), noun))
	}
	if h.Waiting > 0 {
		field("waiting", "%s whose one JSON value does not end yet, among them %s", render.Plural(int64(h.Waiting), noun), render.OneLine(h.WaitsFor))
	}
	if h.LastError != "" {
		when := render.Time(h.LastErrorAt) + " "
		if h.Failing == 0 {
			when += "(over) "
		}
		field("error", "%s%s", when, render.OneLine(h.LastError))
	}
}

// printSkipped prints what was passed over in the transcripts that were ever read.
func (a *app) printSkipped(s *transcript.Skipped) {
	if s == nil {
		return
	}
	var parts []string
	if s.Broken > 0 {
		parts = append(parts, render.Plural(s.Broken, "broken line"))
	}
	if len(s.Unknown) > 0 {
		parts = append(parts, "lines of unknown types: "+unknownKinds(s.Unknown))
	}
	a.printf("\n%-10sin %s, by all imports and daemons: %s\n", "skipped", render.Plural(int64(s.Files), "transcript"), strings.Join(parts, "; "))
}

// unknownKinds names types of lines with how many there were, the most frequent first.
func unknownKinds(counts map[string]int64) string {
	kinds := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	var parts []string
	for _, kind := range kinds {
		parts = append(parts, cmp.Or(render.OneLine(kind), "(no type)")+" × "+render.Count(counts[kind]))
	}
	return strings.Join(parts, ", ")
}
