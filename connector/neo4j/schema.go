package neo4j

import (
	"context"
	"errors"
	"strings"
	"time"

	driver "github.com/neo4j/neo4j-go-driver/v5/neo4j"

	"github.com/actiongraph/actiongraph/cypher"
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
		return s.script(ctx, cypher.Drop(d), nil)
	})
}

func (s *Store) change(ctx context.Context, doing string, f func(context.Context, cypher.Dialect) error) error {
	if s.opts.ReadOnly {
		return s.fail(doing, errReadOnly)
	}
	if err := s.lock(ctx); err != nil {
		return s.fail(doing, err)
	}
	defer s.unlock()
	s.forget()
	info, err := s.connect(ctx)
	if err == nil {
		err = f(ctx, info.Dialect)
	}
	return s.fail(doing, err)
}

// setup makes what is missing, and nothing where nothing is: in Memgraph each statement
// wants the whole database for itself, in Neo4j twenty round trips take their time.
func (s *Store) setup(ctx context.Context, d cypher.Dialect) error {
	if d == cypher.Memgraph {
		if err := s.memgraphTransactions(ctx); err != nil {
			return err
		}
	}
	have, err := s.have(ctx, d)
	switch {
	case err != nil && (d == cypher.Memgraph || !isForbidden(err)):
		return err
	case err == nil && hasAll(have, cypher.Setup(d)):
		return nil
	}
	if err := s.script(ctx, cypher.Setup(d), have); err != nil || d == cypher.Memgraph {
		return err
	}
	// MERGE without its index reads all nodes of the label, row by row.
	return s.script(ctx, []string{cypher.Read(d, "await_indexes")}, nil)
}

// script runs statements one by one outside of transactions, which Memgraph wants of
// those that change a schema. Those in have were run before.
func (s *Store) script(ctx context.Context, stmts []string, have map[string]bool) error {
	session := s.session(ctx, driver.AccessModeWrite)
	defer session.Close(ctx)
	for _, stmt := range stmts {
		if have[schemaKey(stmt)] {
			continue
		}
		if err := s.alone(ctx, session, stmt); err != nil {
			return duplicated(stmt, ended(ctx, err))
		}
	}
	return nil
}

// alone runs one statement that changes the schema, again where others are in its way.
func (s *Store) alone(ctx context.Context, session driver.SessionWithContext, stmt string) error {
	for attempt := 1; ; attempt++ {
		_, err := ask(ctx, session, stmt)
		if err == nil || isThere(err) {
			return nil
		}
		s.lost(err)
		if attempt == schemaAttempts || !wantsAccess(err) && !driver.IsRetryable(err) {
			return err
		}
		if err := sleep(ctx, time.Duration(attempt)*time.Second/2); err != nil {
			return err
		}
	}
}

// schemaAttempts bounds how often a statement that changes the schema is tried. Two
// programs that start at once make the same things: Neo4j may see a deadlock in that,
// Memgraph wants the database for each alone.
const schemaAttempts = 5

// isThere reports that what a statement makes is there, or what it drops is not. In Neo4j
// that comes through IF NOT EXISTS when two programs make the same index at once; in
// Memgraph it is an error of a text index, and a notice of everything else.
func isThere(err error) bool {
	var refused *driver.Neo4jError
	return errors.As(err, &refused) && strings.HasSuffix(refused.Code, ".EquivalentSchemaRuleAlreadyExists") ||
		saysMemgraph(err, "already exists", "doesn't exist")
}
