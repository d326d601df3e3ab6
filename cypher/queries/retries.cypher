// What was tried after a failed call: the next call of the same tool in the lane, and whether it worked.
// $session session = "" – only in this session; empty is all
// $limit int = 100 – at most this many failures
MATCH (s:Session)-[:HAS_ACTION]->(a:ToolCall {status: 'failed'})
WHERE $session = '' OR s.session_id = $session
MATCH path = (a)-[:FOLLOWED_BY*1..20]->(b:ToolCall)
WHERE b.tool_name = a.tool_name
WITH s, a, b ORDER BY length(path)
WITH s, a, head(collect(b)) AS retry
RETURN a.timestamp AS time, a.tool_name AS tool, a.name AS failed, retry.name AS tried_next, retry.status AS outcome,
       retry.timestamp_ms - a.timestamp_ms AS after_ms, s.session_id AS session, a.action_id AS action_id
ORDER BY time DESC, action_id
LIMIT $limit
