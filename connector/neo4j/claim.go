package neo4j

import (
	"fmt"
	"slices"

	"github.com/actiongraph/actiongraph/cypher"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/schema"
)

// held is what the database has of a claim, once it is locked.
type held struct {
	at        schema.Position
	continues bool
	owner     string // of the Session that the claim fills
	base      string // owner of the one that the journal's is named after
	stub      bool
}

// claim locks the positions and Sessions of the plan, reads them, and refuses what is
// not where it is expected, or another journal's.
func (t *tx) claim() error {
	rows := make([]row, len(t.plan.claims))
	for i, c := range t.plan.claims {
		rows[i] = row{"position": c.position(), "journal": c.journal, "session": c.session, "own": c.own}
	}
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
		h := held{at: decodePosition(m)}
		h.continues, _ = m["continues"].(bool)
		h.owner, _ = m["owner"].(string)
		h.base, _ = m["base"].(string)
		h.stub, _ = m["stub"].(bool)
		t.held[id] = h
	}
	return t.check()
}

func (t *tx) check() error {
	owned := &graph.OwnedError{}
	owners := map[string]string{} // claimed in this very call
	for _, c := range t.plan.claims {
		h, ok := t.held[c.position()]
		if !ok {
			return fmt.Errorf("session %s: its position was claimed and is not there", c.session)
		}
		if h.at != c.from {
			return fmt.Errorf("session %s: the database is at %+v, the batch begins at %+v: %w", c.session, h.at, c.from, graph.ErrConflict)
		}
		if c.continues && h.base == c.journal {
			return fmt.Errorf("session %s is the journal's own, not a continuation: %w", c.session, graph.ErrConflict)
		}
		owner := h.owner
		if owner == "" {
			owner = owners[c.own]
		}
		owners[c.own] = c.journal
		if owner != "" && owner != c.journal && !slices.Contains(c.absorbs, owner) && !slices.Contains(owned.Sessions, c.session) {
			owned.Sessions = append(owned.Sessions, c.session)
		}
	}
	if len(owned.Sessions) > 0 {
		return owned
	}
	return nil
}

// drop removes what resets and absorbed journals leave behind.
func (t *tx) drop() error {
	var emptied, removed, forgotten []string
	for _, c := range t.plan.claims {
		h := t.held[c.position()]
		if c.reset {
			emptied = append(emptied, c.own)
			if h.at != (schema.Position{}) && h.continues != c.continues {
				other := graph.Batch{Journal: c.journal, Session: c.session, Continues: h.continues}
				removed = append(removed, other.Own())
			}
		}
		for _, journal := range c.absorbs {
			removed = append(removed, graph.ContinuationID(c.session, journal))
			if journal != c.journal {
				forgotten = append(forgotten, positionID(journal, c.session))
				t.absorbed = append(t.absorbed, journal)
			}
			if journal == h.owner && journal != c.journal {
				emptied = append(emptied, c.own)
			}
		}
	}
	all := slices.Concat(emptied, removed)
	return t.each(
		func() error { return t.labelled("drop_nodes", graph.LabelAction, all) },
		func() error { return t.labelled("drop_nodes", graph.LabelAgent, all) },
		func() error { return t.keyed("unlink_sessions", all) },
		func() error { return t.keyed("empty_sessions", all) },
		func() error { return t.keyed("remove_sessions", removed) },
		func() error { return t.keyed("forget_positions", forgotten) })
}
