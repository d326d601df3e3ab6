// The turns of a session: how long each took, what it called and what failed in it.
// $session session = "latest" – the session
MATCH (:Session {session_id: $session})-[:HAS_ACTION]->(a:Action)
WHERE a.turn IS NOT NULL
WITH a ORDER BY a.timestamp, a.action_id
WITH a.turn AS turn, head(collect(a)) AS prompt, count(a) AS actions,
     max(a.timestamp_ms) - min(a.timestamp_ms) AS duration_ms,
     sum(CASE WHEN a.action_type = 'tool_call' THEN 1 ELSE 0 END) AS tool_calls,
     sum(CASE WHEN a.action_type = 'tool_call' AND a.status = 'failed' THEN 1 ELSE 0 END) AS failed
RETURN turn, prompt.timestamp AS started, duration_ms, actions, tool_calls, failed, prompt.name AS prompt
ORDER BY turn
