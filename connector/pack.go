package connector

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/actiongraph/actiongraph/errcode"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/schema"
)

// PackOptions say which sessions Pack packs.
type PackOptions struct {
	Sessions  []string      // these alone; none is all
	OlderThan time.Duration // those to which nothing was written for so long
	DryRun    bool          // none: only the report
	Now       time.Time
	// Progress, which may be nil, gets the bytes of journal that are packed and to be packed.
	Progress func(done, total int64)
}

// PackReport says what Pack did, or would do.
type PackReport struct {
	Sessions []PackedSession `json:"sessions"` // that are packed now and were not, in the order of their ids
	Before   int64           `json:"before_bytes"`
	After    int64           `json:"after_bytes"` // absent from a dry run
	// Packed, Open and Recent count the sessions that were left as they are: nothing was written
	// to them since they were packed, they have not ended, something was written lately.
	Packed   int           `json:"packed"`
	Open     int           `json:"open"`
	Recent   int           `json:"recent"`
	Finished int           `json:"finished"` // whose packing a kill had interrupted
	Failed   int           `json:"failed"`
	DryRun   bool          `json:"dry_run"`
	Duration time.Duration `json:"duration_ns"`
}

// PackedSession is one session of a PackReport: the bytes that its files took before and after.
type PackedSession struct {
	ID     string `json:"session_id"`
	Before int64  `json:"before_bytes"`
	After  int64  `json:"after_bytes,omitempty"`
}

// Pack packs the sessions that have ended, as r says, and are quiet. To readers and stores nothing
// changes by that. It also completes what a Pack left that was killed. A session that cannot be
// packed does not stop the others; the error joins one for each, and for each of those that
// o names which is not there, or has not ended. While another process packs or scrubs, the
// error wraps ErrLocked.
func Pack(ctx context.Context, j *journal.Journal, r Reader, o PackOptions) (report PackReport, err error) {
	start := time.Now()
	var errs []error
	report.DryRun, report.Sessions = o.DryRun, []PackedSession{}
	if !o.DryRun {
		lock, err := LockHome(j.Home(), JournalLock, time.Second)
		if err != nil {
			return report, err
		}
		defer lock.Unlock()
		report.Finished, err = j.CompletePacks(ctx)
		errs = append(errs, err)
	}
	files, err := chosen(ctx, j, r, o, &report)
	if err != nil && len(o.Sessions) == 0 {
		return report, errors.Join(append(errs, err)...)
	}
	errs = append(errs, err)
	var done, total int64
	for _, f := range files {
		total += f.Size
	}
	for _, f := range files {
		if ctx.Err() != nil {
			errs = append(errs, ctx.Err())
			break
		}
		if err := report.pack(ctx, j, f, o.DryRun); err != nil {
			report.Failed++
			errs = append(errs, err)
		}
		if done += f.Size; o.Progress != nil {
			o.Progress(done, total)
		}
	}
	report.Duration = time.Since(start)
	return report, errors.Join(errs...)
}

func (p *PackReport) pack(ctx context.Context, j *journal.Journal, f journal.File, dry bool) error {
	s := PackedSession{ID: f.Session, Before: f.Stored}
	if !dry {
		if err := j.Pack(ctx, f.Session); err != nil {
			return err
		}
		now, err := j.Stat(f.Session)
		if errors.Is(err, fs.ErrNotExist) {
			return nil // forgotten meanwhile
		}
		if err != nil {
			return err
		}
		s.After = now.Stored
	}
	p.Sessions = append(p.Sessions, s)
	p.Before += s.Before
	p.After += s.After
	return nil
}

// chosen returns the sessions to be packed, and counts the others.
func chosen(ctx context.Context, j *journal.Journal, r Reader, o PackOptions, report *PackReport) ([]journal.File, error) {
	files, err := j.Files()
	if err != nil {
		return nil, err
	}
	rows, err := r.Sessions(ctx, graph.SessionFilter{})
	if err != nil {
		return nil, err
	}
	status := make(map[string]string, len(rows))
	for _, row := range rows {
		status[row.SessionID] = row.Status
	}
	var errs []error
	for _, session := range o.Sessions {
		if !slices.ContainsFunc(files, func(f journal.File) bool { return f.Session == session }) {
			errs = append(errs, fmt.Errorf("session %s is not in this journal", session))
		}
	}
	var all []journal.File
	for _, f := range files {
		if len(o.Sessions) > 0 && !slices.Contains(o.Sessions, f.Session) {
			continue
		}
		ended := status[f.Session] // what this journal has of another's session is one of its own
		if own := status[graph.ContinuationID(f.Session, j.ID())]; own != "" {
			ended = own
		}
		switch {
		case f.Size == f.Packed:
			report.Packed++
		case ended == "" || ended == schema.StatusActive:
			report.Open++
			if len(o.Sessions) > 0 {
				errs = append(errs, errcode.With(errcode.SessionRunning, fmt.Errorf("session %s has not ended: it is packed when it has, or was silent for 24 hours", f.Session)))
			}
		case o.Now.Sub(f.ModTime) < o.OlderThan:
			report.Recent++
		default:
			all = append(all, f)
		}
	}
	return all, errors.Join(errs...)
}
