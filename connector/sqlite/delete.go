package sqlite

import (
	"database/sql"
	"errors"
	"fmt"
)

// delete removes nodes with whatever edges are left on them.
func (t *tx) delete(nodes []*node) error {
	if len(nodes) == 0 {
		return nil
	}
	if err := t.flush(); err != nil { // a link to a deleted node may be waiting
		return err
	}
	for _, n := range nodes {
		if err := t.deleteRow(n); err != nil {
			return err
		}
		// Links to it that other nodes in t.nodes still have do no harm: no row of
		// this transaction gets its id again.
		delete(t.nodes, nodeKey{n.table.code, n.sid, n.key})
	}
	return nil
}

func (t *tx) deleteRow(n *node) error {
	switch n.table {
	case t.tables.action:
		t.docs[n.id] = nil
		if err := t.uncount(n); err != nil {
			return err
		}
		return t.execAll(
			stmt{"DELETE FROM edge WHERE src = ? OR dst = ?", []any{n.code(), n.code()}},
			stmt{"UPDATE action SET prev = NULL WHERE prev = ?", []any{n.id}},
			stmt{"UPDATE action SET parent = NULL WHERE parent = ?", []any{n.id}},
			stmt{"DELETE FROM body WHERE id = ?", []any{n.id}},
			stmt{"DELETE FROM action WHERE id = ?", []any{n.id}})
	case t.tables.agent:
		return t.execAll(
			stmt{"DELETE FROM edge WHERE src = ? OR dst = ?", []any{n.code(), n.code()}},
			stmt{"UPDATE action SET lane = NULL WHERE sid = ? AND lane = ?", []any{n.sid, n.id}},
			stmt{"DELETE FROM agent WHERE id = ?", []any{n.id}})
	case t.tables.session:
		return t.deleteSession(n)
	}
	return fmt.Errorf("%s %s is shared: a fold never deletes it", n.table.label, n.key)
}

// deleteSession makes the Session node a stub again and removes the edges of this
// fold. Other sessions' edges to it stay. Its row stays until the session is reset:
// its actions refer to it.
func (t *tx) deleteSession(n *node) error {
	err := t.exec("DELETE FROM edge WHERE owner = ? AND (src = ? OR dst = ?)", t.sid, n.code(), n.code())
	if err != nil || n.key != t.owner.key {
		return err
	}
	for _, a := range t.nodes {
		if a.table == t.tables.action && a.sid == t.sid {
			a.links[linkSession] = 0
		}
	}
	if err := t.exec("UPDATE action SET in_session = NULL WHERE sid = ?", t.sid); err != nil {
		return err
	}
	return t.blank(n.id)
}

// blank removes all properties of a session's row.
func (t *tx) blank(id int64) error {
	set := "put = NULL"
	for _, c := range t.tables.session.cols {
		if c.name != "key" && c.name != "put" {
			set += ", " + c.name + " = NULL"
		}
	}
	return t.exec("UPDATE session SET "+set+" WHERE id = ?", id)
}

// reset drops a session: its actions, agents and the edges its own fold wrote. Its
// Session node goes, or back to a stub while another session points at it.
func (t *tx) reset(session string) error {
	if err := t.flush(); err != nil {
		return err
	}
	if err := t.writeDocuments(); err != nil {
		return err
	}
	if err := t.writeUsage(); err != nil {
		return err
	}
	var id int64
	err := t.queryRow("SELECT id FROM session WHERE key = ?", session).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	const its = "(SELECT id FROM action WHERE sid = ?)"
	one := []any{id}
	if err := t.forgetDocuments("id IN "+its, id); err != nil {
		return err
	}
	if err := t.writeRecalled(); err != nil {
		return err
	}
	err = t.execAll(
		stmt{"DELETE FROM fts WHERE rowid IN " + its, one},
		stmt{"DELETE FROM body WHERE id IN " + its, one},
		stmt{"DELETE FROM edge WHERE owner = ?", one},
		stmt{"DELETE FROM action WHERE sid = ?", one},
		stmt{"DELETE FROM usage WHERE sid = ?", one},
		stmt{"DELETE FROM agent WHERE sid = ?", one})
	if err != nil {
		return err
	}
	clear(t.nodes) // ids and links in it may be gone
	clear(t.last)
	var pointed bool
	err = t.queryRow("SELECT EXISTS (SELECT 1 FROM edge WHERE dst = ?1) OR EXISTS (SELECT 1 FROM edge WHERE src = ?1)", id*8).Scan(&pointed)
	if err != nil {
		return err
	}
	if pointed {
		return t.blank(id)
	}
	return t.exec("DELETE FROM session WHERE id = ?", id)
}
