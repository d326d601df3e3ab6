package actiongraph

import (
	"context"
	"io"

	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/redact"
	"github.com/actiongraph/actiongraph/source"
)

// JSONLOptions are what ImportJSONL takes; the zero value finds out what a file is.
type JSONLOptions = source.Options

// JSONLReport says what ImportJSONL did.
type JSONLReport = source.Report

// JSONLProgress is how far it is.
type JSONLProgress = source.Progress

// ImportJSONL reads the JSONL of other agents into the journal: audit dumps, Action
// grains, events of the protocol; files, also compressed ones, folders and globs, and stdin for
// "-". To import again reads only what is new; to stop it, or kill it, loses nothing. Sync
// brings what was read to the store. progress may be nil.
//
// The error wraps ErrPartial where some files or lines could not be read and all others
// were. A file of no format that is known is no error: the report's Foreign has it.
func (h *Home) ImportJSONL(ctx context.Context, paths []string, stdin io.Reader, o JSONLOptions, progress func(JSONLProgress)) (JSONLReport, error) {
	return sourceReader(h.journal, h.redactor).Import(ctx, paths, stdin, o, progress)
}

// CountJSONL is what ImportJSONL would do for a home with nothing in it.
func CountJSONL(ctx context.Context, paths []string, stdin io.Reader, o JSONLOptions, progress func(JSONLProgress)) (JSONLReport, error) {
	o.DryRun = true
	return sourceReader(nil, redact.New(redact.Options{})).Import(ctx, paths, stdin, o, progress)
}

func sourceReader(j *journal.Journal, r *redact.Redactor) *source.Reader {
	host, user := machine()
	return &source.Reader{Journal: j, Redactor: r, Host: host, User: user}
}

// SourceFollower returns what reads the JSONL of other agents into a journal as it grows:
// give it to connector.Follow, or run it.
func SourceFollower(j *journal.Journal, specs ...source.Spec) *source.Follower {
	return &source.Follower{Reader: sourceReader(j, j.Redactor("")), Specs: specs}
}
