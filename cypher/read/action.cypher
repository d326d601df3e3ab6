MATCH (a:Action {action_id: $action})
WHERE a.stub IS NULL
OPTIONAL MATCH (p:Action)-[:FOLLOWED_BY]->(a)
RETURN a {.*, search: null} AS props, p.action_id AS follows
