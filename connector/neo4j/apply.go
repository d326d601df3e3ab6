package neo4j

import (
	"context"
	"errors"
	"fmt"
	"slices"

	driver "github.com/neo4j/neo4j-go-driver/v5/neo4j"

	"github.com/actiongraph/actiongraph/cypher"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/schema"
)

// Apply writes all batches and their positions in one transaction. An error that wraps
// graph.ErrConflict says that a session is not where its batch expects it, a
// *graph.OwnedError that it is another journal's; nothing was written then. After an
// error of the network it is not known whether something was: the next Apply of the
// same batches succeeds, or is an ErrConflict.
func (s *Store) Apply(ctx context.Context, batches []graph.Batch) error {
	if s.opts.ReadOnly {
		return s.fail("apply", errReadOnly)
	}
	p, err := newPlan(batches)
	if err != nil {
		return s.fail("apply", err)
	}
	if len(p.claims) == 0 {
		return nil
	}
	if err := s.lock(ctx); err != nil {
		return s.fail("apply", err)
	}
	defer s.unlock()
	if err := s.apply(ctx, p); err != nil {
		return s.fail("apply", err)
	}
	return nil
}

// prepare connects, and makes sure that ready is the server, with the schema in it. The caller holds lock.
func (s *Store) prepare(ctx context.Context) error {
	info, err := s.connect(ctx)
	if err != nil || s.ready == info {
		return err
	}
	// After a lost connection it may be another server, or an empty one.
	if err := s.setup(ctx, info.Dialect); err != nil {
		return fmt.Errorf("constraints and indexes: %w", err)
	}
	s.ready = info
	return nil
}

func (s *Store) apply(ctx context.Context, p *plan) error {
	if err := s.prepare(ctx); err != nil {
		return err
	}
	t, err := s.transact(ctx, s.ready.Dialect, p)
	switch {
	case errors.Is(err, graph.ErrConflict):
		s.forget()
	case isRefused(err):
		return fmt.Errorf("%w: %w", graph.ErrRefused, err)
	case err != nil:
		// What was known still is: if this was written after all, the next Apply of the
		// same batches is an ErrConflict.
		s.ready = nil
	default:
		s.applied(t)
	}
	return err
}

// transact writes a plan in one transaction, and returns the attempt that did.
func (s *Store) transact(ctx context.Context, d cypher.Dialect, p *plan) (t *tx, err error) {
	if err := s.dropFirst(ctx, d, p); err != nil {
		return nil, err
	}
	attempts := 0
	_, err = s.run(ctx, driver.AccessModeWrite, func(m driver.ManagedTransaction) ([]*driver.Record, error) {
		attempts++
		t = &tx{ctx: ctx, managed: m, dialect: d, plan: p}
		return nil, t.apply()
	})
	if attempts > 1 {
		line := s.opts.Log.Debug().Int("attempts", attempts)
		if err != nil {
			line.Str("error_message", err.Error())
		}
		line.Msg("a transaction was made again")
	}
	return t, err
}

// applied keeps what the database must hold in step.
func (s *Store) applied(t *tx) {
	for _, c := range t.plan.claims {
		s.moved(c, c.to)
	}
}

// moved is applied for one session.
func (s *Store) moved(c *claim, to schema.Position) {
	sum, ok := s.seen[c.journal]
	if !ok {
		return // its positions were never read: nothing to compare with
	}
	if c.from != (schema.Position{}) {
		sum = sum.without(c.session, c.from)
	}
	if to != (schema.Position{}) {
		sum = sum.with(c.session, to)
	}
	s.seen[c.journal] = sum
}

// tx is one attempt at an Apply. The driver may make several: nothing in it outlives
// one.
type tx struct {
	ctx     context.Context
	managed driver.ManagedTransaction
	dialect cypher.Dialect
	plan    *plan
	held    map[string]held             // by position
	owners  map[string]string           // of sessions, as this transaction leaves them
	taken   map[*claim][]graph.Imported // what each claim absorbs
}

func (t *tx) apply() error {
	return t.each(t.claim, t.drop, t.remove, t.putNodes, t.putActions, t.putEdges, t.move)
}

func (t *tx) each(steps ...func() error) error {
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// remove removes edges, then nodes.
func (t *tx) remove() error {
	for _, k := range cypher.EdgeKinds() {
		if err := t.rows(cypher.Edges(t.dialect, "del_edges", k), t.plan.delEdges[k]); err != nil {
			return err
		}
	}
	return t.each(
		func() error { return t.labelled("del_nodes", graph.LabelAction, t.plan.delNodes[graph.LabelAction]) },
		func() error { return t.labelled("del_nodes", graph.LabelAgent, t.plan.delNodes[graph.LabelAgent]) },
		func() error { return t.keyed("unlink_sessions", t.plan.unfill) },
		func() error { return t.keyed("empty_sessions", t.plan.unfill) })
}

// putNodes puts all nodes but actions.
func (t *tx) putNodes() error {
	if err := t.rows(cypher.Nodes(t.dialect, "put_nodes", graph.LabelSession), t.filled()); err != nil {
		return err
	}
	if err := t.write("put_stubs", t.plan.stubs); err != nil {
		return err
	}
	for _, l := range []graph.Label{graph.LabelTool, graph.LabelTag, graph.LabelFile} {
		if err := t.putShared(l, t.plan.nodes[l]); err != nil {
			return err
		}
	}
	return t.rows(cypher.Nodes(t.dialect, "put_nodes", graph.LabelAgent), t.plan.nodes[graph.LabelAgent])
}

// filled are the rows of Sessions. One that was a stub loses the caption that another
// session's fold gave it.
func (t *tx) filled() []row {
	out := make([]row, len(t.plan.sessions))
	for i, r := range t.plan.sessions {
		c, props := r["claim"].(*claim), r["props"].(row)
		if _, named := props["name"]; !named && t.held[c.position()].stub {
			props = row{"name": nil}
			for k, v := range r["props"].(row) {
				props[k] = v
			}
		}
		out[i] = row{"key": r["key"], "props": props}
	}
	return out
}

func (t *tx) putActions() error {
	if err := t.index(); err != nil {
		return err
	}
	for _, typ := range graph.ActionTypes() {
		rows := t.plan.actions[typ]
		if rows == nil {
			continue
		}
		if err := t.rows(cypher.Actions(t.dialect, "put_actions_owned", typ), rows.owned); err != nil {
			return err
		}
		if err := t.rows(cypher.Actions(t.dialect, "put_actions", typ), rows.changed); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) putEdges() error {
	if err := t.write("put_chains", t.plan.chains); err != nil {
		return err
	}
	for _, k := range cypher.EdgeKinds() {
		if err := t.rows(cypher.Edges(t.dialect, "put_edges", k), t.plan.edges[k]); err != nil {
			return err
		}
	}
	return nil
}

// move writes the positions.
func (t *tx) move() error {
	var rows []row
	for _, c := range t.plan.claims {
		if c.forget {
			continue
		}
		r := row{"position": c.position(), "journal": c.journal, "fills": c.own, "continues": c.continues, "absorbed": nil,
			"offset": c.to.Offset, "sum": int64(c.to.Sum), "first": int64(c.to.First), "fold": c.to.Fold}
		if t.resting(c) {
			r["fills"], r["absorbed"] = nil, t.held[c.position()].Absorbed
		}
		rows = append(rows, r)
	}
	if len(rows) == 0 {
		return nil
	}
	records, err := t.collect(cypher.Write(t.dialect, "moved"), rows)
	if err != nil {
		return err
	}
	if len(records) != 1 || records[0].Values[0] != int64(len(rows)) {
		return fmt.Errorf("%d positions were to be written and fewer were there", len(rows))
	}
	return nil
}

// write runs the statement of a file over rows.
func (t *tx) write(name string, rows []row) error { return t.rows(cypher.Write(t.dialect, name), rows) }

// rows runs a statement over rows, unless there are none.
func (t *tx) rows(stmt string, rows []row) error {
	if len(rows) == 0 {
		return nil
	}
	result, err := t.managed.Run(t.ctx, stmt, map[string]any{"rows": rows})
	if err != nil {
		return err
	}
	_, err = result.Consume(t.ctx)
	return err
}

func (t *tx) collect(stmt string, rows []row) ([]*driver.Record, error) {
	return collect(t.ctx, t.managed, stmt, map[string]any{"rows": rows})
}

// keyed runs the statement of a file over keys, in their order.
func (t *tx) keyed(name string, keys []string) error {
	return t.keys(cypher.Write(t.dialect, name), keys)
}

// labelled is keyed for the nodes of one label.
func (t *tx) labelled(name string, l graph.Label, keys []string) error {
	return t.keys(cypher.Nodes(t.dialect, name, l), keys)
}

func (t *tx) keys(stmt string, keys []string) error {
	if len(keys) == 0 {
		return nil
	}
	keys = slices.Compact(slices.Sorted(slices.Values(keys)))
	result, err := t.managed.Run(t.ctx, stmt, map[string]any{"keys": keys})
	if err != nil {
		return err
	}
	_, err = result.Consume(t.ctx)
	return err
}
