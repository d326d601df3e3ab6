// Loops: the same call failing again and again in one session.
// $session session = "" – only in this session; empty is all
// $times int = 2 – it failed at least this often
// $limit int = 50 – at most this many rows
MATCH (s:Session)-[:HAS_ACTION]->(a:ToolCall {status: 'failed'})
WHERE $session = '' OR s.session_id = $session
WITH s, a ORDER BY a.timestamp, a.action_id
WITH s, a.tool_name AS tool, coalesce(a.command, a.file_path, a.url, a.pattern, a.name) AS input, collect(a) AS failures
WHERE size(failures) >= $times
RETURN size(failures) AS times, tool, input, head(failures).timestamp AS first, last(failures).timestamp AS last,
       s.session_id AS session
ORDER BY times DESC, first DESC, session, tool, input
LIMIT $limit
