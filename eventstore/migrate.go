package eventstore

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/actiongraph/actiongraph/eventstore/record"
)

// Options are what Migrate takes; the zero value is the default.
type Options struct {
	// Sessions are the ids of those that are migrated; nil is all.
	Sessions []string
	// SkipCorrupted leaves records out that are no events, and counts them. Without it
	// one of them fails its session.
	SkipCorrupted bool
	// Progress, which may be nil, is called after events were read: how many of how many. Of
	// named sessions the total is not known, and 0.
	Progress func(done, total int64)
}

// Status is how the migration of a session ended.
type Status string

const (
	Migrated  Status = "migrated"
	Unchanged Status = "unchanged" // all was there already
	Forgotten Status = "forgotten" // the home that it goes to was told to forget it
	Failed    Status = "failed"
)

// Report is what became of one session.
type Report struct {
	Session string `json:"session"`
	Status  Status `json:"status"`
	Events  int    `json:"events_migrated"`             // that were not there
	Skipped int    `json:"corrupted_skipped,omitempty"` // see Options.SkipCorrupted
	Error   string `json:"error,omitempty"`
}

// Migrate appends what one store has and the other has not. Each session is one transaction,
// and one that fails does not stop the others; the error joins one for each. To migrate again,
// after a kill for instance, goes on where it was. The reports are those of the sessions that
// were begun.
func Migrate(ctx context.Context, from, to Store, o Options) ([]Report, error) {
	m := migration{ctx: ctx, from: from, to: to, options: o}
	ids := o.Sessions
	if ids == nil {
		sessions, err := from.Sessions(ctx)
		if err != nil {
			return nil, err
		}
		for _, s := range sessions {
			ids = append(ids, s.ID)
			m.total += s.Events
		}
	}
	reports, errs := []Report{}, []error(nil)
	for _, id := range ids {
		r, err := m.session(id)
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		if err != nil {
			r.Status, r.Error = Failed, err.Error()
			errs = append(errs, fmt.Errorf("session %s: %w", id, err))
		}
		reports = append(reports, r)
		if ctx.Err() != nil {
			break
		}
	}
	return reports, errors.Join(errs...)
}

// migration is one Migrate.
type migration struct {
	ctx         context.Context
	from, to    Store
	options     Options
	done, total int64
}

func (m *migration) session(id string) (Report, error) {
	r := Report{Session: id, Status: Unchanged}
	s := source{migration: m, session: id}
	added, err := m.to.Append(m.ctx, id, s.lines())
	r.Events, r.Skipped = added, s.skipped
	switch {
	case errors.Is(err, ErrForgotten):
		r.Status = Forgotten
		return r, nil
	case errors.Is(err, ErrCorrupted):
		return r, fmt.Errorf("%s: %w (--skip-corrupted leaves it out)", s.at.Place(), err)
	case err != nil:
		return r, err
	}
	if added > 0 {
		r.Status = Migrated
	}
	return r, nil
}

// source is one session as it is read.
type source struct {
	*migration
	session string
	parser  record.Parser
	at      Record // the last one that was read
	skipped int
}

// lines are those of the session's records that are to be appended.
func (s *source) lines() iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for r, err := range s.from.Records(s.ctx, s.session) {
			if err != nil {
				yield(nil, err)
				return
			}
			s.at = r
			s.done++
			if s.options.Progress != nil {
				s.options.Progress(s.done, s.total)
			}
			if s.options.SkipCorrupted && s.corrupted(r) {
				s.skipped++
				continue
			}
			if !yield(r.Line, r.Err) {
				return
			}
		}
	}
}

// corrupted reports whether a store would refuse the record.
func (s *source) corrupted(r Record) bool {
	if r.Err != nil {
		return true
	}
	_, err := s.parser.Parse(s.session, r.Line)
	return err != nil
}
