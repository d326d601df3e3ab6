package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/actiongraph/actiongraph/graph"
)

// Load returns what the store holds of one session: what its own fold put, and the
// Sessions at the other ends of its edges as stubs, without properties. A Session
// that only others point at is such a stub itself.
func (s *Store) Load(ctx context.Context, session string) (*graph.Graph, error) {
	g := graph.New()
	err := s.Stream(ctx, session, func() func(*graph.Op) error {
		return func(op *graph.Op) error { g.Apply(*op); return nil }
	})
	if err != nil {
		return nil, err
	}
	return g, nil
}

// Stream puts what Load returns, one node and edge after the other: see
// connector.Streamer.
func (s *Store) Stream(ctx context.Context, session string, begin func() (put func(*graph.Op) error)) error {
	var failed error // put's own
	put := begin()
	l := &loader{Store: s, ctx: ctx, session: session, refs: map[int64]graph.Ref{}, yield: func(op *graph.Op) error {
		failed = put(op)
		return failed
	}}
	err := s.snapshot(ctx, func(tx *sql.Tx) error { l.tx = tx; return l.load() })
	if failed != nil || err == nil {
		return failed
	}
	return s.fail("load session "+session, err)
}

// snapshot runs f on one state of the file, whatever a writer does meanwhile.
func (s *Store) snapshot(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := s.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	defer tx.Rollback()
	return f(tx)
}

// loader reads one session's graph.
type loader struct {
	*Store
	ctx     context.Context
	tx      *sql.Tx
	session string
	sid     int64
	yield   func(*graph.Op) error
	refs    map[int64]graph.Ref // by code, of what is no action: those are too many
}

func (l *loader) load() error {
	var put any
	err := l.tx.QueryRowContext(l.ctx, "SELECT id, put FROM session WHERE key = ?", l.session).Scan(&l.sid, &put)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	own := graph.Ref{Label: graph.LabelSession, Key: l.session}
	l.refs[l.sid*8] = own
	if put == nil {
		if err := l.stub(own); err != nil {
			return err
		}
	} else if err := l.nodes(l.tables.session, "id = ?", l.sid); err != nil {
		return err
	}
	if err := l.nodes(l.tables.agent, "sid = ?", l.sid); err != nil {
		return err
	}
	if err := l.actions(); err != nil {
		return err
	}
	return l.edges()
}

// stub puts the session bare if another session's edge ends at it.
func (l *loader) stub(own graph.Ref) error {
	var pointed bool
	err := l.tx.QueryRowContext(l.ctx, "SELECT EXISTS (SELECT 1 FROM edge WHERE (dst = ?1 OR src = ?1) AND owner <> ?2)",
		l.sid*8, l.sid).Scan(&pointed)
	if err != nil || !pointed {
		return err
	}
	return l.put(own, "", nil)
}

func (l *loader) put(r graph.Ref, t graph.ActionType, props []graph.Prop) error {
	return l.yield(&graph.Op{Kind: graph.PutNode, Node: graph.Node{Ref: r, Type: t, Props: props}})
}

// nodes loads rows of any table but action.
func (l *loader) nodes(tab *table, where string, args ...any) error {
	rows, err := l.tx.QueryContext(l.ctx, "SELECT id, key, put, "+tab.columnNames("")+" FROM "+tab.name+" WHERE "+where, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		var key, put any
		sc := newScan(len(tab.cols))
		if err := rows.Scan(append([]any{&id, &key, &put}, sc.ptrs...)...); err != nil {
			return err
		}
		r := graph.Ref{Label: tab.label, Key: goKey(key)}
		l.refs[id*8+tab.code] = r
		if put == nil {
			continue
		}
		if err := l.put(r, "", l.types.props(tab, sc.vals, r.Key, l.session)); err != nil {
			return err
		}
	}
	return rows.Err()
}

// actions puts the session's actions with the edges that are their columns.
func (l *loader) actions() error {
	return l.actionRows("a.sid = ?", []any{l.sid}, func(r graph.Ref, vals []any) error {
		if typ := vals[colType]; typ != nil {
			if err := l.put(r, l.types.actionType(typ), l.actionProps(r, vals)); err != nil {
				return err
			}
		}
		keys := vals[len(vals)-2:]
		return l.columns(r, vals[colLinks:colLinks+numLinks], keys[0], keys[1])
	})
}

// actionRows hands the rows of actions to f: the values of action and body, the key of the
// action before and that of the parent. They come in the order of time, which is nearly that
// of the rows: in the order of their keys, each row of a long session is another page.
func (l *loader) actionRows(where string, args []any, f func(r graph.Ref, vals []any) error) error {
	a, b := l.tables.action, l.tables.body
	rows, err := l.tx.QueryContext(l.ctx, "SELECT "+a.columnNames("a.")+", "+b.columnNames("b.")+", prev.key, parent.key"+
		" FROM action a LEFT JOIN body b ON b.id = a.id"+
		" LEFT JOIN action prev ON prev.id = a.prev AND prev.sid = a.sid"+
		" LEFT JOIN action parent ON parent.id = a.parent AND parent.sid = a.sid WHERE "+where+" ORDER BY a.timestamp", args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	sc := newScan(len(a.cols) + len(b.cols) + 2)
	for rows.Next() {
		if err := rows.Scan(sc.ptrs...); err != nil {
			return err
		}
		if err := f(graph.Ref{Label: a.label, Key: goKey(sc.vals[colKey])}, sc.vals); err != nil {
			return err
		}
	}
	return rows.Err()
}

// actionProps gives the properties that a row of actionRows holds.
func (l *loader) actionProps(r graph.Ref, vals []any) []graph.Prop {
	a, b := l.tables.action, l.tables.body
	props := l.types.props(a, vals[:len(a.cols)], r.Key, l.session)
	return append(props, l.types.props(b, vals[len(a.cols):len(a.cols)+len(b.cols)], r.Key, l.session)...)
}

// columns puts the edges that an action's columns are; prev and parent are the keys that
// these columns name.
func (l *loader) columns(own graph.Ref, links []any, prev, parent any) error {
	if links[linkSession] != nil {
		if err := l.edge(graph.HasAction, graph.Ref{Label: graph.LabelSession, Key: l.session}, own, nil); err != nil {
			return err
		}
	}
	for _, link := range []struct {
		slot  int
		typ   graph.EdgeType
		label int64
		key   any
	}{
		{linkLane, graph.HasAction, l.tables.agent.code, nil}, {linkPrev, graph.FollowedBy, l.tables.action.code, prev},
		{linkParent, graph.ParentOf, l.tables.action.code, parent}, {linkTool, graph.UsedTool, l.tables.tool.code, nil},
	} {
		id, ok := links[link.slot].(int64)
		if !ok {
			continue
		}
		other, err := l.ref(id*8+link.label, link.key)
		if err != nil {
			return err
		}
		from, to := other, own
		if link.slot == linkTool {
			from, to = own, other
		}
		if err := l.edge(link.typ, from, to, nil); err != nil {
			return err
		}
	}
	return nil
}

func (l *loader) edge(t graph.EdgeType, from, to graph.Ref, props []graph.Prop) error {
	return l.yield(&graph.Op{Kind: graph.PutEdge, Edge: graph.Edge{EdgeKey: graph.EdgeKey{Type: t, From: from, To: to}, Props: props}})
}

// edges puts the edges that are rows, and the nodes of other tables at their ends.
func (l *loader) edges() error {
	rows, err := l.tx.QueryContext(l.ctx, "SELECT e.src, e.type, e.dst, e.props, src.key, dst.key FROM edge e"+
		" LEFT JOIN action src ON e.src & 7 = ?1 AND src.id = e.src >> 3 AND src.sid = e.owner"+
		" LEFT JOIN action dst ON e.dst & 7 = ?1 AND dst.id = e.dst >> 3 AND dst.sid = e.owner WHERE e.owner = ?2",
		l.tables.action.code, l.sid)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var src, typ, dst int64
		var props, srcKey, dstKey any
		if err := rows.Scan(&src, &typ, &dst, &props, &srcKey, &dstKey); err != nil {
			return err
		}
		if typ < 0 || typ >= int64(len(l.types.edges)) {
			return fmt.Errorf("edge of unknown type %d: the file is newer than this program", typ)
		}
		from, err := l.ref(src, srcKey)
		if err != nil {
			return err
		}
		to, err := l.ref(dst, dstKey)
		if err != nil {
			return err
		}
		if err := l.edge(l.types.edges[typ], from, to, decodeProps(props)); err != nil {
			return err
		}
	}
	return rows.Err()
}

// ref names the node of a code, an action by the key that was read with it; shared nodes
// and other Sessions are put on the way, the latter as stubs.
func (l *loader) ref(code int64, action any) (graph.Ref, error) {
	id, label := code>>3, code&7
	if label == l.tables.action.code && action != nil {
		return graph.Ref{Label: graph.LabelAction, Key: goKey(action)}, nil
	}
	if r, ok := l.refs[code]; ok {
		return r, nil
	}
	for _, tab := range []*table{l.tables.tool, l.tables.tag, l.tables.file} {
		if tab.code == label {
			err := l.nodes(tab, "id = ?", id)
			if r, ok := l.refs[code]; ok || err != nil {
				return r, err
			}
		}
	}
	if label == l.tables.session.code {
		var key string
		if err := l.tx.QueryRowContext(l.ctx, "SELECT key FROM session WHERE id = ?", id).Scan(&key); err != nil {
			return graph.Ref{}, err
		}
		r := graph.Ref{Label: graph.LabelSession, Key: key}
		l.refs[code] = r
		return r, l.put(r, "", nil)
	}
	return graph.Ref{}, fmt.Errorf("an edge ends at row %d of table %d, which is missing", id, label)
}
