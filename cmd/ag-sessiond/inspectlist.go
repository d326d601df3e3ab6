package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/actiongraph/actiongraph/errcode"
	"github.com/actiongraph/actiongraph/eventstore"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/history"
	"github.com/actiongraph/actiongraph/internal/render"
	"github.com/actiongraph/actiongraph/schema"
)

type inspectedSessions struct {
	Sessions []inspectedSession `json:"sessions"`
}

// inspectedSession is a session, and the last of its events.
type inspectedSession struct {
	SessionID string      `json:"session_id"`
	Events    int64       `json:"events"`
	First     time.Time   `json:"first_at"`
	Last      time.Time   `json:"last_at"`
	HeadID    string      `json:"head_event_id"`
	HeadType  schema.Type `json:"head_event_type"`
}

// inspectSessions lists the sessions, the one with the latest event first.
func (a *app) inspectSessions(ctx context.Context, store eventstore.Store, o inspectOptions) error {
	sessions, err := store.Sessions(ctx)
	if err != nil {
		return interruptedOr(ctx, unavailable(err))
	}
	slices.SortStableFunc(sessions, func(a, b eventstore.Session) int { return b.Last.Compare(a.Last) })
	all := len(sessions)
	if o.tail > 0 {
		sessions = sessions[:min(len(sessions), o.tail)]
	}
	out := inspectedSessions{Sessions: []inspectedSession{}}
	for _, s := range sessions {
		head, err := headOf(ctx, store, s.ID)
		if err != nil {
			return err
		}
		out.Sessions = append(out.Sessions, inspectedSession{s.ID, s.Events, s.First, s.Last, head.EventID, head.EventType})
	}
	if a.json {
		return a.printJSON(out)
	}
	if all == 0 {
		a.nothing("there is no session")
		return nil
	}
	var ids, heads []string
	for _, s := range out.Sessions {
		ids, heads = append(ids, s.SessionID), append(heads, s.HeadID)
	}
	ids, heads = shortIDs(ids), shortIDs(heads)
	cols := []render.Column{{Title: "LAST EVENT"}, {Title: "SESSION"}, {Title: "EVENTS", Right: true}, {Title: "BEGAN", Drop: 1},
		{Title: "HEAD", Paint: render.PaintDim, Drop: 2}, {Title: "", Drop: 3}}
	var cells [][]string
	for i, s := range out.Sessions {
		cells = append(cells, []string{render.Time(s.Last), ids[i], render.Count(s.Events), render.Time(s.First), heads[i], string(s.HeadType)})
	}
	if err := a.style.Table(a.out, cols, cells); err != nil {
		return err
	}
	if more := all - len(sessions); more > 0 {
		a.note("%s more: --tail 0 lists all", render.Count(int64(more)))
	}
	return nil
}

// headOf is the last event of a session: its id and type.
func headOf(ctx context.Context, source history.Source, session string) (head schema.Event, err error) {
	lines := schema.Decoder{Alias: true}
	err = source.Lines(ctx, session, func(line []byte) error {
		e, err := lines.Record(line, session)
		if err == nil && (head.EventID == "" || history.Compare(&head, &e) < 0) {
			head = schema.Event{EventID: e.EventID, EventType: e.EventType, Timestamp: e.Timestamp, Seq: e.Seq}
		}
		return nil
	})
	return head, err
}

// inspectedEvents are the last events of a session, each as it was recorded.
type inspectedEvents struct {
	SessionID string            `json:"session_id"`
	Total     int               `json:"total"` // of which events has the last
	Events    []json.RawMessage `json:"events"`
}

// inspectEvents prints the last events of a session.
func (a *app) inspectEvents(ctx context.Context, l *history.Log, tail int) error {
	type shown struct {
		cells []string
		raw   json.RawMessage
	}
	var last []shown
	total := 0
	err := l.Sorted(ctx, func(segment int, r *history.Record) error {
		of := ""
		if segment < len(l.Segments)-1 {
			of = l.Segments[segment].Session
		}
		s := shown{raw: slices.Clone(r.Line)}
		if !a.json {
			s = shown{cells: []string{render.Time(r.Timestamp), r.EventID, string(r.EventType), of, render.EventSummary(&r.Event)}}
		}
		if last = append(last, s); tail > 0 && len(last) > 2*tail {
			last = slices.Delete(last, 0, len(last)-tail)
		}
		total++
		return nil
	})
	if err != nil {
		return err
	}
	if tail > 0 {
		last = last[max(0, len(last)-tail):]
	}
	if a.json {
		out := inspectedEvents{SessionID: l.Session(), Total: total, Events: []json.RawMessage{}}
		for _, s := range last {
			out.Events = append(out.Events, s.raw)
		}
		return a.printJSON(out)
	}
	if total == 0 {
		a.nothing("session %s has no events", l.Session())
		return nil
	}
	cols := []render.Column{{Title: "TIME", Drop: 2}, {Title: "EVENT", Paint: render.PaintDim}, {Title: "TYPE"}, {Title: "OF", Give: 8, Drop: 1}, {Title: "WHAT", Give: 16}}
	var ids []string
	for _, s := range last {
		ids = append(ids, s.cells[1])
	}
	cells := make([][]string, 0, len(last))
	for i, id := range shortIDs(ids) {
		last[i].cells[1] = id
		cells = append(cells, last[i].cells)
	}
	if len(l.Segments) == 1 { // all are of one session
		cols = slices.Delete(cols, 3, 4)
		for i := range cells {
			cells[i] = slices.Delete(cells[i], 3, 4)
		}
	}
	if err := a.style.Table(a.out, cols, cells); err != nil {
		return err
	}
	if more := total - len(last); more > 0 {
		a.note("%s before: --tail 0 lists all", render.Plural(int64(more), "event"))
	}
	return nil
}

// inspectedNode is a node with the events that made it.
type inspectedNode struct {
	SessionID  string              `json:"session_id"`
	Labels     []string            `json:"labels"`
	Key        string              `json:"key"`
	Version    int                 `json:"version"`
	Properties []inspectedProperty `json:"properties"`
}

type inspectedProperty struct {
	Name      string    `json:"name"`
	Value     any       `json:"value"`
	EventID   string    `json:"event_id"`
	Timestamp time.Time `json:"timestamp"`
}

func (a *app) inspectNode(ctx context.Context, l *history.Log, key string) error {
	n, err := l.Node(ctx, key)
	if errors.Is(err, graph.ErrNotFound) {
		return errcode.With(errcode.NotFound, fmt.Errorf("session %s has no node %q: ag-sessiond graph %s has the keys of all", l.Session(), key, l.Session()))
	}
	if err != nil {
		return err
	}
	labels := (&graph.Node{Ref: n.Ref, Type: n.Type}).Labels()
	if a.json {
		out := inspectedNode{l.Session(), labels, n.Key, n.Version, []inspectedProperty{}}
		for _, p := range n.Properties {
			out.Properties = append(out.Properties, inspectedProperty{p.Name, plain(p.Value), p.Event.Event(), p.Event.Time()})
		}
		return a.printJSON(out)
	}
	a.printf("%s %s, version %d\n", labels[len(labels)-1], render.OneLine(n.Key), n.Version)
	if len(n.Properties) == 0 {
		return nil
	}
	a.printf("\n")
	var ids []string
	for _, p := range n.Properties {
		ids = append(ids, p.Event.Event())
	}
	cols := []render.Column{{Title: "PROPERTY"}, {Title: "EVENT", Paint: render.PaintDim}, {Title: "TIME", Drop: 1}, {Title: "VALUE", Give: 16}}
	var cells [][]string
	for i, id := range shortIDs(ids) {
		p := n.Properties[i]
		cells = append(cells, []string{p.Name, id, render.Time(p.Event.Time()), fmt.Sprint(p.Value)})
	}
	return a.style.Table(a.out, cols, cells)
}
