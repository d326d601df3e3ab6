package neo4j

import (
	"context"

	driver "github.com/neo4j/neo4j-go-driver/v5/neo4j"

	"github.com/actiongraph/actiongraph/cypher"
	"github.com/actiongraph/actiongraph/schema"
)

// positions is how far one journal's sessions are in the graph.
type positions struct {
	at        map[string]schema.Position
	continued map[string]bool // those that another journal owns
}

// positions reads how far a journal is in the graph.
func (s *Store) positions(ctx context.Context, journal string) (positions, error) {
	out := positions{map[string]schema.Position{}, map[string]bool{}}
	info, err := s.connect(ctx)
	if err != nil {
		return out, err
	}
	records, err := s.run(ctx, s.leader(), func(tx driver.ManagedTransaction) ([]*driver.Record, error) {
		return collect(ctx, tx, cypher.Read(info.Dialect, "positions"), map[string]any{"journal": journal})
	})
	for _, r := range records {
		row := r.AsMap()
		session, _ := row["session"].(string)
		at := decodePosition(row)
		if at == (schema.Position{}) {
			continue // claimed, and never written
		}
		out.at[session] = at
		if continues, _ := row["continues"].(bool); continues {
			out.continued[session] = true
		}
	}
	return out, err
}

// decodePosition reads offset, sum and first. Bolt has signed integers only: the
// hashes are the same bits.
func decodePosition(row map[string]any) schema.Position {
	offset, _ := row["offset"].(int64)
	sum, _ := row["sum"].(int64)
	first, _ := row["first"].(int64)
	return schema.Position{Offset: offset, Sum: uint64(sum), First: uint64(first)}
}

// Positions returns the position of every session of one journal.
func (s *Store) Positions(ctx context.Context, journal string) (map[string]schema.Position, error) {
	s.writing.Lock() // or an Apply could move one between the answer and the tally
	defer s.writing.Unlock()
	p, err := s.positions(ctx, journal)
	if err != nil {
		return nil, s.fail("read positions", err)
	}
	s.seen[journal] = tallyOf(p.at)
	return p.at, nil
}

// Continued returns which of a journal's sessions are held as continuations, because
// another journal owns them.
func (s *Store) Continued(ctx context.Context, journal string) (map[string]bool, error) {
	p, err := s.positions(ctx, journal)
	if err != nil {
		return nil, s.fail("read positions", err)
	}
	return p.continued, nil
}
