// Neo4j knows of each node how many relationships it has where a pattern asks so; Memgraph has a function.
//
// Some nodes of one label that folds have put for others to refer to, and that nothing
// refers to any more. Others may be about to: who puts an edge locks the node first, so that
// it is looked at again once it is locked here, too.
MATCH (n:_LABEL_)
WHERE n._KEY_ IS NOT NULL AND n.owner IS NULL AND (n.actiongraph OR n.stub) AND NOT (n)--()
WITH n LIMIT 5000
SET n.locked = true
REMOVE n.locked
WITH n
WHERE NOT (n)--()
DELETE n
RETURN count(*) AS deleted
