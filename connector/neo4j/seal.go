package neo4j

import (
	"context"

	driver "github.com/neo4j/neo4j-go-driver/v5/neo4j"

	"github.com/actiongraph/actiongraph/cypher"
	"github.com/actiongraph/actiongraph/schema"
)

// SealHead returns the end of a journal's log of seals that KeepSealHead was given last.
func (s *Store) SealHead(ctx context.Context, journal string) (head schema.SealHead, err error) {
	records, err := s.ofJournal(ctx, "seal_head", journal)
	if err != nil {
		return head, s.fail("read the head of seals", err)
	}
	for _, r := range records {
		row := r.AsMap()
		head.Number, _ = row["number"].(int64)
		head.Line, _ = row["line"].(string)
	}
	return head, nil
}

// KeepSealHead keeps a head that is further than the one that is kept.
func (s *Store) KeepSealHead(ctx context.Context, journal string, head schema.SealHead) error {
	if s.opts.ReadOnly {
		return s.fail("keep the head of seals", errReadOnly)
	}
	if err := s.keepSealHead(ctx, journal, head); err != nil {
		return s.fail("keep the head of seals", err)
	}
	return nil
}

func (s *Store) keepSealHead(ctx context.Context, journal string, head schema.SealHead) error {
	if err := s.lock(ctx); err != nil {
		return err
	}
	defer s.unlock()
	if err := s.prepare(ctx); err != nil { // of its constraint there is to be one node a journal
		return err
	}
	params := map[string]any{"journal": journal, "number": head.Number, "line": head.Line}
	_, err := s.run(ctx, driver.AccessModeWrite, func(tx driver.ManagedTransaction) ([]*driver.Record, error) {
		return collect(ctx, tx, cypher.Write(s.ready.Dialect, "keep_seal_head"), params)
	})
	return err
}
