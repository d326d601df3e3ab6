// Some shared nodes that a fold has put and nothing is linked to any more, once all else
// is cleared. Other people's are not marked; one that both use stays for its other
// relationships.
MATCH (n:_LABEL_)
WHERE n._KEY_ IS NOT NULL AND (n.actiongraph OR n.stub)
OPTIONAL MATCH (n)-[r]-()
WITH n, count(r) AS edges
WHERE edges = 0
WITH n LIMIT 5000
DETACH DELETE n
RETURN count(*) AS deleted
