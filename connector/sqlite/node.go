package sqlite

import (
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/actiongraph/actiongraph/graph"
)

// node is a row that a transaction touches: what the file holds of its links, and
// what is to be written.
type node struct {
	table   *table
	id, sid int64
	key     string
	session string // the id of its session, for columns of kind self
	typ     graph.ActionType
	props   []graph.Prop    // to be written; may alias an op's
	links   [numLinks]int64 // 0 is none
	relinks uint8           // bits of links to be written

	stored  bool // the row is in the file
	put     bool // it is a node, not only the end of an edge
	hasBody bool // of an action: so is its body
	changed bool // put or typ are to be written
	counted bool // the file's sums of usage include it
	dirty   bool // it is in tx.dirty
}

type nodeKey struct {
	code, sid int64
	key       string
}

// code names the node in edge.src and edge.dst.
func (n *node) code() int64 {
	if n == nil {
		return -1
	}
	return n.id*8 + n.table.code
}

func (t *tx) setLink(n *node, slot int, value int64) {
	if n.links[slot] != value {
		n.links[slot] = value
		n.relinks |= 1 << slot
		t.touch(n)
	}
}

func (t *tx) touch(n *node) {
	if !n.dirty {
		n.dirty = true
		t.dirty = append(t.dirty, n)
	}
}

// end returns the node, a bare row where there is none: a fold may put an edge
// before the node at its end.
func (t *tx) end(r graph.Ref) (*node, error) {
	tab := t.tables.of(r.Label)
	if tab == nil {
		return nil, fmt.Errorf("node with unknown label %q", r.Label)
	}
	return t.node(tab, r.Key, true)
}

// find returns the node, or nil.
func (t *tx) find(r graph.Ref) (*node, error) {
	tab := t.tables.of(r.Label)
	if tab == nil {
		return nil, fmt.Errorf("node with unknown label %q", r.Label)
	}
	return t.node(tab, r.Key, false)
}

// node returns the row of a key. Keys of actions and agents belong to the batch's
// session: two sessions never share one.
func (t *tx) node(tab *table, key string, create bool) (*node, error) {
	k := nodeKey{tab.code, 0, key}
	if tab.owned {
		k.sid = t.sid
	}
	if n := t.nodes[k]; n != nil {
		return n, nil
	}
	n := &node{table: tab, key: key, sid: k.sid, session: t.session()}
	if !tab.owned || !t.fresh && tab != t.tables.action { // prefetch found all actions that are there
		var err error
		if n.stored, err = t.load(n); err != nil {
			return nil, err
		}
	}
	if !n.stored {
		if !create {
			return nil, nil
		}
		var err error
		if n.id, err = t.nextID(tab); err != nil {
			return nil, err
		}
		t.touch(n)
	}
	t.nodes[k] = n
	return n, nil
}

// session is the id of the batch's session, once its node is there.
func (t *tx) session() string {
	if t.owner == nil {
		return ""
	}
	return t.owner.key
}

// load reads the id of a row that is not an action.
func (t *tx) load(n *node) (found bool, err error) {
	where, args := "key = ?", []any{n.table.sqlKey(n.key)}
	if n.table.owned {
		where, args = "key = ? AND sid = ?", append(args, n.sid)
	}
	err = t.queryRow("SELECT id, put IS NOT NULL FROM "+n.table.name+" WHERE "+where, args...).Scan(&n.id, &n.put)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

func (t *tx) nextID(tab *table) (int64, error) {
	last, ok := t.last[tab]
	if !ok {
		if err := t.queryRow("SELECT coalesce(max(id), 0) FROM " + tab.name).Scan(&last); err != nil {
			return 0, err
		}
	}
	t.last[tab] = last + 1
	return last + 1, nil
}

// lookups are the numbers of keys that one statement asks for: one by one costs
// three times as much, and a place left empty costs as well.
var lookups = []int{1, 4, 8, 16, 32}

const maxLookup = 32

var lookupSQL = func() (text [maxLookup + 1]string) {
	for _, n := range lookups {
		text[n] = "SELECT key, id, type, in_session, lane, prev, parent, tool FROM action WHERE sid = ? AND key IN (?" +
			strings.Repeat(", ?", n-1) + ")"
	}
	return text
}()

// prefetch reads the narrow rows of all actions that ops are about.
func (t *tx) prefetch(ops []graph.Op) error {
	keys := make([]any, 0, maxLookup+1)
	keys = append(keys, t.sid)
	clear(t.asked)
	ask := func(r graph.Ref) error {
		if r.Label != graph.LabelAction || t.asked[r.Key] || t.nodes[nodeKey{t.tables.action.code, t.sid, r.Key}] != nil {
			return nil
		}
		t.asked[r.Key] = true
		if keys = append(keys, t.tables.action.sqlKey(r.Key)); len(keys) <= maxLookup {
			return nil
		}
		err := t.fetch(keys)
		keys = keys[:1]
		return err
	}
	for i := range ops {
		op := &ops[i]
		if op.Kind == graph.PutNode || op.Kind == graph.DelNode {
			if err := ask(op.Node.Ref); err != nil {
				return err
			}
			continue
		}
		if err := errors.Join(ask(op.Edge.From), ask(op.Edge.To)); err != nil {
			return err
		}
	}
	return t.fetch(keys)
}

// fetch reads the rows of args: the session's row id, then keys.
func (t *tx) fetch(args []any) error {
	if len(args) == 1 {
		return nil
	}
	size := lookups[slices.IndexFunc(lookups, func(n int) bool { return n >= len(args)-1 })]
	for len(args) <= size {
		args = append(args, nil) // NULL matches no key
	}
	return t.query(func(vals []any) error {
		n := &node{table: t.tables.action, key: goKey(vals[0]), sid: t.sid, session: t.owner.key, stored: true}
		n.id, _ = vals[1].(int64)
		if typ := vals[2]; typ != nil {
			n.put, n.hasBody = true, true
			n.typ = t.types.actionType(typ)
			n.counted = n.typ == graph.LLMCall
		}
		for i, v := range vals[3:] {
			n.links[i], _ = v.(int64)
		}
		t.nodes[nodeKey{n.table.code, n.sid, n.key}] = n
		return nil
	}, lookupSQL[size], args...)
}
