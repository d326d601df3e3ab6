// What failed, newest first: the error, and the three steps of the lane before it.
// $session session = "" – only in this session; empty is all
// $limit int = 50 – at most this many failures
MATCH (s:Session)-[:HAS_ACTION]->(a:Action)
WHERE ($session = '' OR s.session_id = $session)
  AND (a.action_type IN ['error', 'rate_limit'] OR a.action_type = 'tool_call' AND a.status = 'failed')
WITH s, a ORDER BY a.timestamp DESC, a.action_id LIMIT toInteger($limit)
OPTIONAL MATCH (a)-[:PARENT_OF]->(result:ToolResult)
OPTIONAL MATCH path = (before:Action)-[:FOLLOWED_BY*1..3]->(a)
WITH s, a, result, before, length(path) AS steps ORDER BY steps DESC
WITH s, a, coalesce(result.error_message, result.text, a.error_message, a.text, '') AS text, collect(before.name) AS preceded_by
RETURN a.timestamp AS time, a.name AS failed,
       CASE WHEN size(text) > 200 THEN left(text, 200) + '…' ELSE text END AS error, preceded_by,
       s.session_id AS session, a.action_id AS action_id
ORDER BY time DESC, action_id
