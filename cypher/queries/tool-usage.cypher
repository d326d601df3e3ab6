// Which tools were called how often, what failed or was refused, and how long calls took.
// $session session = "" – only in this session; empty is all
// $limit int = 100 – at most this many tools
MATCH (a:ToolCall)-[:USED_TOOL]->(t:Tool)
WHERE $session = '' OR a.session_id = $session
WITH t, a ORDER BY a.duration_ms
WITH t, count(a) AS calls, avg(a.duration_ms) AS average, collect(a.duration_ms) AS durations,
     sum(CASE WHEN a.status = 'failed' THEN 1 ELSE 0 END) AS failed,
     sum(CASE WHEN a.status IN ['denied', 'blocked'] THEN 1 ELSE 0 END) AS refused
RETURN t.name AS tool, calls, failed, refused, round(average) AS avg_ms,
       durations[toInteger(ceil(size(durations) * 0.5)) - 1] AS p50_ms,
       durations[toInteger(ceil(size(durations) * 0.95)) - 1] AS p95_ms, last(durations) AS max_ms
ORDER BY calls DESC, tool
LIMIT toInteger($limit)
