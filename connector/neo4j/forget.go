package neo4j

import (
	"context"
	"errors"

	driver "github.com/neo4j/neo4j-go-driver/v5/neo4j"

	"github.com/actiongraph/actiongraph/cypher"
	"github.com/actiongraph/actiongraph/graph"
)

// A session that is forgotten is dropped as a reset one is, and then its position goes: of
// the session itself what this journal owns, of continuations its own. What another journal
// recorded stays, wherever it is.

// forgets adds what a claim drops that forgets its session.
func (d *dropped) forgets(c *claim, h held) {
	position, part := c.position(), graph.ContinuationID(c.session, c.journal)
	d.gone = append(d.gone, part)
	d.some = append(d.some, row{"position": position, "session": part, "taken": false})
	if h.owner == c.journal {
		d.gone = append(d.gone, c.session)
		d.some = append(d.some, row{"position": position, "session": c.session, "taken": false})
	}
	if h.owner == "" {
		d.made = append(d.made, c.own) // by claim.cypher, where it was not there
	}
	d.forgotten = append(d.forgotten, row{"position": position})
}

// Compact removes what forgotten sessions have left: the tools, tags, files and stubs of
// sessions that nothing refers to any more. Others may write meanwhile.
func (s *Store) Compact(ctx context.Context) error {
	if s.opts.ReadOnly {
		return s.fail("compact", errReadOnly)
	}
	if err := s.lock(ctx); err != nil {
		return s.fail("compact", err)
	}
	defer s.unlock()
	info, err := s.connect(ctx)
	if err != nil {
		return s.fail("compact", err)
	}
	for _, l := range []graph.Label{graph.LabelTool, graph.LabelTag, graph.LabelFile, graph.LabelSession} {
		if err := s.removeUnused(ctx, info.Dialect, l); err != nil {
			return s.fail("compact", err)
		}
	}
	return nil
}

// removeUnused removes the nodes of one label that nothing refers to, some at a time.
func (s *Store) removeUnused(ctx context.Context, d cypher.Dialect, l graph.Label) error {
	for {
		records, err := s.run(ctx, driver.AccessModeWrite, func(tx driver.ManagedTransaction) ([]*driver.Record, error) {
			return collect(ctx, tx, cypher.Nodes(d, "remove_unused", l), nil)
		})
		if err != nil {
			return err
		}
		if n, _ := records[0].Values[0].(int64); n < clearAtOnce {
			return nil
		}
	}
}

// errVanished says that a node went between the moment in which a transaction found it and
// the one in which it locked it: somebody else's Compact removed it. The next attempt makes
// it again.
var errVanished = errors.New("another program removed a node that was to be used")

// putShared puts nodes that sessions share, and makes sure that they are there.
func (t *tx) putShared(l graph.Label, rows []row) error {
	if len(rows) == 0 {
		return nil
	}
	records, err := t.collect(cypher.Nodes(t.dialect, "put_shared", l), rows)
	if err != nil {
		return err
	}
	if n, _ := records[0].Values[0].(int64); n != int64(len(rows)) {
		return errVanished
	}
	return nil
}
