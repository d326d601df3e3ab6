package neo4j

// schemaKey and schemaRowKey are filled in below.
func schemaKey(stmt string) string         { return stmt }
func schemaRowKey(r map[string]any) string { return "" }
