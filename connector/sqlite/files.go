package sqlite

import (
	"context"
	"database/sql"
	"time"

	"github.com/actiongraph/actiongraph/graph"
)

// Files returns the files that sessions read and wrote, most touched first, then by path
// and host.
func (s *Store) Files(ctx context.Context, f graph.FileFilter) (out []graph.FileRow, err error) {
	err = s.snapshot(ctx, func(tx *sql.Tx) error {
		uses, err := s.fileUses(ctx, tx, f)
		out = graph.FileRows(uses, f.Limit)
		return err
	})
	if err != nil {
		return nil, s.fail("list files", err)
	}
	return out, nil
}

// lines sums a property of a call's results, of those that have it: NULL where none has. What
// is no integer there is nobody's count, and to sum a text would make it 0.
func lines(prop string) string {
	return "(SELECT sum(iif(json_type(b.more, '$." + prop + "') = 'integer', json_extract(b.more, '$." + prop + "'), NULL)) FROM action r JOIN body b ON b.id = r.id" +
		" WHERE r.parent = a.id AND r.type = ?2 AND b.more IS NOT NULL)"
}

func (s *Store) fileUses(ctx context.Context, tx *sql.Tx, f graph.FileFilter) (out []graph.FileUse, err error) {
	read, wrote := s.types.edge[graph.Read], s.types.edge[graph.Wrote]
	w := &where{}
	w.args = append(w.args, wrote, s.types.number(graph.ToolResult))
	// CROSS JOIN is an order: SQLite, which has no statistics, would begin elsewhere.
	from := "edge e CROSS JOIN action a ON a.id = e.src >> 3 CROSS JOIN file f ON f.id = e.dst >> 3"
	prefix, part := f.FilePattern()
	switch {
	case f.Session != "":
		from = "action a CROSS JOIN edge e ON e.src = a.id * 8 + 1 CROSS JOIN file f ON f.id = e.dst >> 3"
		w.and("a.sid = (SELECT id FROM session WHERE key = ?)", f.Session)
	case prefix+part != "":
		from = "file f CROSS JOIN edge e ON e.dst = f.id * 8 + 5 CROSS JOIN action a ON a.id = e.src >> 3"
	}
	w.and("e.type IN (?, ?) AND a.type IS NOT NULL AND f.put", read, wrote)
	if prefix != "" {
		w.and(`substr(replace(f.path, '\', '/') || '/', 1, length(?)) = ?`, prefix, prefix)
	}
	if part != "" {
		w.and(`instr('/' || replace(f.path, '\', '/') || '/', ?)`, part)
	}
	if !f.Since.IsZero() {
		w.and("a.timestamp >= ?", int64(graph.TimeOf(f.Since)))
	}
	rows, err := tx.QueryContext(ctx, "SELECT u.*, s.key, s.name, s.user FROM (SELECT f.key, f.path, f.host, e.type, a.tool_name, count(*), "+
		"min(a.timestamp), max(a.timestamp), sum(iif(e.type = ?1, "+lines("lines_added")+", NULL)), sum(iif(e.type = ?1, "+lines("lines_removed")+", NULL)), a.sid AS sid "+
		"FROM "+from+" WHERE "+w.String()+" GROUP BY f.id, a.sid, e.type, a.tool_name) u JOIN session s ON s.id = u.sid AND s.put", w.args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var u graph.FileUse
		var key, path, host, tool, name, user any
		var edge, sid int64
		var first, last, added, removed sql.NullInt64
		err := rows.Scan(&key, &path, &host, &edge, &tool, &u.Calls, &first, &last, &added, &removed, &sid, &u.SessionID, &name, &user)
		if err != nil {
			return nil, err
		}
		u.File, u.Path, u.Host, u.Tool, u.Name, u.User = goKey(key), str(path), str(host), str(tool), str(name), str(user)
		u.Edge = graph.Read
		if edge == wrote {
			u.Edge = graph.Wrote
		}
		u.FirstAt, u.LastAt = instantOf(first), instantOf(last)
		u.LinesAdded, u.LinesRemoved = known(added), known(removed)
		out = append(out, u)
	}
	return out, rows.Err()
}

func instantOf(ns sql.NullInt64) time.Time {
	if !ns.Valid {
		return time.Time{}
	}
	return time.Unix(0, ns.Int64).UTC()
}

func known(n sql.NullInt64) *int64 {
	if !n.Valid {
		return nil
	}
	return &n.Int64
}
