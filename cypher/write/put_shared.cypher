// Nodes of one label that sessions share, and how many of them are there. Neo4j says nothing
// where another transaction removed a node (remove_unused.cypher) between the moment in which
// MERGE found it and the one in which SET locked it.
UNWIND $rows AS row
MERGE (n:_LABEL_ {_KEY_: row.key})
SET n += row.props
RETURN count(n.actiongraph) AS there
