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
	l := &loader{Store: s, ctx: ctx, session: session, g: graph.New(), refs: map[int64]graph.Ref{}}
	if err := s.snapshot(ctx, func(tx *sql.Tx) error { l.tx = tx; return l.load() }); err != nil {
		return nil, s.fail("load session "+session, err)
	}
	return l.g, nil
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

// loader gathers one session's graph.
type loader struct {
	*Store
	ctx     context.Context
	tx      *sql.Tx
	session string
	sid     int64
	g       *graph.Graph
	refs    map[int64]graph.Ref // by code
	late    []lateLink          // whose other end may come in a later row
}

// lateLink is an edge whose ends are known by their codes.
type lateLink struct {
	typ      graph.EdgeType
	src, dst int64
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
	if pointed {
		l.put(own, "", nil)
	}
	return err
}

func (l *loader) put(r graph.Ref, t graph.ActionType, props []graph.Prop) {
	l.g.Apply(graph.Op{Kind: graph.PutNode, Node: graph.Node{Ref: r, Type: t, Props: props}})
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
		if put != nil {
			l.put(r, "", l.types.props(tab, sc.vals, r.Key, l.session))
		}
	}
	return rows.Err()
}

func (l *loader) actions() error {
	a, b := l.tables.action, l.tables.body
	rows, err := l.tx.QueryContext(l.ctx, "SELECT a.id, "+a.columnNames("a.")+", "+b.columnNames("b.")+
		" FROM action a LEFT JOIN body b ON b.id = a.id WHERE a.sid = ?", l.sid)
	if err != nil {
		return err
	}
	defer rows.Close()
	var id int64
	sc := newScan(len(a.cols) + len(b.cols))
	ptrs := append([]any{&id}, sc.ptrs...)
	for rows.Next() {
		if err := rows.Scan(ptrs...); err != nil {
			return err
		}
		r := graph.Ref{Label: a.label, Key: goKey(sc.vals[colKey])}
		l.refs[id*8+a.code] = r
		if typ := sc.vals[colType]; typ != nil {
			props := l.types.props(a, sc.vals[:len(a.cols)], r.Key, l.session)
			props = append(props, l.types.props(b, sc.vals[len(a.cols):], r.Key, l.session)...)
			l.put(r, l.types.actionType(typ), props)
		}
		l.columns(id*8+a.code, sc.vals[colLinks:colLinks+numLinks])
	}
	return rows.Err()
}

// columns notes the edges that an action's columns are.
func (l *loader) columns(code int64, links []any) {
	link := func(slot int, typ graph.EdgeType, label int64) {
		if id, ok := links[slot].(int64); ok {
			l.late = append(l.late, lateLink{typ, id*8 + label, code})
		}
	}
	if links[linkSession] != nil {
		l.late = append(l.late, lateLink{graph.HasAction, l.sid * 8, code})
	}
	link(linkLane, graph.HasAction, l.tables.agent.code)
	link(linkPrev, graph.FollowedBy, l.tables.action.code)
	link(linkParent, graph.ParentOf, l.tables.action.code)
	if id, ok := links[linkTool].(int64); ok {
		l.late = append(l.late, lateLink{graph.UsedTool, code, id*8 + l.tables.tool.code})
	}
}

// edges puts all edges and the nodes of other tables at their ends.
func (l *loader) edges() error {
	for _, e := range l.late {
		if err := l.putEdge(e, nil); err != nil {
			return err
		}
	}
	rows, err := l.tx.QueryContext(l.ctx, "SELECT src, type, dst, props FROM edge WHERE owner = ?", l.sid)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var src, typ, dst int64
		var props any
		if err := rows.Scan(&src, &typ, &dst, &props); err != nil {
			return err
		}
		if typ < 0 || typ >= int64(len(l.types.edges)) {
			return fmt.Errorf("edge of unknown type %d: the file is newer than this program", typ)
		}
		if err := l.putEdge(lateLink{l.types.edges[typ], src, dst}, decodeProps(props)); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (l *loader) putEdge(e lateLink, props []graph.Prop) error {
	from, err := l.ref(e.src)
	if err != nil {
		return err
	}
	to, err := l.ref(e.dst)
	if err != nil {
		return err
	}
	key := graph.EdgeKey{Type: e.typ, From: from, To: to}
	l.g.Apply(graph.Op{Kind: graph.PutEdge, Edge: graph.Edge{EdgeKey: key, Props: props}})
	return nil
}

// ref names the node of a code; shared nodes and other Sessions are loaded on the
// way, the latter as stubs.
func (l *loader) ref(code int64) (graph.Ref, error) {
	if r, ok := l.refs[code]; ok {
		return r, nil
	}
	id, label := code>>3, code&7
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
		l.put(r, "", nil)
		return r, nil
	}
	return graph.Ref{}, fmt.Errorf("an edge ends at row %d of table %d, which is missing", id, label)
}
