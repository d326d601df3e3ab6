package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/schema"
)

// Apply writes all batches and their positions in one transaction. An error that
// wraps graph.ErrConflict says that a session is not where its batch expects it;
// after any error nothing was written.
func (s *Store) Apply(ctx context.Context, batches []graph.Batch) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.writable(); err != nil {
		return s.fail("apply", err)
	}
	if err := s.apply(ctx, batches); err != nil {
		return s.fail("apply", err)
	}
	return nil
}

func (s *Store) apply(ctx context.Context, batches []graph.Batch) error {
	if err := s.conn.do(ctx, "BEGIN IMMEDIATE"); err != nil {
		s.conn.do(context.Background(), "ROLLBACK") // ctx may have ended after it began
		return err
	}
	t := &tx{Store: s, writer: s.conn, nodes: make(map[nodeKey]*node), last: map[*table]int64{}, docs: map[int64]*document{}, asked: map[string]bool{},
		usage: map[int64]usageSums{}}
	err := func() error {
		for i := range batches {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := t.batch(&batches[i]); err != nil {
				return fmt.Errorf("session %s: %w", batches[i].Session, err)
			}
		}
		if err := t.flush(); err != nil {
			return err
		}
		if err := t.writeUsage(); err != nil {
			return err
		}
		return t.writeDocuments()
	}()
	if err == nil {
		err = s.conn.do(context.Background(), "COMMIT")
	}
	if err != nil {
		s.conn.do(context.Background(), "ROLLBACK")
		return err
	}
	s.conn.committed()
	return nil
}

// tx is one transaction: the rows that its ops touch, gathered so that each is
// written once, however many ops are about it, and in the order of row ids.
type tx struct {
	*Store
	*writer
	nodes  map[nodeKey]*node
	dirty  []*node             // in the order in which they were first touched
	last   map[*table]int64    // the greatest row id given out
	docs   map[int64]*document // by action: full text to write, nil to remove
	usage  map[int64]usageSums // by session row: what its model calls changed
	sums4h []byte              // that a row of the table usage gets

	recalled int64 // documents of a recall, more or fewer

	rows  [2]row       // that a flush fills
	rest  []graph.Prop // without a column
	json  []byte
	asked map[string]bool // keys that prefetch has looked for
	sid   int64           // of the batch
	owner *node           // its Session
	fresh bool            // the session has no rows yet: nothing to look up
}

func (t *tx) batch(b *graph.Batch) error {
	if err := t.move(b); err != nil {
		return err
	}
	if b.Forget {
		return t.forget(b)
	}
	if b.Reset {
		if err := t.reset(b.Session); err != nil {
			return err
		}
	}
	if len(b.Ops) == 0 {
		return nil
	}
	owner, err := t.node(t.tables.session, b.Session, true)
	if err != nil {
		return err
	}
	t.owner, t.sid = owner, owner.id
	t.fresh = !owner.stored
	for ops := b.Ops; len(ops) > 0; {
		n := untilDeleted(ops)
		if err := t.ops(ops[:n]); err != nil {
			return err
		}
		ops = ops[n:]
	}
	return nil
}

// move advances the session's position, if it is where the batch expects it.
func (t *tx) move(b *graph.Batch) error {
	var at schema.Position
	var sum, first int64
	err := t.queryRow("SELECT offset, sum, first, fold FROM position WHERE journal = ? AND session = ?", b.Journal, b.Session).
		Scan(&at.Offset, &sum, &first, &at.Fold)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	at.Sum, at.First = uint64(sum), uint64(first)
	if at != b.From {
		return fmt.Errorf("at %v of journal %s, expected %v: %w", at, b.Journal, b.From, graph.ErrConflict)
	}
	return t.exec("INSERT INTO position VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET "+
		"offset = excluded.offset, sum = excluded.sum, first = excluded.first, fold = excluded.fold",
		b.Journal, b.Session, b.To.Offset, int64(b.To.Sum), int64(b.To.First), b.To.Fold)
}

// untilDeleted returns how many ops there are up to the end of the first series of
// DelNode: what a deletion takes along has to be written before it, and what is
// looked up after it must not be older than it.
func untilDeleted(ops []graph.Op) int {
	deleted := false
	for i := range ops {
		if ops[i].Kind == graph.DelNode {
			deleted = true
		} else if deleted {
			return i
		}
	}
	return len(ops)
}

func (t *tx) ops(ops []graph.Op) error {
	if !t.fresh {
		if err := t.prefetch(ops); err != nil {
			return err
		}
	}
	var deleted []*node
	for i := range ops {
		var err error
		switch op := &ops[i]; op.Kind {
		case graph.DelEdge:
			err = t.delEdge(&op.Edge)
		case graph.PutNode:
			err = t.putNode(&op.Node)
		case graph.PutEdge:
			err = t.putEdge(&op.Edge)
		case graph.DelNode:
			var n *node
			if n, err = t.find(op.Node.Ref); n != nil {
				deleted = append(deleted, n)
			}
		default:
			err = fmt.Errorf("op of unknown kind %d", op.Kind)
		}
		if err != nil {
			return err
		}
	}
	return t.delete(deleted)
}

func (t *tx) putNode(n *graph.Node) error {
	row, err := t.end(n.Ref)
	if err != nil {
		return err
	}
	if n.Label == graph.LabelSession && n.Key != t.owner.key {
		// Another session's node is only made to exist: what it says is for its own
		// fold, which may have said it before and would not again.
		return nil
	}
	t.touch(row)
	if !row.put {
		row.put, row.changed = true, true
	}
	if n.Label == graph.LabelAction && row.typ != n.Type {
		row.typ, row.changed = n.Type, true
	}
	if len(row.props) == 0 {
		row.props = n.Props[:len(n.Props):len(n.Props)]
	} else {
		row.props = merge(append([]graph.Prop(nil), row.props...), n.Props)
	}
	return nil
}

// link returns the node and the column that hold e, and with which value; n is nil
// where e is no column. An end that is missing is made where create says so.
func (t *tx) link(e *graph.EdgeKey, create bool) (n *node, slot int, value int64, err error) {
	holder, other := e.To, e.From
	switch {
	case e.Type == graph.HasAction && e.From == (graph.Ref{Label: graph.LabelSession, Key: t.owner.key}):
		slot = linkSession
	case e.Type == graph.HasAction && e.From.Label == graph.LabelAgent:
		slot = linkLane
	case e.Type == graph.FollowedBy && e.From.Label == graph.LabelAction:
		slot = linkPrev
	case e.Type == graph.ParentOf && e.From.Label == graph.LabelAction:
		slot = linkParent
	case e.Type == graph.UsedTool && e.To.Label == graph.LabelTool:
		slot = linkTool
		holder, other = e.From, e.To
	default:
		return nil, 0, 0, nil
	}
	if holder.Label != graph.LabelAction {
		return nil, 0, 0, nil
	}
	get := t.find
	if create {
		get = t.end
	}
	n, err = get(holder)
	if err != nil || n == nil || slot == linkSession {
		return n, slot, 1, err
	}
	o, err := get(other)
	if err != nil || o == nil {
		return nil, 0, 0, err
	}
	return n, slot, o.id, nil
}

func (t *tx) putEdge(e *graph.Edge) error {
	n, slot, value, err := t.link(&e.EdgeKey, true)
	if err != nil {
		return err
	}
	if n != nil {
		t.setLink(n, slot, value)
		if len(e.Props) == 0 {
			return nil
		}
	}
	return t.putEdgeRow(e)
}

// putEdgeRow writes an edge that is no column, or the properties of one that is.
func (t *tx) putEdgeRow(e *graph.Edge) error {
	src, dst, typ, err := t.ends(&e.EdgeKey, t.end)
	if err != nil {
		return err
	}
	if len(e.Props) == 0 {
		return t.exec("INSERT OR IGNORE INTO edge VALUES (?, ?, ?, ?, NULL)", src, typ, dst, t.sid)
	}
	var old any
	err = t.queryRow("SELECT props FROM edge WHERE src = ? AND type = ? AND dst = ?", src, typ, dst).Scan(&old)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	merged := moreColumn(appendProps(nil, merge(decodeProps(old), e.Props)))
	return t.exec("INSERT INTO edge VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET props = excluded.props",
		src, typ, dst, t.sid, merged)
}

func (t *tx) delEdge(e *graph.Edge) error {
	n, slot, value, err := t.link(&e.EdgeKey, false)
	if err != nil {
		return err
	}
	if n != nil && n.links[slot] == value {
		t.setLink(n, slot, 0)
	}
	src, dst, typ, err := t.ends(&e.EdgeKey, t.find)
	if err != nil || src < 0 || dst < 0 {
		return err
	}
	return t.exec("DELETE FROM edge WHERE src = ? AND type = ? AND dst = ?", src, typ, dst)
}

// ends returns the codes of an edge's ends, -1 where get finds none, and the number
// of its type.
func (t *tx) ends(e *graph.EdgeKey, get func(graph.Ref) (*node, error)) (src, dst, typ int64, err error) {
	typ, ok := t.types.edge[e.Type]
	if !ok {
		return 0, 0, 0, fmt.Errorf("edge of unknown type %q", e.Type)
	}
	from, err := get(e.From)
	if err != nil {
		return 0, 0, 0, err
	}
	to, err := get(e.To)
	if err != nil {
		return 0, 0, 0, err
	}
	return from.code(), to.code(), typ, nil
}
