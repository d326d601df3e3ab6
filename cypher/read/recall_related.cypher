// The actions that are related to others.
UNWIND $keys AS key
MATCH (c:Action)-[:RELATED_TO]->(:Action {action_id: key})
RETURN c.action_id AS call
