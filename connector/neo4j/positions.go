package neo4j

import (
	"context"

	driver "github.com/neo4j/neo4j-go-driver/v5/neo4j"

	"github.com/actiongraph/actiongraph/cypher"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/schema"
)

// positions reads how far one journal's sessions are in the graph.
func (s *Store) positions(ctx context.Context, journal string) (map[string]schema.Position, error) {
	out := map[string]schema.Position{}
	records, err := s.ofJournal(ctx, "positions", journal)
	for _, r := range records {
		row := r.AsMap()
		session, _ := row["session"].(string)
		if at := decodePosition(row); at != (schema.Position{}) { // else claimed, and never written
			out[session] = at
		}
	}
	return out, err
}

// ofJournal runs a statement of read/ about one journal.
func (s *Store) ofJournal(ctx context.Context, name, journal string) ([]*driver.Record, error) {
	info, err := s.connect(ctx)
	if err != nil {
		return nil, err
	}
	return s.run(ctx, s.leader(), func(tx driver.ManagedTransaction) ([]*driver.Record, error) {
		return collect(ctx, tx, cypher.Read(info.Dialect, name), map[string]any{"journal": journal})
	})
}

// decodePosition reads offset, sum, first and fold. Bolt has signed integers only: the
// hashes are the same bits.
func decodePosition(row map[string]any) schema.Position {
	offset, _ := row["offset"].(int64)
	sum, _ := row["sum"].(int64)
	first, _ := row["first"].(int64)
	fold, _ := row["fold"].(int64) // absent in what was written before there was one
	return schema.Position{Offset: offset, Sum: uint64(sum), First: uint64(first), Fold: fold}
}

// Positions returns the position of every session of one journal.
func (s *Store) Positions(ctx context.Context, journal string) (map[string]schema.Position, error) {
	// Without the lock an Apply could move one between the answer and the tally.
	if err := s.lock(ctx); err != nil {
		return nil, s.fail("read positions", err)
	}
	defer s.unlock()
	p, err := s.positions(ctx, journal)
	if err != nil {
		return nil, s.fail("read positions", err)
	}
	s.seen[journal] = tallyOf(p)
	return p, nil
}

// Standings returns how the journal's sessions are held that are not simply its own.
func (s *Store) Standings(ctx context.Context, journal string) (map[string]graph.Standing, error) {
	records, err := s.ofJournal(ctx, "standings", journal)
	if err != nil {
		return nil, s.fail("read standings", err)
	}
	out := map[string]graph.Standing{}
	for _, r := range records {
		row := r.AsMap()
		session, _ := row["session"].(string)
		out[session] = decodeStanding(row)
	}
	return out, nil
}

func decodeStanding(row map[string]any) (s graph.Standing) {
	s.Continues, _ = row["continues"].(bool)
	s.Absorbed, _ = row["absorbed"].(int64)
	return s
}
