// What happened between one prompt of a session and the next, subagents included.
// $session session = "latest" – its session_id; ag-sessiond also takes a prefix, or latest
// $turn int = 1 – the number of the first of the two prompts
// $limit int = 500 – at most this many actions
MATCH (s:Session {session_id: $session})-[:HAS_ACTION]->(p:UserMessage)
WHERE p.agent_id IS NULL
WITH s, p ORDER BY p.timestamp, p.action_id
WITH s, collect(p.timestamp) AS prompts
MATCH (s)-[:HAS_ACTION]->(a:Action)
WHERE a.timestamp >= prompts[toInteger($turn) - 1] AND ($turn >= size(prompts) OR a.timestamp < prompts[toInteger($turn)])
RETURN a.timestamp AS time, coalesce(a.agent_id, '') AS agent, a.action_type AS type, a.name AS action,
       a.status AS status, a.duration_ms AS duration_ms, a.action_id AS action_id
ORDER BY time, agent, coalesce(a.seq, 0), action_id
LIMIT toInteger($limit)
