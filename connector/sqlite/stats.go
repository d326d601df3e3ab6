package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/actiongraph/actiongraph/graph"
)

// Tools returns the use of every tool, most used first, then by name: over the
// tool calls that carry a tool_name. Percentiles are exact, of durations that were
// seen (nearest rank).
func (s *Store) Tools(ctx context.Context, session string) (out []graph.ToolStats, err error) {
	err = s.snapshot(ctx, func(tx *sql.Tx) error {
		out, err = s.tools(ctx, tx, session)
		return err
	})
	if err != nil {
		return nil, s.fail("count tools", err)
	}
	return out, nil
}

// ofSession limits a query over action to one session; "" is none.
func ofSession(w *where, session string) {
	if session != "" {
		w.and("sid = (SELECT id FROM session WHERE key = ?)", session)
	}
}

func (s *Store) tools(ctx context.Context, tx *sql.Tx, session string) ([]graph.ToolStats, error) {
	w := &where{}
	w.and("type = ?", s.types.number(graph.ToolCall))
	ofSession(w, session)
	rows, err := tx.QueryContext(ctx, "SELECT tool_name, status, duration_ms FROM action WHERE "+w.String(), w.args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	type use struct {
		graph.ToolStats
		durations []float64
	}
	uses := map[string]*use{}
	var name, status, duration any
	for rows.Next() {
		if err := rows.Scan(&name, &status, &duration); err != nil {
			return nil, err
		}
		tool := str(name)
		if tool == "" {
			continue
		}
		u := uses[tool]
		if u == nil {
			u = &use{ToolStats: graph.ToolStats{ToolName: tool}}
			uses[tool] = u
		}
		u.UsageCount++
		switch str(status) {
		case "failed":
			u.ErrorCount++
		case "denied", "blocked":
			u.DeniedCount++
		}
		if d := float(duration); d != nil {
			u.durations = append(u.durations, *d)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	var out []graph.ToolStats
	for _, u := range uses {
		u.SetDurations(u.durations)
		if err := s.describeTool(ctx, tx, &u.ToolStats); err != nil {
			return nil, err
		}
		out = append(out, u.ToolStats)
	}
	slices.SortFunc(out, func(a, b graph.ToolStats) int {
		return cmp.Or(cmp.Compare(b.UsageCount, a.UsageCount), cmp.Compare(a.ToolName, b.ToolName))
	})
	return out, nil
}

// describeTool adds what the Tool node says.
func (s *Store) describeTool(ctx context.Context, tx *sql.Tx, t *graph.ToolStats) error {
	var mcp, server any
	err := tx.QueryRowContext(ctx, "SELECT is_mcp, mcp_server FROM tool WHERE key = ?", t.ToolName).Scan(&mcp, &server)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	t.IsMCP, t.MCPServer = mcp == int64(1), str(server)
	return err
}

// Summary counts one session, or with "" the whole store: its start and end are
// then the first start and the last end, and it has no status and no duration. A
// session that has not ended lasts until its last event.
func (s *Store) Summary(ctx context.Context, session string) (sum graph.Summary, err error) {
	err = s.snapshot(ctx, func(tx *sql.Tx) error {
		sum, err = s.summary(ctx, tx, session)
		return err
	})
	if errors.Is(err, graph.ErrNotFound) {
		return sum, fmt.Errorf("session %q: %w", session, graph.ErrNotFound)
	}
	if err != nil {
		return sum, s.fail("summarize", err)
	}
	return sum, nil
}

func (s *Store) summary(ctx context.Context, tx *sql.Tx, session string) (sum graph.Summary, err error) {
	rows, err := s.sessions(ctx, tx, graph.SessionFilter{IDPrefix: session})
	if err != nil {
		return sum, err
	}
	sum = graph.Summary{SessionID: session, ActionTypes: map[string]int64{}, ToolCallStatuses: map[string]int64{}}
	for _, r := range rows {
		if session == "" || r.SessionID == session {
			sum.Add(r)
		}
	}
	if session != "" && sum.SessionCount == 0 {
		return sum, graph.ErrNotFound
	}
	if err := s.countActions(ctx, tx, session, &sum); err != nil {
		return sum, err
	}
	sum.Tools, err = s.tools(ctx, tx, session)
	return sum, err
}

// countActions counts by type, and tool calls by status.
func (s *Store) countActions(ctx context.Context, tx *sql.Tx, session string, sum *graph.Summary) error {
	w := &where{}
	w.and("type IS NOT NULL")
	ofSession(w, session)
	rows, err := tx.QueryContext(ctx, "SELECT type, status, count(*) FROM action WHERE "+w.String()+" GROUP BY type, status", w.args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var typ, status any
		var n int64
		if err := rows.Scan(&typ, &status, &n); err != nil {
			return err
		}
		t := s.types.actionType(typ)
		sum.ActionTypes[string(t)] += n
		if st := str(status); t == graph.ToolCall && st != "" {
			sum.ToolCallStatuses[st] += n
		}
	}
	return rows.Err()
}
