package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/actiongraph/actiongraph/graph"
)

// calls is a FROM and WHERE over tool calls c.
type calls struct {
	where
	source string // "" where no index leads to them
}

// all reports whether there is no filter.
func (c *calls) all() bool { return len(c.conds) == 1 }

// calls makes of a query's filters what selects calls by the index that leaves the fewest;
// nil is none at all.
func (s *Store) calls(ctx context.Context, tx *sql.Tx, q graph.SearchQuery) (*calls, error) {
	c := &calls{}
	c.and("c.type = 0")
	if q.Session != "" {
		c.and("c.sid = (SELECT id FROM session WHERE key = ?)", q.Session)
	}
	if q.Tool != "" {
		c.and("c.tool_name = ?", q.Tool)
	}
	if !q.Since.IsZero() {
		c.and("c.timestamp >= ?", int64(graph.TimeOf(q.Since)))
	}
	if !q.Until.IsZero() {
		c.and("c.timestamp < ?", int64(graph.TimeOf(q.Until)))
	}
	if q.Failed {
		c.and("(c.status = 'failed' OR c.is_error = 1)")
	}
	switch {
	case q.Session != "":
		c.source = "action c"
	case q.Failed:
		c.source = "action c INDEXED BY action_failed"
	case q.Tool != "":
		c.source = "action c INDEXED BY action_tool"
	}
	for _, tag := range q.Tags {
		c.source = "action c"
		c.and("c.id IN (SELECT src >> 3 FROM edge WHERE dst = (SELECT id * 8 + 4 FROM tag WHERE key = ?) AND type = ? AND src & 7 = 1)",
			tag, s.types.edge[graph.HasTag])
	}
	for _, f := range []struct {
		asked, cond string
		keys        func(session string) []string
	}{
		{q.Task, "c.parent IN (%s)", func(session string) []string { return []string{graph.TaskID(session, q.Task)} }},
		{q.RelatedTo, fmt.Sprintf("c.id IN (SELECT src >> 3 FROM edge WHERE dst IN (SELECT value * 8 + 1 FROM json_each('[%%s]')) "+
			"AND type = %d AND src & 7 = 1)", s.types.edge[graph.RelatedTo]),
			func(session string) []string { return []string{q.RelatedTo, graph.ToolCallID(session, q.RelatedTo)} }},
	} {
		if f.asked == "" {
			continue
		}
		ids, err := s.actionsNamed(ctx, tx, q.Session, f.keys)
		if err != nil || len(ids) == 0 {
			return nil, err
		}
		c.source = "action c"
		c.and(fmt.Sprintf(f.cond, strings.Join(ids, ", ")))
	}
	return c, nil
}

// actionsNamed gives the rows, as digits, of actions by their keys in one session or, with
// "", in each.
func (s *Store) actionsNamed(ctx context.Context, tx *sql.Tx, session string, keys func(session string) []string) (ids []string, err error) {
	rows, err := tx.QueryContext(ctx, "SELECT id, key FROM session WHERE ?1 = '' OR key = ?1", session)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	st, err := tx.PrepareContext(ctx, "SELECT id FROM action WHERE sid = ? AND key = ?")
	if err != nil {
		return nil, err
	}
	defer st.Close()
	for rows.Next() {
		var sid int64
		var key string
		if err := rows.Scan(&sid, &key); err != nil {
			return nil, err
		}
		for _, k := range keys(key) {
			var id int64
			switch err := st.QueryRowContext(ctx, sid, s.tables.action.sqlKey(k)).Scan(&id); err {
			case nil:
				ids = append(ids, fmt.Sprint(id))
			case sql.ErrNoRows:
			default:
				return nil, err
			}
		}
	}
	return ids, rows.Err()
}

// sources are queries that each find their newest calls by an index: where no filter leads
// to few calls, one of each tool.
func (r *recaller) sources() (out []calls, err error) {
	if r.from.source != "" {
		return []calls{*r.from}, nil
	}
	tools, err := r.toolNames()
	if err != nil {
		return nil, err
	}
	for _, name := range append(tools, nil) {
		c := calls{source: "action c INDEXED BY action_tool", where: where{slices.Clone(r.from.conds), slices.Clone(r.from.args)}}
		c.and("c.tool_name IS ?", name)
		out = append(out, c)
	}
	return out, nil
}

// toolNames walks the index action_tool from one tool to the next.
func (r *recaller) toolNames() (names []any, err error) {
	rows, err := r.tx.QueryContext(r.ctx, "WITH RECURSIVE t (name) AS (SELECT min(tool_name) FROM action WHERE type = 0 UNION ALL "+
		"SELECT (SELECT min(tool_name) FROM action WHERE type = 0 AND tool_name > t.name) FROM t WHERE t.name IS NOT NULL) "+
		"SELECT name FROM t WHERE name IS NOT NULL")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var name any
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, rows.Err()
}
