// The turns of a session: how long each took, what it called and what failed in it.
// $session session = "latest" – its session_id; ag-sessiond also takes a prefix, or latest
// $limit int = 500 – at most this many turns
MATCH (:Session {session_id: $session})-[:HAS_ACTION]->(a:Action)
WHERE a.turn IS NOT NULL
WITH a ORDER BY a.timestamp, coalesce(a.seq, 0), a.action_id
WITH a.turn AS turn, min(a.timestamp) AS started, count(a) AS actions,
     head(collect(CASE WHEN a.action_type = 'user_message' AND a.agent_id IS NULL THEN a.name END)) AS prompt,
     max(a.timestamp_ms) - min(a.timestamp_ms) AS duration_ms,
     sum(CASE WHEN a.action_type = 'tool_call' THEN 1 ELSE 0 END) AS tool_calls,
     sum(CASE WHEN a.action_type = 'tool_call' AND a.status = 'failed' THEN 1 ELSE 0 END) AS failed
RETURN turn, started, duration_ms, actions, tool_calls, failed, prompt
ORDER BY turn
LIMIT toInteger($limit)
