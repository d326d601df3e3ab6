// What took longest.
// $session session = "" – only in this session; empty is all
// $tool string = "" – only calls of this tool; empty is all
// $limit int = 20 – at most this many
MATCH (s:Session)-[:HAS_ACTION]->(a:Action)
WHERE a.duration_ms IS NOT NULL AND ($session = '' OR s.session_id = $session) AND ($tool = '' OR a.tool_name = $tool)
RETURN a.duration_ms AS duration_ms, a.action_type AS type, a.name AS action, a.status AS status, a.timestamp AS time,
       s.session_id AS session, a.action_id AS action_id
ORDER BY duration_ms DESC, action_id
LIMIT toInteger($limit)
