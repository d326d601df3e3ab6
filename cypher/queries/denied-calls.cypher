// What was not allowed: calls that the user denied, or that a rule or a hook blocked, with the reason given.
// $session session = "" – only in this session; empty is all
// $limit int = 100 – at most this many calls
MATCH (s:Session)-[:HAS_ACTION]->(a:ToolCall)
WHERE a.status IN ['denied', 'blocked'] AND ($session = '' OR s.session_id = $session)
OPTIONAL MATCH (a)-[:PARENT_OF]->(ask:PermissionRequest)
OPTIONAL MATCH (a)-[:PARENT_OF]->(result:ToolResult)
WITH s, a, coalesce(result.error_message, result.text, '') AS text, count(DISTINCT ask) AS asked
RETURN a.timestamp AS time, a.status AS status, a.name AS denied_call, asked, a.permission_mode AS permission_mode,
       CASE WHEN size(text) > 200 THEN left(text, 200) + '…' ELSE text END AS reason, s.session_id AS session,
       a.action_id AS action_id
ORDER BY time DESC, action_id
LIMIT toInteger($limit)
