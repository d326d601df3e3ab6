package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/spf13/cobra"

	"github.com/actiongraph/actiongraph"
	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/errcode"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/history"
	"github.com/actiongraph/actiongraph/internal/render"
)

// pointHelp says in flags' help what a point of a session is.
const pointHelp = "an event's id or the beginning of it, or a time: " + whenHelp

// readsAt gives a verb of one session the flag --at, which readSession looks at.
func (a *app) readsAt(cmd *cobra.Command) {
	cmd.Flags().StringVar(&a.at, "at", "", "the session as it was at this `point`: "+pointHelp)
	cmd.PreRunE = func(cmd *cobra.Command, args []string) error {
		switch {
		case !cmd.Flags().Changed("at"):
			return nil
		case a.at == "":
			return usagef("--at is empty: give %s", pointHelp)
		case len(args) == 0:
			return usagef("--at is a point of one session: name the SESSION, too")
		case len(a.graphs) > 0:
			return usagef("--at with --graph: a graph database has no events to say how a session was; the machine that recorded it has, without --graph")
		}
		return nil
	}
}

// readAt is what readSession does with --at: the events of the session up to there are
// folded into memory, and answer.
func (a *app) readAt(ctx context.Context, s graph.SessionRow, fn func(context.Context, connector.Reader, graph.SessionRow) error) error {
	j, err := a.ownJournal()
	if err != nil {
		return err
	}
	source, id := history.Journal(j), journalSession(j, s.SessionID)
	at, err := a.point(ctx, source, id, a.at)
	if err != nil {
		return err
	}
	past, err := history.Open(ctx, source, id, at)
	if err != nil {
		return err
	}
	r, err := actiongraph.ReadHistory(ctx, past)
	if err != nil {
		return err
	}
	defer r.Close()
	row, err := then(ctx, r, past, s)
	if err != nil {
		return err
	}
	a.note("session %s as it was at %s", id, pointText(at))
	return fn(ctx, r, row)
}

// point is the place in a session's history that arg names: an event of it, or of what it
// was forked from, or a time.
func (a *app) point(ctx context.Context, source history.Source, session, arg string) (history.Point, error) {
	l, err := history.Open(ctx, source, session, history.Point{})
	if errors.Is(err, fs.ErrNotExist) {
		err = errcode.With(errcode.SessionNotThen, fmt.Errorf("the events of session %s are not here any more: how it was is not known", session))
	}
	if err != nil {
		return history.Point{}, err
	}
	at, err := l.Find(ctx, arg)
	if !errors.Is(err, graph.ErrNotFound) {
		return at, err
	}
	t, notTime := parseWhen(arg, a.now(), true)
	if notTime != nil {
		return at, usagef("%q is no event of session %s, and no time: ag-sessiond inspect --session %s lists its events; a time is %s",
			arg, session, session, whenHelp)
	}
	return history.Moment(t), nil
}

// pointText is a point for people: its time, and its event.
func pointText(at history.Point) string {
	text := render.Time(at.Time())
	if at.Event() != "" {
		text = fmt.Sprintf("event %s, %s", at.Event(), text)
	}
	return cmp.Or(text, "its end")
}

// then is the row that a session had at a point, of which r has the graph.
func then(ctx context.Context, r connector.Reader, past *history.Log, now graph.SessionRow) (graph.SessionRow, error) {
	rows, err := r.Sessions(ctx, graph.SessionFilter{})
	if err != nil {
		return now, err
	}
	for i, segment := range slices.Backward(past.Segments) {
		has := slices.IndexFunc(rows, func(row graph.SessionRow) bool { return row.SessionID == segment.Session })
		switch {
		case has < 0:
		case i == len(past.Segments)-1:
			return rows[has], nil
		default:
			return now, errcode.With(errcode.SessionNotThen, fmt.Errorf("session %s was not forked yet then: it was session %s", past.Session(), segment.Session))
		}
	}
	return now, errcode.With(errcode.SessionNotThen, fmt.Errorf("session %s had not begun then: it did at %s", past.Session(), render.Time(now.StartedAt)))
}
