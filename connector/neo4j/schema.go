package neo4j

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	driver "github.com/neo4j/neo4j-go-driver/v5/neo4j"

	"github.com/actiongraph/actiongraph/cypher"
	"github.com/actiongraph/actiongraph/graph"
)

// Setup makes the constraints and indexes that are missing. Apply does the same before
// its first transaction.
func (s *Store) Setup(ctx context.Context) error {
	return s.change(ctx, "set up constraints and indexes", s.setup)
}

// Drop removes the constraints and indexes. The data stays, and each statement about it
// becomes slow.
func (s *Store) Drop(ctx context.Context) error {
	return s.change(ctx, "drop constraints and indexes", func(ctx context.Context, d cypher.Dialect) error {
		return s.script(ctx, d, cypher.Drop(d), nil)
	})
}

// Clear removes the graph: all nodes of its labels, and the positions. Constraints and
// indexes stay, and so does what has other labels.
func (s *Store) Clear(ctx context.Context) error {
	return s.change(ctx, "clear", func(ctx context.Context, d cypher.Dialect) error {
		// The positions first: a Clear that is cut off is then seen as one, and folded again.
		for _, l := range []graph.Label{cypher.Position, graph.LabelAction, graph.LabelAgent, graph.LabelSession,
			graph.LabelTool, graph.LabelTag, graph.LabelFile} {
			if err := s.clear(ctx, cypher.Nodes(d, "clear", l)); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Store) change(ctx context.Context, doing string, f func(context.Context, cypher.Dialect) error) error {
	if s.opts.ReadOnly {
		return s.fail(doing, errReadOnly)
	}
	s.writing.Lock()
	defer s.writing.Unlock()
	s.forget()
	info, err := s.connect(ctx)
	if err == nil {
		err = f(ctx, info.Dialect)
	}
	return s.fail(doing, err)
}

// clear runs a statement that deletes some nodes until it deletes none.
func (s *Store) clear(ctx context.Context, stmt string) error {
	for {
		records, err := s.run(ctx, driver.AccessModeWrite, func(tx driver.ManagedTransaction) ([]*driver.Record, error) {
			return collect(ctx, tx, stmt, nil)
		})
		if err != nil || len(records) == 0 || records[0].Values[0] == int64(0) {
			return err
		}
	}
}

func (s *Store) setup(ctx context.Context, d cypher.Dialect) error {
	if d == cypher.Memgraph {
		have, err := s.memgraphSchema(ctx)
		if err != nil {
			return err
		}
		return s.script(ctx, d, cypher.Setup(d), have)
	}
	if err := s.script(ctx, d, cypher.Setup(d), nil); err != nil {
		return err
	}
	// MERGE without its index reads all nodes of the label, row by row.
	return s.script(ctx, d, []string{cypher.Read(d, "await_indexes")}, nil)
}

// script runs statements one by one outside of transactions, which Memgraph wants of
// those that change a schema. Those in have were run before.
func (s *Store) script(ctx context.Context, d cypher.Dialect, stmts []string, have map[string]bool) error {
	session := s.session(ctx, driver.AccessModeWrite)
	defer session.Close(ctx)
	for _, stmt := range stmts {
		if have[schemaKey(stmt)] {
			continue
		}
		for attempt := 1; ; attempt++ {
			_, err := ask(ctx, session, stmt)
			if err == nil || d == cypher.Memgraph && isThere(err) {
				break
			}
			s.lost(err)
			if attempt == memgraphAttempts || !wantsAccess(err) {
				return fmt.Errorf("%s: %w", stmt, err)
			}
			if err := sleep(ctx, time.Duration(attempt)*time.Second/2); err != nil {
				return err
			}
		}
	}
	return nil
}

// wantsAccess reports that a statement did not get the database for itself in time,
// which Memgraph wants for a change of the schema and waits a second for
// (--storage-access-timeout-sec), or that Neo4j's lost a deadlock.
func wantsAccess(err error) bool {
	var refused *driver.Neo4jError
	if !errors.As(err, &refused) {
		return false
	}
	return strings.Contains(strings.ToLower(refused.Msg), "access") && strings.HasPrefix(refused.Code, "Memgraph.") || refused.IsRetriable()
}

// isThere reports that what a statement makes is there, or what it drops is not: a text
// index makes that an error, everything else a notice.
func isThere(err error) bool {
	var refused *driver.Neo4jError
	if !errors.As(err, &refused) || !strings.HasPrefix(refused.Code, "Memgraph.") {
		return false
	}
	text := strings.ToLower(refused.Msg)
	return strings.Contains(text, "already exists") || strings.Contains(text, "doesn't exist") || strings.Contains(text, "does not exist")
}

// memgraphSchema asks what a Memgraph has: a statement that makes it again would want
// the whole database for itself, just to find that out.
func (s *Store) memgraphSchema(ctx context.Context) (map[string]bool, error) {
	session := s.session(ctx, driver.AccessModeRead)
	defer session.Close(ctx)
	have := map[string]bool{}
	for _, name := range []string{"show_constraints", "show_indexes"} {
		records, err := ask(ctx, session, cypher.Read(cypher.Memgraph, name))
		if err != nil {
			return nil, err
		}
		for _, r := range records {
			have[schemaRowKey(r.AsMap())] = true
		}
	}
	return have, nil
}
