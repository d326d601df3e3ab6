// The actions below tasks.
UNWIND $keys AS key
MATCH (:Action {action_id: key})-[:PARENT_OF]->(c:Action)
RETURN c.action_id AS call
