package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/actiongraph/actiongraph"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/history"
)

// inherited is what a fork shares with the sessions that it was forked from: part by part, as each
// was when it was left. Of a session that is no fork it has none, and costs nothing.
type inherited struct {
	parts  []inheritedPart // the oldest first
	reader actiongraph.ReadCloser
}

type inheritedPart struct {
	graph.SessionRow
	until history.Point
}

// inherit opens what a session shares. A graph database cannot be cut at an event: with --graph it
// is left out, which is said, as it is where the parent's events are not here.
func (a *app) inherit(ctx context.Context, s graph.SessionRow) (*inherited, error) {
	in := &inherited{}
	switch {
	case s.ForkedFrom == "":
		return in, nil
	case len(a.graphs) > 0:
		a.note("left out: what the session shares with %s, from which it was forked; a graph database has no events to say what that was", s.ForkedFrom)
		return in, nil
	}
	j, err := a.ownJournal()
	if err != nil {
		return nil, err
	}
	source, id := history.Journal(j), journalSession(j, s.SessionID)
	at := history.Point{}
	if a.at != "" {
		if at, err = a.point(ctx, source, id, a.at); err != nil {
			return nil, err
		}
	}
	whole, err := history.Open(ctx, source, id, at)
	if errors.Is(err, fs.ErrNotExist) { // the store has it alone
		whole, err = &history.Log{Missing: s.ForkedFrom}, nil
	}
	if err != nil {
		return nil, err
	}
	if whole.Missing != "" {
		a.note("left out: what is shared with session %s, whose events are not here", whole.Missing)
	}
	if len(whole.Segments) < 2 {
		return in, nil
	}
	shared := whole.Segments[:len(whole.Segments)-1]
	last := shared[len(shared)-1]
	log, err := history.Open(ctx, source, last.Session, last.Until)
	if err != nil {
		return nil, err
	}
	if in.reader, err = actiongraph.ReadHistory(ctx, log); err != nil {
		return nil, err
	}
	rows, err := in.reader.Sessions(ctx, graph.SessionFilter{})
	if err != nil {
		return nil, errors.Join(err, in.Close())
	}
	for _, segment := range shared {
		// Of what was left before anything happened there is nothing to show.
		if i := slices.IndexFunc(rows, func(r graph.SessionRow) bool { return r.SessionID == segment.Session }); i >= 0 {
			in.parts = append(in.parts, inheritedPart{rows[i], segment.Until})
		}
	}
	return in, nil
}

func (in *inherited) Close() error {
	if in.reader == nil {
		return nil
	}
	return in.reader.Close()
}

// head says what a part is.
func (p inheritedPart) head() string {
	return fmt.Sprintf("shared with %s up to %s", p.SessionID, pointText(p.until))
}

// actions are those of all parts that a filter selects, in order.
func (in *inherited) actions(ctx context.Context, f graph.ActionFilter) (all []graph.ActionRow, err error) {
	for _, part := range in.parts {
		f.Session = part.SessionID
		rows, err := in.reader.Actions(ctx, f)
		if err != nil {
			return nil, err
		}
		all = append(all, rows...)
	}
	return all, nil
}

// content is all that one part has to show.
func (in *inherited) content(ctx context.Context, part inheritedPart) ([]graph.ActionRow, []graph.AgentRow, error) {
	actions, err := in.reader.Actions(ctx, graph.ActionFilter{Session: part.SessionID, Content: true})
	if err != nil {
		return nil, nil, err
	}
	agents, err := in.reader.Agents(ctx, part.SessionID)
	return actions, agents, err
}

// agents are the subagents of all parts.
func (in *inherited) agents(ctx context.Context) (all []graph.AgentRow, err error) {
	for _, part := range in.parts {
		rows, err := in.reader.Agents(ctx, part.SessionID)
		if err != nil {
			return nil, err
		}
		all = append(all, rows...)
	}
	return all, nil
}

// inheritable is a row of JSON that says whether it is of what a fork shares.
type inheritable[T any] struct {
	Row       T
	Inherited bool
}

// MarshalJSON is the row with a field more.
func (i inheritable[T]) MarshalJSON() ([]byte, error) {
	text, err := encodeJSON(i.Row, "")
	if err != nil || !i.Inherited {
		return text, err
	}
	return append([]byte(`{"inherited":true,`), text[1:]...), nil
}

// marked marks the first rows, which are shared.
func marked[T any](rows []T, shared int) []inheritable[T] {
	out := make([]inheritable[T], len(rows))
	for i, row := range rows {
		out[i] = inheritable[T]{row, i < shared}
	}
	return out
}

// names are the short ids of the sessions that something is shared with.
func (in *inherited) names(own graph.SessionRow) map[string]string {
	ids := []string{own.SessionID}
	for _, part := range in.parts {
		ids = append(ids, part.SessionID)
	}
	names := map[string]string{}
	for i, short := range shortIDs(ids)[1:] {
		names[ids[i+1]] = short
	}
	return names
}

// inheritedSummary is what a summary says of a part.
type inheritedSummary struct {
	SessionID     string    `json:"session_id"`
	UntilEvent    string    `json:"until_event_id,omitempty"`
	Until         time.Time `json:"until"`
	ActionCount   int64     `json:"action_count"`
	ToolCallCount int64     `json:"tool_call_count"`
}

func (in *inherited) summary() (out []inheritedSummary) {
	for _, p := range in.parts {
		out = append(out, inheritedSummary{p.SessionID, p.until.Event(), p.until.Time(), p.ActionCount, p.ToolCallCount})
	}
	return out
}

// addTo adds the graphs of all parts to that of the fork.
func (in *inherited) addTo(ctx context.Context, g *graph.Graph) error {
	for _, part := range in.parts {
		its, err := in.reader.Load(ctx, part.SessionID)
		if err != nil {
			return err
		}
		var ops []graph.Op
		for _, n := range its.Nodes() {
			ops = append(ops, graph.Op{Kind: graph.PutNode, Node: *n})
		}
		for _, e := range its.Edges() {
			ops = append(ops, graph.Op{Kind: graph.PutEdge, Edge: e})
		}
		g.Apply(ops...)
	}
	return nil
}
