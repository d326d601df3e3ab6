package neo4j

import (
	"context"
	"errors"
	"slices"

	driver "github.com/neo4j/neo4j-go-driver/v5/neo4j"

	"github.com/actiongraph/actiongraph/cypher"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/schema"
)

// dropAtOnce is how many actions an Apply drops in the transaction that puts others. A
// session of a hundred thousand does not fit the memory that a server has for one.
const dropAtOnce = 5000

// dropped is what resets and absorbed journals leave behind.
type dropped struct {
	emptied, gone []string // Sessions that become stubs, those that then may go
	absorbed      []row    // positions of the journals that were taken in
	dropping      []row    // positions of claims whose own Sessions are emptied
	some          []row    // rows of drop_some.cypher
	forgotten     []row    // positions of claims that forget their sessions
	made          []string // Sessions that the claims made, if these were not there
}

// dropped finds what a claimed plan drops.
func (t *tx) dropped() (d dropped) {
	for _, c := range t.plan.claims {
		h := t.held[c.position()]
		if c.forget {
			d.forgets(c, h)
			continue
		}
		empties := false
		if t.resets(c) {
			empties = true
			if part := graph.ContinuationID(c.session, c.journal); (h.Continues || h.dropping) && !c.continues {
				d.gone = append(d.gone, part)
				d.some = append(d.some, row{"position": c.position(), "session": part, "taken": false})
			}
		}
		for _, in := range t.taken[c] {
			part := graph.ContinuationID(c.session, in.Journal)
			d.gone = append(d.gone, part)
			d.some = append(d.some, row{"position": positionID(in.Journal, c.session), "session": part, "taken": true})
			d.absorbed = append(d.absorbed, row{"position": positionID(in.Journal, c.session), "offset": in.Offset})
			empties = empties || h.owner == in.Journal
		}
		if empties {
			d.emptied = append(d.emptied, c.own)
			d.some = append(d.some, row{"position": c.position(), "session": c.own, "taken": false})
			d.dropping = append(d.dropping, row{"position": c.position(), "journal": c.journal, "fills": c.own, "continues": c.continues})
		}
	}
	return d
}

// resets reports a claim before which all that its journal has put of the session goes:
// also one that comes after a drop that was cut off.
func (t *tx) resets(c *claim) bool {
	h := t.held[c.position()]
	return c.reset || h.dropping
}

// drop removes what resets and absorbed journals leave behind.
func (t *tx) drop() error {
	d := t.dropped()
	made := slices.Concat(d.gone, d.made) // claim.cypher has made a Session for each that may be absorbed
	for _, c := range t.plan.claims {
		for _, in := range c.absorbs {
			made = append(made, graph.ContinuationID(c.session, in.Journal))
		}
	}
	return t.each(
		func() error { return t.empty(slices.Concat(d.emptied, d.gone)) },
		func() error { return t.keyed("remove_sessions", made) },
		func() error { return t.write("absorb_positions", d.absorbed) },
		func() error { return t.write("forget_positions", d.forgotten) })
}

// empty removes what the folds of some sessions have put.
func (t *tx) empty(sessions []string) error {
	return t.each(
		func() error { return t.labelled("drop_nodes", graph.LabelAction, sessions) },
		func() error { return t.labelled("drop_nodes", graph.LabelAgent, sessions) },
		func() error { return t.keyed("unlink_sessions", sessions) },
		func() error { return t.keyed("empty_sessions", sessions) })
}

// dropFirst drops most of what a plan drops in transactions of their own, where it is
// much. The first one says so at the positions, so that each of them may be the last: what
// comes next then folds the sessions from their beginning, and drops the rest.
func (s *Store) dropFirst(ctx context.Context, d cypher.Dialect, p *plan) error {
	if much, err := s.dropsMuch(ctx, d, p); err != nil || !much {
		return err
	}
	var t *tx
	var what dropped
	_, err := s.run(ctx, driver.AccessModeWrite, func(m driver.ManagedTransaction) ([]*driver.Record, error) {
		t = &tx{ctx: ctx, managed: m, dialect: d, plan: p}
		if err := t.claim(); err != nil {
			return nil, err
		}
		if what = t.dropped(); len(what.some) == 0 {
			return nil, errNothing
		}
		return nil, t.each(
			func() error { return t.write("absorb_positions", what.absorbed) },
			func() error { return t.write("dropping", what.dropping) },
			func() error { return t.write("forgetting", what.forgotten) })
	})
	switch {
	case errors.Is(err, errNothing):
		return nil
	case err != nil:
		return err
	}
	for _, c := range p.claims {
		if slices.ContainsFunc(what.dropping, func(r row) bool { return r["position"] == c.position() }) {
			s.moved(c, schema.Position{})
			c.from = schema.Position{}
		}
	}
	for {
		records, err := s.run(ctx, driver.AccessModeWrite, func(m driver.ManagedTransaction) ([]*driver.Record, error) {
			return collect(ctx, m, cypher.Write(d, "drop_some"), map[string]any{"rows": what.some})
		})
		if err != nil || records[0].Values[0] == int64(0) {
			return err
		}
	}
}

// errNothing takes a transaction back that had nothing to do.
var errNothing = errors.New("nothing is to be dropped")

// dropsMuch reports whether a plan may drop more than dropAtOnce actions.
func (s *Store) dropsMuch(ctx context.Context, d cypher.Dialect, p *plan) (bool, error) {
	var keys []string
	for _, c := range p.claims {
		if c.reset || c.from == (schema.Position{}) { // or a drop that was cut off
			keys = append(keys, c.own, c.session, graph.ContinuationID(c.session, c.journal))
		}
		for _, in := range c.absorbs {
			keys = append(keys, graph.ContinuationID(c.session, in.Journal))
		}
	}
	if len(keys) == 0 {
		return false, nil
	}
	slices.Sort(keys)
	records, err := s.run(ctx, s.leader(), func(tx driver.ManagedTransaction) ([]*driver.Record, error) {
		return collect(ctx, tx, cypher.Read(d, "actions_held"), map[string]any{"keys": slices.Compact(keys)})
	})
	if err != nil {
		return false, err
	}
	n, _ := records[0].Values[0].(int64)
	return n > int64(s.dropAtOnce), nil
}
