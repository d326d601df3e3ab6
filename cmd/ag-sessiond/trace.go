package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/errcode"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/history"
	"github.com/actiongraph/actiongraph/internal/render"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/schema"
)

func (a *app) traceCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "trace SESSION",
		Short: "Print a session's events, one line each: [type] id summary",
		Long: `Print the events of a session as its journal has them, in the order of their times,
one line each: [type] id summary. With --json they are whole. A graph holds no events:
with --graph only the SESSION is looked up there, and its journal has to be here. Of a fork the
events that it shares come first: their session_id is that of the session that it was forked from.`,
		Example: `  ag-sessiond trace latest
  ag-sessiond trace c8813339 --json | jq '.[].hook_event_name'`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: a.oneSession,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.readSession(cmd.Context(), args[0], func(ctx context.Context, _ connector.Reader, s graph.SessionRow) error {
				return a.trace(ctx, s.SessionID)
			})
		},
	}
}

// traced is one event: what is printed of it, and what orders it.
type traced struct {
	at   time.Time
	seq  int64
	id   string
	text string          // the line
	raw  json.RawMessage // the event, with --json

	end *schema.Event // of a call whose tool only its start names
}

func (a *app) trace(ctx context.Context, id string) error {
	j, log, err := a.ownHistory(ctx, id)
	if err != nil {
		return err
	}
	if log.Missing != "" {
		a.note("left out: what is shared with session %s, whose events are not here", log.Missing)
	}
	var events []traced
	unread := 0
	for _, segment := range log.Segments {
		its, bad, err := a.traceEvents(ctx, j, segment)
		if err != nil {
			return err
		}
		events, unread = append(events, its...), unread+bad
	}
	if unread > 0 {
		a.note("left out: %s of the journal that are no events; ag-sessiond status says more", render.Plural(int64(unread), "line"))
	}
	if a.json {
		raw := []json.RawMessage{}
		for _, e := range events {
			raw = append(raw, e.raw)
		}
		return a.printJSON(raw)
	}
	for _, e := range events {
		a.printf("%s\n", e.text)
	}
	return nil
}

// ownHistory is the history of a session of a store, which the journal of this home is to have.
func (a *app) ownHistory(ctx context.Context, id string) (*journal.Journal, *history.Log, error) {
	j, err := a.ownJournal()
	if err != nil {
		return nil, nil, errcode.With(errcode.SessionElsewhere, fmt.Errorf("the events of session %s are in the journal of the machine that recorded it: %w", id, err))
	}
	log, err := history.Open(ctx, history.Journal(j), journalSession(j, id), history.Point{})
	if err != nil {
		err = errcode.With(errcode.JournalUnreadable, fmt.Errorf("session %s is in the store, its journal file is not readable: %w", id, err))
		return nil, nil, interruptedOr(ctx, err)
	}
	return j, log, nil
}

// traceEvents reads a session's journal file, up to a point. A fact that was recorded twice
// is one event; what cannot be read is counted.
func (a *app) traceEvents(ctx context.Context, j *journal.Journal, segment history.Segment) (events []traced, unread int, err error) {
	c, err := j.Read(segment.Session, journal.Position{})
	if err != nil {
		return nil, 0, err
	}
	defer c.Close()
	tools := map[string]string{} // by the id of the call
	for ctx.Err() == nil {
		line, err := c.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, 0, err
		}
		e, err := schema.Decode(line)
		if err == nil {
			err = e.Validate()
		}
		if err != nil {
			unread++
			continue
		}
		if !segment.Until.Includes(&e) {
			continue
		}
		t := traced{at: e.Timestamp, seq: e.Seq, id: e.EventID}
		if e.ToolName != "" && e.ToolUseID != "" {
			tools[e.ToolUseID] = e.ToolName
		}
		switch {
		case a.json:
			t.raw = slices.Clone(line)
		case e.EventType == schema.ToolEnd && e.ToolName == "" && e.ToolUseID != "":
			t.end = &e
			t.end.Result = nil // which is not said, and may be long
		default:
			t.text = a.style.TraceLine(string(e.EventType), e.EventID, render.EventSummary(&e))
		}
		events = append(events, t)
	}
	for i := range events {
		if e := events[i].end; e != nil {
			e.ToolName = tools[e.ToolUseID]
			events[i].text, events[i].end = a.style.TraceLine(string(e.EventType), e.EventID, render.EventSummary(e)), nil
		}
	}
	slices.SortStableFunc(events, func(x, y traced) int {
		if n := x.at.Compare(y.at); n != 0 {
			return n
		}
		return int(min(max(x.seq-y.seq, -1), 1))
	})
	seen := make(map[string]bool, len(events))
	events = slices.DeleteFunc(events, func(e traced) bool {
		again := seen[e.id]
		seen[e.id] = true
		return again
	})
	return events, unread + c.Torn(), ctx.Err()
}
