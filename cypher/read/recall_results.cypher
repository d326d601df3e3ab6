// The results of calls.
UNWIND $keys AS key
MATCH (:Action {action_id: key})-[:PARENT_OF]->(r:ToolResult)
WHERE r.stub IS NULL
RETURN key AS call, r.action_id AS action_id, coalesce(r.timestamp, '') AS time
