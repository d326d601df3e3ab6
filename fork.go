package actiongraph

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/google/uuid"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/errcode"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/history"
	"github.com/actiongraph/actiongraph/internal/forget"
	"github.com/actiongraph/actiongraph/schema"
)

// Fork says where a session is to be forked. AtEvent or AtTurn is given.
type Fork struct {
	Session string // that it is forked from
	// AtEvent is the last event that the fork shares: its id, or a beginning of it of at least
	// eight characters. It may be one that the session itself shares with its parent.
	AtEvent string
	// AtTurn is the last of the session's own turns that the fork shares, whole; the first is 1.
	AtTurn int64
	Label  string
	// SessionID is the fork's; "" makes a new one, a UUID.
	SessionID string
}

// Forked is a fork of a session.
type Forked struct {
	SessionID       string    `json:"session_id"`
	ParentSessionID string    `json:"parent_session_id"`
	ParentEventID   string    `json:"parent_event_id"`
	ParentEventTime time.Time `json:"parent_event_time"`
	Label           string    `json:"label,omitempty"`
	Events          int       `json:"events"` // that it shares, as diff counts them
	// Known says that it was there before.
	Known bool `json:"known,omitempty"`
}

// forkWait is how long Fork waits for who forgets, packs or scrubs sessions.
const forkWait = 10 * time.Second

// Fork makes a session that shares the history of another one up to a point, that included, and
// goes on by itself: whatever is recorded under its id continues it. Nothing is copied, and the
// other session is not touched. To make the same fork again changes nothing; an id that
// is of another session is an error that wraps fs.ErrExist, an event or a turn that is not there
// one that wraps graph.ErrNotFound.
func (h *Home) Fork(ctx context.Context, f Fork) (Forked, error) {
	f.Session, f.SessionID = schema.SafeID(f.Session), cmp.Or(f.SessionID, uuid.NewString())
	if !schema.ValidID(f.SessionID) || schema.NoSession(f.SessionID) || f.SessionID == schema.SafeID("") {
		return Forked{}, &schema.FieldError{Field: "session_id", Problem: fmt.Sprintf("%q is no session's id: want %s", f.SessionID, schema.IDPattern)}
	}
	if err := forget.Resume(h.journal); err != nil {
		return Forked{}, err
	}
	// Who forgets the parent makes its forks independent first: of those that are there.
	lock, err := connector.LockHome(h.journal.Home(), connector.JournalLock, forkWait)
	if err != nil {
		return Forked{}, err
	}
	forked, err := h.fork(ctx, f)
	if err = errors.Join(err, lock.Unlock()); err != nil {
		return Forked{}, fmt.Errorf("fork session %s: %w", f.Session, err)
	}
	return forked, nil
}

func (h *Home) fork(ctx context.Context, f Fork) (Forked, error) {
	for _, id := range []string{f.Session, f.SessionID} {
		if h.Forgotten(id) {
			return Forked{}, &ForgottenError{Sessions: []string{id}}
		}
	}
	source := history.Journal(h.journal)
	whole, err := history.Open(ctx, source, f.Session, history.Point{})
	if errors.Is(err, fs.ErrNotExist) {
		return Forked{}, fmt.Errorf("it is not in this journal, which has to have its events: %w", graph.ErrNotFound)
	}
	if err != nil {
		return Forked{}, err
	}
	var at history.Point
	if f.AtEvent != "" {
		if at, err = whole.Find(ctx, f.AtEvent); errors.Is(err, graph.ErrNotFound) {
			err = fmt.Errorf("event %s is not in its history: %w", f.AtEvent, graph.ErrNotFound)
		}
	} else {
		at, err = h.endOfTurn(ctx, whole, f.AtTurn)
	}
	if err != nil {
		return Forked{}, err
	}
	shared, err := history.Open(ctx, source, f.Session, at)
	if err != nil {
		return Forked{}, err
	}
	e, events, err := forkFact(ctx, shared, f, at)
	if err != nil {
		return Forked{}, err
	}
	out := Forked{
		SessionID: f.SessionID, ParentSessionID: f.Session, ParentEventID: at.Event(), ParentEventTime: at.Time(), Label: f.Label, Events: events,
	}
	known, label, err := h.knownFork(ctx, f.SessionID, e.EventID)
	if err != nil {
		return out, err
	}
	if known {
		out.Known, out.Label = true, label
		return out, nil
	}
	line := h.redactor.Event(e)
	if _, left := line.LeftOut(); left {
		return out, errcode.With(errcode.SessionLeftOut, errors.New("the capture policy in config.toml leaves out what happens in its project, and so the fork"))
	}
	return out, errors.Join(h.journal.Append(line), h.journal.Sync(f.SessionID))
}

// forkFact is the event that a fork's record begins with, and how many events it shares. It says
// of where, of whom and of which runtime the session is what the last event before said of that.
func forkFact(ctx context.Context, shared *history.Log, f Fork, at history.Point) (schema.Event, int, error) {
	e := schema.Event{
		V: schema.Version, EventID: schema.EventID(schema.OriginAPI, string(schema.Fork), f.SessionID, f.Session, at.Event()),
		EventType: schema.Fork, SessionID: f.SessionID, Timestamp: at.Time(), Origin: schema.OriginAPI, Actor: schema.ActorUser,
		ParentSessionID: f.Session, ParentEventID: at.Event(), Title: f.Label,
	}
	extra, err := json.Marshal(map[string]string{"forked_at": schema.FormatTime(time.Now())})
	if err != nil {
		return e, 0, err
	}
	e.Extra = extra
	seen := map[string]bool{}
	said := map[*string]schema.Event{}
	err = shared.Records(ctx, func(_ int, r *history.Record) error {
		if r.EventType != schema.Fork && r.EventType != schema.SourcePosition { // these are about the record
			seen[r.EventID] = true
		}
		place := schema.Event{EventID: r.EventID, Timestamp: r.Timestamp, Seq: r.Seq}
		for to, value := range map[*string]string{&e.WorkingDirectory: r.WorkingDirectory, &e.SourceSDK: r.SourceSDK, &e.Host: r.Host, &e.UserID: r.UserID} {
			if last, ok := said[to]; value != "" && (!ok || history.Compare(&last, &place) < 0) {
				*to, said[to] = value, place
			}
		}
		return nil
	})
	if err == nil {
		err = e.Validate()
	}
	return e, len(seen), err
}

// knownFork reports whether a session is there already as the fork that an event makes it. A
// session of that id that is another one is an error.
func (h *Home) knownFork(ctx context.Context, session, event string) (known bool, label string, err error) {
	err = history.Journal(h.journal).Lines(ctx, session, func(line []byte) error {
		if schema.FieldString(line, "event_id") == event {
			known, label = true, schema.FieldString(line, "title")
		}
		return nil
	})
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, "", nil
	case err == nil && !known:
		err = errcode.With(errcode.SessionExists, fmt.Errorf("session %s is there already, and is not this fork: give another id: %w", session, fs.ErrExist))
	}
	return known, label, err
}

// endOfTurn returns the point of the last event of a turn: what comes next is the next prompt, or
// of the last turn what only says how the session ended.
func (h *Home) endOfTurn(ctx context.Context, log *history.Log, turn int64) (at history.Point, err error) {
	main := ""
	actions, err := h.Actions(ctx, graph.ActionFilter{Session: log.Session(), Agent: &main})
	if err != nil {
		return at, err
	}
	var next time.Time
	last := int64(0)
	for _, a := range actions {
		if last = max(last, a.Turn); a.Turn > turn && (next.IsZero() || a.Timestamp.Before(next)) {
			next = a.Timestamp
		}
	}
	if turn < 1 || turn > last {
		return at, fmt.Errorf("turn %d: the session has %d of its own: %w", turn, last, graph.ErrNotFound)
	}
	var event schema.Event
	err = log.Records(ctx, func(segment int, r *history.Record) error {
		switch r.EventType {
		case schema.SessionEnd, schema.Tag, schema.SessionUpdate, schema.SourcePosition, schema.Fork:
			return nil
		}
		if segment == len(log.Segments)-1 && (next.IsZero() || r.Timestamp.Before(next)) &&
			(event.EventID == "" || history.Compare(&event, &r.Event) < 0) {
			event = schema.Event{EventID: r.EventID, Timestamp: r.Timestamp, Seq: r.Seq}
		}
		return nil
	})
	if err == nil && event.EventID == "" {
		err = fmt.Errorf("turn %d: no event of it is in the journal: %w", turn, graph.ErrNotFound)
	}
	return history.Of(&event), err
}
