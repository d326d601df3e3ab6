// Package history reads what was recorded of a session in its logical order, up to any point
// of it, and through to the sessions that it was forked from.
//
// The order of a session's events is that of their times, not of their lines: transcripts
// come minutes after hooks, imports years. A Point is a place in that order; what it includes
// is the session as it was then. A fork (an event of type fork with a parent_session_id)
// shares the history of its parent up to the point that it names, and that one's parent's
// likewise, so that its Log is a list of Segments, the oldest first.
package history

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/schema"
)

// Source is where the records of sessions are: a journal, or an event store.
type Source interface {
	// Lines passes every record of a session to yield, in the order in which it was
	// recorded, without its newline. The line is valid until yield returns, whose error
	// ends it and is returned. A session that is not there is an error that wraps
	// fs.ErrNotExist.
	Lines(ctx context.Context, session string, yield func(line []byte) error) error
}

// Journal is a Source of a home's journal.
func Journal(j *journal.Journal) Source { return inJournal{j} }

type inJournal struct{ *journal.Journal }

func (j inJournal) Lines(ctx context.Context, session string, yield func(line []byte) error) error {
	for line, err := range j.Records(session) {
		if err = cmp.Or(err, ctx.Err()); err == nil {
			err = yield(line)
		}
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}

// Record is one record of a session.
type Record struct {
	schema.Event
	// Line is the record as it was written, without its newline.
	Line []byte
}

// Segment is the part of a session's history that was recorded as that of one session.
type Segment struct {
	Session string
	// Until is the last point of it that counts.
	Until Point
}

// Log is the history of a session up to a point. Its methods read its Source anew, and may
// be called from many goroutines.
type Log struct {
	// Segments are the session's ancestors, the oldest first, and then itself. Where an
	// ancestor is not in the Source, what is older is not either.
	Segments []Segment
	// Missing is the parent that a segment names and the Source has not, "" if it has all.
	Missing string

	source  Source
	journal string // its id, where the source is one
}

// maxAncestors ends a circle of forks, which no producer makes but a file can say.
const maxAncestors = 1000

// Open returns the history of a session up to a point, its ancestors' included. A session
// that is not in the source is an error that wraps fs.ErrNotExist.
func Open(ctx context.Context, source Source, session string, until Point) (*Log, error) {
	l := &Log{source: source}
	if j, ok := source.(inJournal); ok {
		l.journal = j.ID()
	}
	for range maxAncestors {
		fork, err := l.fork(ctx, session)
		if errors.Is(err, fs.ErrNotExist) && len(l.Segments) > 0 {
			l.Missing = session
			break
		}
		if err != nil {
			return nil, fmt.Errorf("history of session %s: %w", session, err)
		}
		l.Segments = append(l.Segments, Segment{session, until})
		if fork == nil {
			break
		}
		session = schema.SafeID(fork.ParentSessionID)
		if slices.ContainsFunc(l.Segments, func(s Segment) bool { return s.Session == session }) {
			break
		}
		if until, err = l.left(ctx, session, fork, until); err != nil {
			return nil, fmt.Errorf("history of session %s: %w", session, err)
		}
	}
	slices.Reverse(l.Segments)
	return l, nil
}

// Session is the session whose history it is.
func (l *Log) Session() string { return l.Segments[len(l.Segments)-1].Session }

// fork returns the event that says which session a session was forked from, and where: of
// several the latest, as the graph has it; nil where it is no fork.
func (l *Log) fork(ctx context.Context, session string) (*schema.Event, error) {
	var fork schema.Event
	err := records(ctx, l.source, session, func(r *Record) error {
		if r.EventType == schema.Fork && r.ParentSessionID != "" && r.ParentSessionID != session &&
			(fork.EventID == "" || Compare(&fork, &r.Event) < 0) {
			fork = schema.Event{ // of r's fields some alias its line
				EventID: r.EventID, Timestamp: r.Timestamp, Seq: r.Seq,
				ParentSessionID: r.ParentSessionID, ParentEventID: r.ParentEventID,
			}
		}
		return nil
	})
	if err != nil || fork.EventID == "" {
		return nil, err
	}
	return &fork, nil
}

// left returns where a fork left its parent, as far as until includes it. An event that
// nobody has, as where a hook was not there to record it, leaves its time.
func (l *Log) left(ctx context.Context, parent string, fork *schema.Event, until Point) (Point, error) {
	at, err := l.inherited(ctx, parent, fork.ParentEventID)
	switch {
	case errors.Is(err, graph.ErrNotFound) || errors.Is(err, fs.ErrNotExist):
		at = Moment(fork.Timestamp)
	case err != nil:
		return at, err
	}
	if until.Before(at) {
		return until, nil
	}
	return at, nil
}

// inherited returns the point of an event of a session, which may have it from its ancestors.
func (l *Log) inherited(ctx context.Context, session, event string) (Point, error) {
	if event == "" {
		return Point{}, graph.ErrNotFound
	}
	for asked := []string{}; !slices.Contains(asked, session) && len(asked) < maxAncestors; {
		p, err := Find(ctx, l.source, session, event)
		if !errors.Is(err, graph.ErrNotFound) {
			return p, err
		}
		fork, forkErr := l.fork(ctx, session)
		if forkErr != nil || fork == nil {
			return p, cmp.Or(forkErr, err)
		}
		asked, session = append(asked, session), schema.SafeID(fork.ParentSessionID)
	}
	return Point{}, graph.ErrNotFound
}

// Records passes every record of the history to yield, segment by segment, each as it was
// recorded: what a fold takes, to which the order is nothing. What is no event of its
// session, or of a newer version of this program, is passed over. The record is valid until
// yield returns.
func (l *Log) Records(ctx context.Context, yield func(segment int, r *Record) error) error {
	for i, s := range l.Segments {
		err := records(ctx, l.source, s.Session, func(r *Record) error {
			if !s.Until.Includes(&r.Event) {
				return nil
			}
			return yield(i, r)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func records(ctx context.Context, source Source, session string, yield func(*Record) error) error {
	lines := schema.Decoder{Alias: true}
	var r Record
	return source.Lines(ctx, session, func(line []byte) (err error) {
		if r.Event, err = lines.Record(line, session); err != nil {
			return nil
		}
		r.Line = line
		return yield(&r)
	})
}

// taken is how many events are folded before what they changed is taken: until then it is
// in memory, texts included.
const taken = 1000

// Fold folds each segment as the session that it was recorded as, and passes what comes of it
// to take. It is what a store has of these sessions.
func (l *Log) Fold(ctx context.Context, take func(session string, ops []graph.Op) error) error {
	for _, s := range l.Segments {
		one := &Log{Segments: []Segment{s}, source: l.source}
		err := one.fold(ctx, graph.NewSession(s.Session, l.journal), func(ops []graph.Op) error { return take(s.Session, ops) })
		if err != nil {
			return err
		}
	}
	return nil
}

// FoldAs folds the whole history as that of one session of a name: what the agent saw as one
// conversation. Two histories that are folded under one name can be compared key by key,
// wherever they were recorded.
func (l *Log) FoldAs(ctx context.Context, session string, take func(ops []graph.Op) error) error {
	return l.fold(ctx, graph.NewSession(session, ""), take)
}

func (l *Log) fold(ctx context.Context, into *graph.Session, take func(ops []graph.Op) error) error {
	n := 0
	err := l.Records(ctx, func(_ int, r *Record) error {
		into.Apply(&r.Event)
		if n++; n%taken != 0 {
			return nil
		}
		return take(into.Take())
	})
	if err != nil {
		return err
	}
	return take(into.Take())
}
