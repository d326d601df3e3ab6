package neo4j

// DropAtOnce lowers what an Apply drops in its own transaction.
func (s *Store) DropAtOnce(actions int) { s.dropAtOnce = actions }
