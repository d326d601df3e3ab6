// What the user asked for in a session, in order.
// $session session = "latest" – its session_id; ag-sessiond also takes a prefix, or latest
// $limit int = 500 – at most this many prompts
MATCH (:Session {session_id: $session})-[:HAS_ACTION]->(p:UserMessage)
RETURN p.turn AS turn, p.timestamp AS time, p.text AS prompt, p.action_id AS action_id
ORDER BY time, action_id
LIMIT toInteger($limit)
