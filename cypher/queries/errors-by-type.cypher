// Which errors there are, how often, from which tool, in how many sessions.
// $since time = "" – only since this time; empty is always
// $limit int = 50 – at most this many rows
MATCH (s:Session)-[:HAS_ACTION]->(a:Action)
WHERE a.timestamp >= $since AND (a.action_type IN ['error', 'rate_limit'] OR a.action_type = 'tool_result' AND a.is_error)
WITH s, a, CASE WHEN a.error_type IS NOT NULL THEN a.error_type
                WHEN a.exit_code IS NOT NULL THEN 'exit code ' + toString(a.exit_code)
                ELSE left(head(split(coalesce(a.error_message, a.text, ''), '\n')), 60) END AS error
RETURN error, coalesce(a.tool_name, a.action_type) AS source, count(a) AS times, count(DISTINCT s) AS sessions
ORDER BY times DESC, error, source
LIMIT $limit
