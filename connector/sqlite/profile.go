package sqlite

import (
	"context"
	"database/sql"

	"github.com/actiongraph/actiongraph/graph"
)

// Profile returns how long the calls of each tool took, most used first, then by name:
// of the tool calls that carry a tool_name.
func (s *Store) Profile(ctx context.Context, f graph.ProfileFilter) (out []graph.ToolProfile, err error) {
	err = s.snapshot(ctx, func(tx *sql.Tx) error {
		out, err = s.profile(ctx, tx, f)
		return err
	})
	if err != nil {
		return nil, s.fail("profile tools", err)
	}
	return out, nil
}

func (s *Store) profile(ctx context.Context, tx *sql.Tx, f graph.ProfileFilter) ([]graph.ToolProfile, error) {
	calls, err := s.calls(ctx, tx, graph.SearchQuery{Session: f.Session, Tool: f.Tool, Since: f.Since, Until: f.Until})
	if err != nil {
		return nil, err
	}
	if calls.source == "" {
		calls.source = "action c NOT INDEXED" // most of the table, in its own order
	}
	rows, err := tx.QueryContext(ctx, "SELECT c.id, c.key, c.tool_name, c.timestamp, c.duration_ms, c.status FROM "+calls.source+
		" WHERE "+calls.String(), calls.args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	p := graph.NewProfiler[int64](f)
	for rows.Next() {
		var id int64
		var at sql.NullInt64
		var key, tool, duration, status any
		if err := rows.Scan(&id, &key, &tool, &at, &duration, &status); err != nil {
			return nil, err
		}
		if str(tool) == "" {
			continue
		}
		p.Add(graph.TimedCall[int64]{Tool: str(tool), At: instantOf(at), DurationMS: float(duration), Failed: str(status) == "failed",
			Name: id, Key: func() string { return goKey(key) }})
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	return p.Profiles(func(ids []int64) ([]graph.ActionRow, error) { return s.actionRows(ctx, tx, ids, false) })
}
