package sqlite

import (
	"context"
	"database/sql"
	"strconv"
	"strings"

	"github.com/actiongraph/actiongraph/graph"
)

// Sessions lists sessions, newest first: by started_at, then id; those without a
// start come last. Since is inclusive, Until is not. Stubs are not listed.
func (s *Store) Sessions(ctx context.Context, f graph.SessionFilter) (out []graph.SessionRow, err error) {
	err = s.snapshot(ctx, func(tx *sql.Tx) error {
		out, err = s.sessions(ctx, tx, f)
		return err
	})
	if err != nil {
		return nil, s.fail("list sessions", err)
	}
	return out, nil
}

func (s *Store) sessions(ctx context.Context, tx *sql.Tx, f graph.SessionFilter) (out []graph.SessionRow, err error) {
	tab := s.tables.session
	w := sessionWhere(f, s.types.edge[graph.HasTag])
	query := "SELECT id, key, (SELECT min(p.key) FROM edge JOIN session p ON p.id = dst >> 3 WHERE src = session.id * 8 AND type = " +
		strconv.FormatInt(s.types.edge[graph.ForkedFrom], 10) + "), " + tab.columnNames("") + " FROM session WHERE " + w.String() +
		" ORDER BY started_at DESC, key"
	if f.Limit > 0 {
		query += " LIMIT ?"
		w.args = append(w.args, f.Limit)
	}
	rows, err := tx.QueryContext(ctx, query, w.args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var ids []int64
	for rows.Next() {
		var id int64
		var r graph.SessionRow
		var parent sql.NullString
		sc := newScan(len(tab.cols))
		if err := rows.Scan(append([]any{&id, &r.SessionID, &parent}, sc.ptrs...)...); err != nil {
			return nil, err
		}
		r.ForkedFrom = parent.String
		r.Fill(s.types.props(tab, sc.vals, r.SessionID, r.SessionID))
		out, ids = append(out, r), append(ids, id)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	for i := range out {
		if out[i].Tags, err = s.tags(ctx, tx, ids[i]); err != nil {
			return nil, err
		}
		if out[i].ForkedFrom == "" {
			continue
		}
		var props any
		err := tx.QueryRowContext(ctx, "SELECT props FROM edge WHERE src = ? AND type = ? AND dst >> 3 = (SELECT id FROM session WHERE key = ?)",
			ids[i]*8, s.types.edge[graph.ForkedFrom], out[i].ForkedFrom).Scan(&props)
		if err != nil {
			return nil, err
		}
		out[i].FillFork(decodeProps(props))
	}
	return out, nil
}

// where gathers conditions.
type where struct {
	conds []string
	args  []any
}

func (w *where) and(cond string, args ...any) {
	w.conds = append(w.conds, cond)
	w.args = append(w.args, args...)
}

func (w *where) String() string { return strings.Join(w.conds, " AND ") }

func sessionWhere(f graph.SessionFilter, hasTag int64) *where {
	w := &where{}
	w.and("put")
	if f.IDPrefix != "" {
		w.and("key >= ? AND key < ? || char(1114111)", f.IDPrefix, f.IDPrefix)
	}
	if f.Status != "" {
		w.and("status = ?", f.Status)
	}
	if f.HasErrors {
		w.and("error_count > 0")
	}
	if f.Tag != "" {
		w.and("EXISTS (SELECT 1 FROM edge JOIN tag ON tag.id = dst >> 3 WHERE src = session.id * 8 AND type = ? AND tag.key = ?)", hasTag, f.Tag)
	}
	if !f.Since.IsZero() {
		w.and("started_at >= ?", int64(graph.TimeOf(f.Since)))
	}
	if !f.Until.IsZero() {
		w.and("started_at < ?", int64(graph.TimeOf(f.Until)))
	}
	if f.Dir != "" {
		dir := strings.TrimRight(f.Dir, `/\`)
		w.and(`working_directory <> '' AND (working_directory IN (?, ?) OR substr(working_directory, 1, length(?) + 1) IN (? || '/', ? || '\'))`, dir, f.Dir, dir, dir, dir)
	}
	if f.User != "" {
		w.and("user = ?", f.User)
	}
	if f.Host != "" {
		w.and("host = ?", f.Host)
	}
	return w
}

// tags returns a session's tags, sorted.
func (s *Store) tags(ctx context.Context, tx *sql.Tx, sid int64) (tags []string, err error) {
	rows, err := tx.QueryContext(ctx, "SELECT tag.key FROM edge JOIN tag ON tag.id = dst >> 3 WHERE src = ? AND type = ? ORDER BY tag.key",
		sid*8, s.types.edge[graph.HasTag])
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var tag string
		if err := rows.Scan(&tag); err != nil {
			return nil, err
		}
		tags = append(tags, tag)
	}
	return tags, rows.Err()
}

// The value of a property as a row's field; zero where it is of another type.

func str(v any) string { s, _ := v.(string); return s }

func float(v any) *float64 {
	if f, ok := v.(float64); ok {
		return &f
	}
	return nil
}
