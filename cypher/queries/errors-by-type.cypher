// Which errors there are: how often, of which type, from which tool, in how many sessions.
// $since time = "" – only since this time; empty is always
// $limit int = 50 – at most this many rows
MATCH (s:Session)-[:HAS_ACTION]->(a:Action)
WHERE a.timestamp >= $since AND (a.action_type IN ['error', 'rate_limit'] OR a.action_type = 'tool_result' AND a.is_error)
WITH s, a, head(split(replace(coalesce(a.error_message, a.text, ''), '<tool_use_error>', ''), '\n')) AS message
WITH s, coalesce(a.tool_name, a.action_type) AS source, coalesce(a.error_type, '') AS error_type,
     CASE WHEN a.exit_code IS NULL THEN head(split(message, '</')) ELSE 'exit code ' + toString(a.exit_code) END AS line
WITH s, source, error_type, CASE WHEN size(line) > 60 THEN left(line, 60) + '…' ELSE line END AS error
RETURN error, error_type, source, count(s) AS times, count(DISTINCT s) AS sessions
ORDER BY times DESC, error, error_type, source
LIMIT toInteger($limit)
