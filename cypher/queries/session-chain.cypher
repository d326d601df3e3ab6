// What a session did, step by step, in one lane: its main thread or one subagent.
// $session session = "latest" – its session_id; ag-sessiond also takes a prefix, or latest
// $agent string = "" – a subagent's agent_id; empty is the main thread
// $limit int = 500 – at most this many steps
MATCH (:Session {session_id: $session})-[:HAS_ACTION]->(a:Action)
WHERE coalesce(a.agent_id, '') = $agent
OPTIONAL MATCH (a)-[:FOLLOWED_BY]->(next:Action)
RETURN a.timestamp AS time, a.action_type AS type, a.name AS action, a.status AS status, a.duration_ms AS duration_ms,
       next.name AS followed_by, a.action_id AS action_id
ORDER BY time, coalesce(a.seq, 0), action_id
LIMIT toInteger($limit)
