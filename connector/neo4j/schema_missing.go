package neo4j

import "context"

// SchemaMissing reports whether something that Setup makes is not there. Who may not look
// is told that nothing is missing.
func (s *Store) SchemaMissing(ctx context.Context) (bool, error) {
	info, err := s.connect(ctx)
	if err != nil {
		return false, s.fail("look for constraints and indexes", err)
	}
	missing, err := s.missing(ctx, info.Dialect)
	return missing, s.fail("look for constraints and indexes", err)
}
