package actiongraph

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/redact"
	"github.com/actiongraph/actiongraph/transcript"
)

// TranscriptOptions are what ImportTranscripts takes; the zero value is the default.
type TranscriptOptions struct {
	// DryRun counts what is new and writes nothing.
	DryRun bool
	// Since leaves out sessions of which nothing is as new as that. A session is taken
	// whole or not at all.
	Since time.Time
	// Other, which may be nil, says which files of a folder that are not named like
	// transcripts are to be in the report's Foreign, too.
	Other func(path string) bool
}

// TranscriptReport says what ImportTranscripts did.
type TranscriptReport = transcript.Report

// TranscriptProgress is how far it is.
type TranscriptProgress = transcript.Progress

// ErrPartial is wrapped by the errors of ImportTranscripts and ImportJSONL where some
// files or lines could not be read and all others were: the report names them.
var ErrPartial = transcript.ErrPartial

// ImportTranscripts reads the session files that Claude Code left on disk into the
// journal: trees of them, or single files. Without paths it is those of
// TranscriptFolders. A file that is no transcript is no error: the report's Foreign has it. To import again reads only what is new; to stop it, or kill it,
// loses nothing. Sync brings what was read to the store. progress may be nil.
func (h *Home) ImportTranscripts(ctx context.Context, paths []string, o TranscriptOptions, progress func(TranscriptProgress)) (TranscriptReport, error) {
	return importTranscripts(ctx, transcriptReader(h.journal, h.redactor), paths, o, progress)
}

// CountTranscripts is what ImportTranscripts would do for a home with nothing in it.
func CountTranscripts(ctx context.Context, paths []string, o TranscriptOptions, progress func(TranscriptProgress)) (TranscriptReport, error) {
	o.DryRun = true
	return importTranscripts(ctx, transcriptReader(nil, redact.New(redact.Options{})), paths, o, progress)
}

func importTranscripts(ctx context.Context, r *transcript.Reader, paths []string, o TranscriptOptions, progress func(TranscriptProgress)) (TranscriptReport, error) {
	if len(paths) == 0 {
		paths = TranscriptFolders()
	}
	return r.Import(ctx, paths, transcript.Options{DryRun: o.DryRun, Since: o.Since, Other: o.Other}, progress)
}

func transcriptReader(j *journal.Journal, r *redact.Redactor) *transcript.Reader {
	host, user := machine()
	return &transcript.Reader{Journal: j, Redactor: r, Host: host, User: user}
}

// TranscriptsSkipped says what ImportTranscripts and daemons passed over in the transcripts
// of this machine that were ever read into a home.
func TranscriptsSkipped(home string) transcript.Skipped {
	host, _ := os.Hostname()
	return transcript.SkippedIn(home, host)
}

// TranscriptFolders are the folders in which Claude Code keeps its session files and
// that are there; PossibleTranscriptFolders are all where they may be.
func TranscriptFolders() (dirs []string) {
	for _, dir := range PossibleTranscriptFolders() {
		if info, err := os.Stat(dir); err == nil && info.IsDir() {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

// PossibleTranscriptFolders are $CLAUDE_CONFIG_DIR/projects, ~/.claude/projects and
// ~/.config/claude/projects.
func PossibleTranscriptFolders() (dirs []string) {
	if dir := os.Getenv("CLAUDE_CONFIG_DIR"); dir != "" {
		dirs = append(dirs, filepath.Join(dir, "projects"))
	}
	if home, err := os.UserHomeDir(); err == nil {
		dirs = append(dirs, filepath.Join(home, ".claude", "projects"), filepath.Join(home, ".config", "claude", "projects"))
	}
	return dirs
}
