// Memgraph has a function that tells how many relationships a node has; Neo4j is asked by a pattern.
//
// Some nodes of one label that folds have put for others to refer to, and that nothing
// refers to any more. Others may be about to: who puts an edge locks the node first, so that
// it is looked at again once it is locked here, too.
MATCH (n:_LABEL_)
WHERE n._KEY_ IS NOT NULL AND n.owner IS NULL AND (n.actiongraph OR n.stub) AND degree(n) = 0
WITH n LIMIT 5000
SET n.locked = true
REMOVE n.locked
WITH n
WHERE degree(n) = 0
DELETE n
RETURN count(*) AS deleted
