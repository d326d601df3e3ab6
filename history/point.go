package history

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/actiongraph/actiongraph/errcode"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/schema"
)

// Compare orders the events of a session: by time, by the order of their source, and by id,
// so that no two are equal.
func Compare(a, b *schema.Event) int { return Of(a).compare(Of(b)) }

// Point is a place in the logical order of a session's events. The zero Point is behind all
// that is recorded.
type Point struct {
	time  time.Time
	seq   int64
	event string
}

// Moment is the point behind everything that has at most this time.
func Moment(t time.Time) Point { return Point{time: t, seq: math.MaxInt64} }

// Of is the point of an event, which it includes.
func Of(e *schema.Event) Point { return Point{e.Timestamp, e.Seq, e.EventID} }

// End reports whether the point is behind all that is recorded.
func (p Point) End() bool { return p.time.IsZero() }

// Time is when it is; zero where it is the end.
func (p Point) Time() time.Time { return p.time }

// Event is the id of the event that it is of; "" where it is a moment or the end.
func (p Point) Event() string { return p.event }

// Includes reports whether an event is at or before the point.
func (p Point) Includes(e *schema.Event) bool {
	return p.End() || !p.Before(Of(e))
}

// Before reports whether the point is before another one.
func (p Point) Before(o Point) bool { return p.compare(o) < 0 }

func (p Point) compare(o Point) int {
	switch {
	case p.End() && o.End():
		return 0
	case p.End():
		return 1
	case o.End():
		return -1
	}
	return cmp.Or(p.time.Compare(o.time), cmp.Compare(p.seq, o.seq), strings.Compare(p.event, o.event))
}

// String is the event's id, the time, or "the end".
func (p Point) String() string {
	switch {
	case p.event != "":
		return p.event
	case p.End():
		return "the end"
	}
	return schema.FormatTime(p.time)
}

// shortest is how much of an event's id names it, at least.
const shortest = 8

// Find returns the point of one event of a session, by its id or a beginning of it that no
// other event of the session has. Of several records of one event it is the first's. The error wraps
// graph.ErrNotFound where the session has no such event; ancestors are not asked.
func Find(ctx context.Context, source Source, session, event string) (Point, error) {
	found := map[string]Point{}
	err := records(ctx, source, session, func(r *Record) error {
		id := r.EventID
		if id != event && (len(event) < shortest || !strings.HasPrefix(id, event)) {
			return nil
		}
		if p, again := found[id]; !again || Of(&r.Event).Before(p) {
			found[id] = Of(&r.Event)
		}
		return nil
	})
	if err != nil {
		return Point{}, err
	}
	if p, exact := found[event]; exact {
		return p, nil
	}
	switch len(found) {
	case 0:
		return Point{}, fmt.Errorf("event %s of session %s: %w", event, session, graph.ErrNotFound)
	case 1:
		for _, p := range found {
			return p, nil
		}
	}
	return Point{}, errcode.With(errcode.SessionAmbiguous, fmt.Errorf("%d events of session %s begin with %s: give more of the id", len(found), session, event))
}

// Find returns the point of one event of the history, by its id or the beginning of it: that
// of the session itself where it has one, else of the nearest ancestor.
func (l *Log) Find(ctx context.Context, event string) (p Point, err error) {
	for i := len(l.Segments) - 1; i >= 0; i-- {
		s := l.Segments[i]
		if p, err = Find(ctx, l.source, s.Session, event); err == nil && !s.Until.Before(p) {
			return p, nil
		}
	}
	if err == nil {
		err = fmt.Errorf("event %s is behind what session %s shares with its parent: %w", event, l.Session(), graph.ErrNotFound)
	}
	return Point{}, err
}
