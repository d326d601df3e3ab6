package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/actiongraph/actiongraph/graph"
)

// Actions lists actions of one session by timestamp; those with the same timestamp
// by agent_id, and within a lane as FOLLOWED_BY has them.
func (s *Store) Actions(ctx context.Context, f graph.ActionFilter) (out []graph.ActionRow, err error) {
	err = s.snapshot(ctx, func(tx *sql.Tx) error {
		ids, err := s.selectActions(ctx, tx, f)
		if err != nil {
			return err
		}
		out, err = s.actionRows(ctx, tx, ids, f.Content)
		return err
	})
	if err != nil {
		return nil, s.fail("list actions of "+f.Session, err)
	}
	return out, nil
}

// brief is what ordering and filtering need of an action.
type brief struct {
	id, prev, time          int64
	typ                     any
	key, lane, tool, status string
}

func (b *brief) matches(f graph.ActionFilter, typ any) bool {
	return (f.Type == "" || b.typ == typ) && (f.Tool == "" || b.tool == f.Tool) &&
		(f.Status == "" || b.status == f.Status) && (f.Agent == nil || b.lane == *f.Agent)
}

// selectActions returns the row ids of the actions that f selects, in order. It
// filters after ordering: the order of two actions with the same timestamp may hang
// on a third that is filtered out.
func (s *Store) selectActions(ctx context.Context, tx *sql.Tx, f graph.ActionFilter) (ids []int64, err error) {
	rows, err := tx.QueryContext(ctx, "SELECT id, key, coalesce(prev, 0), coalesce(timestamp, -1 << 63), type, agent_id, tool_name, status "+
		"FROM action WHERE sid = (SELECT id FROM session WHERE key = ?) ORDER BY timestamp", f.Session)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	typ := s.types.number(f.Type)
	var same []brief
	flush := func() (full bool) {
		for _, b := range inLaneOrder(same) {
			if b.typ != nil && b.matches(f, typ) {
				ids = append(ids, b.id)
			}
		}
		same = same[:0]
		return f.Limit > 0 && len(ids) >= f.Limit
	}
	for rows.Next() {
		var b brief
		var key, time, lane, tool, status any
		if err := rows.Scan(&b.id, &key, &b.prev, &time, &b.typ, &lane, &tool, &status); err != nil {
			return nil, err
		}
		b.time, _ = time.(int64)
		b.key, b.lane, b.tool, b.status = goKey(key), str(lane), str(tool), str(status)
		if len(same) > 0 && same[0].time != b.time && flush() {
			break
		}
		same = append(same, b)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	flush()
	if f.Limit > 0 && len(ids) > f.Limit {
		ids = ids[:f.Limit]
	}
	return ids, nil
}

// inLaneOrder sorts actions of one timestamp: lanes by agent_id, each from its
// heads (by key) along the chain.
func inLaneOrder(same []brief) []brief {
	if len(same) < 2 {
		return same
	}
	slices.SortFunc(same, func(a, b brief) int { return cmp.Or(cmp.Compare(a.lane, b.lane), cmp.Compare(a.key, b.key)) })
	at := make(map[int64]int, len(same))
	for i, b := range same {
		at[b.id] = i
	}
	next := make(map[int64]int, len(same))
	follows := make([]bool, len(same))
	for i, b := range same {
		if p, ok := at[b.prev]; ok && same[p].lane == b.lane {
			next[b.prev], follows[i] = i, true
		}
	}
	out := make([]brief, 0, len(same))
	for i := range same {
		for ok := !follows[i]; ok; i, ok = next[same[i].id] {
			out = append(out, same[i])
		}
	}
	return out
}

// rowsAtOnce is how many rows one statement reads: one by one costs twice as much.
const rowsAtOnce = 32

// actionRows reads whole rows, in the order of ids.
func (s *Store) actionRows(ctx context.Context, tx *sql.Tx, ids []int64, content bool) ([]graph.ActionRow, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	a, b := s.tables.action, s.tables.bodyColumns(content)
	st, err := tx.PrepareContext(ctx, "SELECT a.id, s.key, p.key, a.key, a.type, "+a.columnNames("a.")+", "+b.columnNames("b.")+
		" FROM action a JOIN session s ON s.id = a.sid LEFT JOIN action p ON p.id = a.prev LEFT JOIN body b ON b.id = a.id"+
		" WHERE a.id IN (?"+strings.Repeat(", ?", rowsAtOnce-1)+")")
	if err != nil {
		return nil, err
	}
	defer st.Close()
	byID := make(map[int64]graph.ActionRow, len(ids))
	sc := newScan(len(a.cols) + len(b.cols))
	for some := range slices.Chunk(ids, rowsAtOnce) {
		args := make([]any, rowsAtOnce) // NULL matches no id
		for i, id := range some {
			args[i] = id
		}
		rows, err := st.QueryContext(ctx, args...)
		if err != nil {
			return nil, err
		}
		if err := s.scanActions(rows, a, b, sc, content, byID); err != nil {
			return nil, err
		}
	}
	out := make([]graph.ActionRow, 0, len(ids))
	for _, id := range ids {
		r, ok := byID[id]
		if !ok {
			return nil, fmt.Errorf("the row of action %d is missing", id)
		}
		out = append(out, r)
	}
	return out, nil
}

func (s *Store) scanActions(rows *sql.Rows, a, b *table, sc scan, content bool, byID map[int64]graph.ActionRow) error {
	defer rows.Close()
	var id int64
	var session string
	var prev, key, typ any
	ptrs := append([]any{&id, &session, &prev, &key, &typ}, sc.ptrs...)
	for rows.Next() {
		if err := rows.Scan(ptrs...); err != nil {
			return err
		}
		r := graph.ActionRow{SessionID: session, ActionID: goKey(key), FollowsID: goKey(prev), ActionType: s.types.actionType(typ)}
		props := s.types.props(a, sc.vals[:len(a.cols)], r.ActionID, session)
		props = append(props, s.types.props(b, sc.vals[len(a.cols):], r.ActionID, session)...)
		r.Fill(props, content)
		byID[id] = r
	}
	return rows.Err()
}

// bodyColumns is the body, or the part of it that a list without contents needs:
// SQLite does not read the pages of what follows it.
func (t *tables) bodyColumns(content bool) *table {
	if content {
		return t.body
	}
	var cols []column
	for _, c := range t.body.cols {
		switch c.name {
		case "name", "model", "prompt_id", "tool_use_id", "is_mcp", "mcp_server", "thinking":
			cols = append(cols, c)
		}
	}
	return newTable(table{name: t.body.name, label: t.body.label}, cols)
}

// Action returns one action with its content.
func (s *Store) Action(ctx context.Context, id string) (r graph.ActionRow, err error) {
	err = s.snapshot(ctx, func(tx *sql.Tx) error {
		// There is no index over keys alone: it is asked for in each session.
		var row int64
		err := tx.QueryRowContext(ctx, "SELECT a.id FROM session s CROSS JOIN action a ON a.sid = s.id AND a.key = ? WHERE a.type IS NOT NULL LIMIT 1",
			s.tables.action.sqlKey(id)).Scan(&row)
		if errors.Is(err, sql.ErrNoRows) {
			return graph.ErrNotFound
		}
		if err != nil {
			return err
		}
		rows, err := s.actionRows(ctx, tx, []int64{row}, true)
		if err == nil {
			r = rows[0]
		}
		return err
	})
	if errors.Is(err, graph.ErrNotFound) {
		return r, fmt.Errorf("action %q: %w", id, graph.ErrNotFound)
	}
	if err != nil {
		return r, s.fail("read action "+id, err)
	}
	return r, nil
}

// Agents lists the subagents of a session by started_at, then key; those without a
// start come first.
func (s *Store) Agents(ctx context.Context, session string) (out []graph.AgentRow, err error) {
	err = s.snapshot(ctx, func(tx *sql.Tx) error {
		out, err = s.agents(ctx, tx, session)
		return err
	})
	if err != nil {
		return nil, s.fail("list agents of "+session, err)
	}
	return out, nil
}

func (s *Store) agents(ctx context.Context, tx *sql.Tx, session string) (out []graph.AgentRow, err error) {
	tab := s.tables.agent
	rows, err := tx.QueryContext(ctx, "SELECT g.key, (SELECT min(iif(typeof(a.key) = 'blob', lower(hex(a.key)), a.key)) FROM edge JOIN action a ON a.id = src >> 3 WHERE dst = g.id * 8 + 2 AND edge.type = ?1), "+
		"n, "+tab.columnNames("g.")+" FROM session s JOIN agent g ON g.sid = s.id LEFT JOIN "+
		"(SELECT sid, lane, count(*) AS n FROM action WHERE lane IS NOT NULL AND sid = (SELECT id FROM session WHERE key = ?2) GROUP BY lane) c "+
		"ON c.lane = g.id WHERE s.key = ?2 AND g.put ORDER BY g.started_at, g.key", s.types.edge[graph.Spawned], session)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var key, spawner any
		var n sql.NullInt64
		sc := newScan(len(tab.cols))
		if err := rows.Scan(append([]any{&key, &spawner, &n}, sc.ptrs...)...); err != nil {
			return nil, err
		}
		r := graph.AgentRow{AgentKey: goKey(key), SpawnedByActionID: goKey(spawner), ActionCount: n.Int64}
		r.Fill(s.types.props(tab, sc.vals, r.AgentKey, session))
		out = append(out, r)
	}
	return out, rows.Err()
}
