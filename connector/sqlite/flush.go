package sqlite

import (
	"math/bits"
	"slices"
	"strings"

	"github.com/actiongraph/actiongraph/graph"
)

// flush writes the rows that ops have touched since the last flush.
func (t *tx) flush() error {
	for _, n := range t.dirty {
		var err error
		switch {
		case n.table == t.tables.action:
			err = t.flushAction(n)
		default:
			err = t.flushNode(n)
		}
		if err != nil {
			return err
		}
		n.props, n.stored, n.dirty, n.changed, n.relinks = nil, true, false, false, 0
	}
	t.dirty = t.dirty[:0]
	return nil
}

// flushNode writes a session, agent, tool, tag or file.
func (t *tx) flushNode(n *node) error {
	if n.stored && n.put && !n.changed && n.table.label.Shared() {
		// Every call of a tool puts the same Tool; writing it each time would add a
		// page to every transaction.
		same, err := t.holds(n)
		if err != nil || same {
			return err
		}
	}
	r := t.row(0, n.table, n.id, !n.stored)
	if r.insert {
		r.setPlain("key", n.table.sqlKey(n.key))
		if n.table.owned {
			r.setPlain("sid", n.sid)
		}
	}
	if n.changed {
		r.setPlain("put", one)
	}
	rest := t.rest[:0]
	for _, p := range n.props {
		if i, ok := r.tab.byProp[p.Name]; ok {
			t.setProp(r, i, p.Value, n)
		} else {
			rest = append(rest, p)
		}
	}
	t.rest = rest
	if err := t.setMore(r, rest); err != nil {
		return err
	}
	return t.write(r)
}

// holds reports whether the file already has what is to be written.
func (t *tx) holds(n *node) (bool, error) {
	have, err := t.readProps(n.table, n)
	if err != nil {
		return false, err
	}
	for _, p := range n.props {
		i := slices.IndexFunc(have, func(h graph.Prop) bool { return h.Name == p.Name })
		if (i < 0) != (p.Value == nil) || i >= 0 && have[i].Value != p.Value {
			return false, nil
		}
	}
	return true, nil
}

// flushAction writes the narrow row, the body where it changed, and what is to be
// searched for.
func (t *tx) flushAction(n *node) error {
	if err := t.document(n); err != nil {
		return err
	}
	if err := t.countAction(n); err != nil {
		return err
	}
	id := any(n.id)
	r, b := t.row(0, n.table, id, !n.stored), t.row(1, t.tables.body, id, !n.hasBody)
	if r.insert {
		r.set(colSID, n.sid)
		r.set(colKey, n.table.sqlKey(n.key))
	}
	if n.changed {
		r.set(colType, t.types.number(n.typ))
	}
	for slot, v := range n.links {
		switch {
		case n.relinks&(1<<slot) == 0:
		case v != 0 && slot == linkSession:
			r.set(colLinks+slot, one)
		case v != 0:
			r.set(colLinks+slot, v)
		case n.stored:
			r.set(colLinks+slot, nil)
		}
	}
	rest := t.rest[:0]
	for _, p := range n.props {
		switch i, ok := t.tables.ofAction[p.Name]; {
		case !ok:
			rest = append(rest, p)
		case i < len(r.tab.cols):
			t.setProp(r, i, p.Value, n)
		default:
			t.setProp(b, i-len(r.tab.cols), p.Value, n)
		}
	}
	t.rest = rest
	if err := t.write(r); err != nil || !n.put {
		return err
	}
	if err := t.setMore(b, rest); err != nil {
		return err
	}
	n.hasBody = true
	return t.write(b)
}

// row is one INSERT or UPDATE: the values of some columns.
type row struct {
	tab    *table
	id     any // int64
	insert bool
	mask   uint64 // bits of tab.cols
	vals   [64]any
}

// row returns one of the two rows that a flush fills, empty.
func (t *tx) row(which int, tab *table, id any, insert bool) *row {
	r := &t.rows[which]
	r.tab, r.id, r.insert, r.mask = tab, id, insert, 0
	return r
}

// 1 and 0 as a column holds them, boxed once.
var one, zero any = int64(1), int64(0)

func (r *row) set(col int, v any) {
	r.mask |= 1 << col
	r.vals[col] = v
}

func (r *row) setPlain(name string, v any) {
	r.set(slices.IndexFunc(r.tab.cols, func(c column) bool { return c.name == name }), v)
}

// setProp sets the column of a property of n.
func (t *tx) setProp(r *row, col int, v any, n *node) {
	if v == nil && r.insert {
		return // it is NULL already
	}
	c, own := &r.tab.cols[col], ""
	if c.kind == self {
		own = n.own(c.name)
	}
	r.set(col, t.types.encode(c, v, own))
}

// own is what a column of kind self holds as 1.
func (n *node) own(col string) string {
	if col == "in_sid" {
		return n.session
	}
	return n.key
}

// setMore sets the column with the properties that have none of their own.
func (t *tx) setMore(r *row, props []graph.Prop) error {
	if len(props) == 0 {
		return nil
	}
	if !r.insert {
		var old any
		if err := t.queryRow("SELECT more FROM "+r.tab.name+" WHERE id = ?", r.id).Scan(&old); err != nil {
			return err
		}
		props = merge(decodeProps(old), props)
	}
	t.json = appendProps(t.json[:0], props)
	r.set(r.tab.more, moreColumn(t.json))
	return nil
}

// write executes the row. The statements differ by the set of columns: of an action
// most are NULL, and binding a NULL costs as much as a value.
func (t *tx) write(r *row) error {
	if r.mask == 0 && !r.insert {
		return nil
	}
	st, err := t.preparedRow(rowStatement{r.tab, r.mask, r.insert})
	if err != nil {
		return err
	}
	if r.insert {
		t.arg(r.id)
	}
	for m := r.mask; m != 0; m &= m - 1 {
		t.arg(r.vals[bits.TrailingZeros64(m)])
	}
	if !r.insert {
		t.arg(r.id)
	}
	return t.run(st)
}

// rowStatement names a prepared INSERT or UPDATE.
type rowStatement struct {
	tab    *table
	mask   uint64
	insert bool
}

func (k rowStatement) text() string {
	var names []string
	if k.insert {
		names = append(names, "id")
	}
	for m := k.mask; m != 0; m &= m - 1 {
		names = append(names, k.tab.cols[bits.TrailingZeros64(m)].name)
	}
	if k.insert {
		return "INSERT INTO " + k.tab.name + " (" + strings.Join(names, ", ") + ") VALUES (?" +
			strings.Repeat(", ?", len(names)-1) + ")"
	}
	return "UPDATE " + k.tab.name + " SET " + strings.Join(names, " = ?, ") + " = ? WHERE id = ?"
}

// readProps reads the properties that the row of n has in tab.
func (t *tx) readProps(tab *table, n *node) ([]graph.Prop, error) {
	var props []graph.Prop
	err := t.query(func(vals []any) error {
		props = t.types.props(tab, vals, n.key, n.session)
		return nil
	}, "SELECT "+tab.columnNames("")+" FROM "+tab.name+" WHERE id = ?", n.id)
	return props, err
}

// writeDocuments writes the full text of all actions that need it, in the order of
// row ids: FTS5 flushes its whole hash table when a smaller one comes.
func (t *tx) writeDocuments() error {
	ids := make([]int64, 0, len(t.docs))
	for id := range t.docs {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		d := t.docs[id]
		if d == nil || d.replaces {
			if err := t.forgetDocuments("id = ?", id); err != nil {
				return err
			}
			if err := t.exec("DELETE FROM fts WHERE rowid = ?", id); err != nil {
				return err
			}
		}
		if d == nil || d.Empty() {
			continue
		}
		if err := t.insertDocument(id, d); err != nil {
			return err
		}
		if d.Recalled() {
			t.recalled++
		}
	}
	clear(t.docs)
	return t.writeRecalled()
}

// documentSQL is the INSERT for each set of fields that are not empty: most documents
// have one or two of the five, and an argument costs, above all a text.
var documentSQL = func() (text [32]string) {
	for mask := range text {
		cols, n := "", 0
		for i, c := range []string{"tool_name", "content", "input", "text", "called"} {
			if mask&(1<<i) != 0 {
				cols += ", " + c
				n++
			}
		}
		text[mask] = "INSERT INTO fts (rowid" + cols + ") VALUES (?" + strings.Repeat(", ?", n) + ")"
	}
	return text
}()

func (t *tx) insertDocument(id int64, d *document) error {
	mask := 0
	fields := [...]string{d.ToolName, d.Content, d.Input, d.Text, d.Called}
	for i, f := range fields {
		if f != "" {
			mask |= 1 << i
		}
	}
	st, err := t.prepared(documentSQL[mask])
	if err != nil {
		return err
	}
	t.arg(id)
	for _, f := range fields {
		if f != "" {
			t.arg(f)
		}
	}
	return t.run(st)
}
