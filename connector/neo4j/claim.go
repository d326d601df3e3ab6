package neo4j

import (
	"fmt"
	"slices"
	"strings"

	"github.com/actiongraph/actiongraph/cypher"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/schema"
)

// held is what the database has of a journal's session, once it is locked.
type held struct {
	at schema.Position
	graph.Standing
	owner string // the journal that owns the session
	stub  bool   // the Session that the journal fills is one
	// dropping says that what the journal has put is only partly there: see dropFirst.
	dropping bool
}

// claim locks the positions and Sessions of the plan, reads them, and refuses what is
// not where it is expected, or another journal's.
func (t *tx) claim() error {
	rows := t.claimRows()
	if err := t.write("claim", rows); err != nil {
		return err
	}
	records, err := t.collect(cypher.Write(t.dialect, "claimed"), rows)
	if err != nil {
		return err
	}
	t.held = map[string]held{}
	for _, r := range records {
		m := r.AsMap()
		id, _ := m["position"].(string)
		h := held{at: decodePosition(m), Standing: decodeStanding(m)}
		h.owner, _ = m["owner"].(string)
		h.stub, _ = m["stub"].(bool)
		h.dropping, _ = m["dropping"].(bool)
		t.held[id] = h
	}
	return t.check()
}

// claimRows are what has to be locked: the sessions of the plan, and what the journals
// that they have taken in put, which those may be writing at this moment. They are
// sorted, so that two programs lock them in the same order.
func (t *tx) claimRows() (rows []row) {
	for _, c := range t.plan.claims {
		rows = append(rows, row{"position": c.position(), "journal": c.journal, "session": c.session, "own": c.own})
		for _, in := range c.absorbs {
			rows = append(rows, row{"position": positionID(in.Journal, c.session), "journal": in.Journal, "session": c.session,
				"own": graph.ContinuationID(c.session, in.Journal)})
		}
	}
	slices.SortFunc(rows, func(a, b row) int { return strings.Compare(a["position"].(string), b["position"].(string)) })
	return slices.CompactFunc(rows, func(a, b row) bool { return a["position"] == b["position"] })
}

// check decides what each claim may do, in the words of storetest's reference.
func (t *tx) check() error {
	owned := &graph.OwnedError{}
	t.owners, t.taken = map[string]string{}, map[*claim][]graph.Imported{}
	for _, c := range t.plan.claims {
		h, ok := t.held[c.position()]
		if !ok {
			return fmt.Errorf("session %s: its position was claimed and is not there: %w", c.session, errVanished)
		}
		if h.at != c.from {
			return fmt.Errorf("session %s: the database is at %+v, the batch begins at %+v: %w", c.session, h.at, c.from, graph.ErrConflict)
		}
		if c.forget {
			continue
		}
		if t.resting(c) {
			if len(c.ops) > 0 || c.to.Offset > h.Absorbed {
				return fmt.Errorf("session %s is in another journal's record up to %d: %w", c.session, h.Absorbed, graph.ErrConflict)
			}
			continue
		}
		if _, ok := t.owners[c.session]; !ok {
			t.owners[c.session] = h.owner
		}
		t.take(c)
		switch owner := t.owners[c.session]; {
		case owner == c.journal && c.continues:
			return fmt.Errorf("session %s is the journal's own, not a continuation: %w", c.session, graph.ErrConflict)
		case owner == "" && !c.continues:
			t.owners[c.session] = c.journal
		case owner != c.journal && !c.continues:
			owned.Sessions = append(owned.Sessions, c.session)
		}
	}
	if len(owned.Sessions) > 0 {
		slices.Sort(owned.Sessions)
		return owned
	}
	return nil
}

// resting reports a claim of a session that is in another journal's record, and whose
// own record is not put again.
func (t *tx) resting(c *claim) bool { return t.held[c.position()].Absorbed > 0 && !c.reset }

// take notes the journals whose record of a claim's session is in the claim's: those that
// have not put more into the database than was imported.
func (t *tx) take(c *claim) {
	for _, in := range c.absorbs {
		owns := t.owners[c.session] == in.Journal
		if in.Journal == c.journal || t.held[positionID(in.Journal, c.session)].at.Offset > in.Offset || owns && c.continues {
			continue
		}
		t.taken[c] = append(t.taken[c], in)
		if owns {
			t.owners[c.session] = c.journal
		}
	}
}
