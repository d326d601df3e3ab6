package actiongraph

import (
	"context"
	"fmt"
	"slices"

	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/schema"
)

// Each of these catches the store up with the journal first: what this process has
// recorded is in the answer. See Home.Reader. A session is named as it was recorded.

// Session returns one session, or an error that wraps graph.ErrNotFound.
func (h *Home) Session(ctx context.Context, id string) (graph.SessionRow, error) {
	id = schema.SafeID(id)
	rows, err := h.Sessions(ctx, graph.SessionFilter{IDPrefix: id})
	if err != nil {
		return graph.SessionRow{}, err
	}
	i := slices.IndexFunc(rows, func(r graph.SessionRow) bool { return r.SessionID == id })
	if i < 0 {
		return graph.SessionRow{}, fmt.Errorf("session %s: %w", id, graph.ErrNotFound)
	}
	return rows[i], nil
}

// Sessions returns the sessions that f selects (by Status, Tag, time, …; Limit 0 is
// all), newest first.
func (h *Home) Sessions(ctx context.Context, f graph.SessionFilter) ([]graph.SessionRow, error) {
	r, err := h.Reader(ctx)
	if err != nil {
		return nil, err
	}
	return r.Sessions(ctx, f)
}

// Action returns one action with its content, or an error that wraps
// graph.ErrNotFound.
func (h *Home) Action(ctx context.Context, id string) (graph.ActionRow, error) {
	r, err := h.Reader(ctx)
	if err != nil {
		return graph.ActionRow{}, err
	}
	return r.Action(ctx, id)
}

// Actions returns the actions of one session that f selects (by Type, Tool, …; Limit
// 0 is all), in the order of time. A session that is not there is an error that wraps
// graph.ErrNotFound, as none is without f.Session.
func (h *Home) Actions(ctx context.Context, f graph.ActionFilter) ([]graph.ActionRow, error) {
	r, err := h.Reader(ctx)
	if err != nil {
		return nil, err
	}
	f.Session = schema.SafeID(f.Session)
	actions, err := r.Actions(ctx, f)
	if err == nil && len(actions) == 0 {
		_, err = h.Session(ctx, f.Session)
	}
	return actions, err
}

// ToolUsageStats returns how often each tool ran, how long and with what outcome,
// most used first; of all sessions where session is "".
func (h *Home) ToolUsageStats(ctx context.Context, session string) ([]graph.ToolStats, error) {
	r, err := h.Reader(ctx)
	if err != nil {
		return nil, err
	}
	return r.Tools(ctx, safeOrAll(session))
}

// ActionSequence returns all actions of a session in order; FollowsID and
// ParentActionID of each are its FOLLOWED_BY and PARENT_OF edges. content asks for
// their texts and properties.
func (h *Home) ActionSequence(ctx context.Context, session string, content bool) ([]graph.ActionRow, error) {
	return h.Actions(ctx, graph.ActionFilter{Session: session, Content: content})
}

// SessionSummary counts what a session did, or all where session is "".
func (h *Home) SessionSummary(ctx context.Context, session string) (graph.Summary, error) {
	r, err := h.Reader(ctx)
	if err != nil {
		return graph.Summary{}, err
	}
	return r.Summary(ctx, safeOrAll(session))
}

func safeOrAll(session string) string {
	if session == "" {
		return ""
	}
	return schema.SafeID(session)
}
