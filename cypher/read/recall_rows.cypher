// Actions with all that they have.
UNWIND $keys AS key
MATCH (a:Action {action_id: key})
WHERE a.stub IS NULL
OPTIONAL MATCH (p:Action)-[:FOLLOWED_BY]->(a)
RETURN a {.*, search: null} AS props, a.action_id AS action_id, p.action_id AS follows
