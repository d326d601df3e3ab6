// What was tried after a failed call: the next call of the same tool in the lane, and whether it worked.
// $session session = "" – only in this session; empty is all
// $limit int = 100 – at most this many failures
// A call of the same batch began before the failed one had ended, and is no retry of it.
MATCH (s:Session)-[:HAS_ACTION]->(a:ToolCall)
WHERE $session = '' OR s.session_id = $session
WITH s, a ORDER BY a.timestamp, coalesce(a.seq, 0), a.action_id
WITH s, coalesce(a.agent_id, '') AS agent, a.tool_name AS tool, collect(a) AS calls
UNWIND [c IN calls WHERE c.status = 'failed'] AS a
WITH s, tool, a, coalesce(a.ended_at, a.timestamp) AS ended, calls
WITH s, tool, a, ended, head([c IN calls WHERE coalesce(c.started_at, c.timestamp) > ended]) AS retry
WHERE retry IS NOT NULL
RETURN a.timestamp AS time, tool, a.name AS failed, retry.name AS tried_next, retry.status AS outcome,
       retry.timestamp_ms - a.timestamp_ms AS after_ms, s.session_id AS session, a.action_id AS action_id
ORDER BY time DESC, action_id
LIMIT toInteger($limit)
