// Sessions that ended without saying so, and what they were doing last.
// $since time = "" – only since this time; empty is always
// $limit int = 100 – at most this many
MATCH (s:Session {status: 'abandoned'})
WHERE s.stub IS NULL AND s.started_at >= $since
WITH s ORDER BY s.last_event_at DESC, s.session_id LIMIT toInteger($limit)
OPTIONAL MATCH (s)-[:HAS_ACTION]->(a:Action)
WITH s, a ORDER BY a.timestamp DESC, a.action_id
WITH s, head(collect(a)) AS latest,
     sum(CASE WHEN a.action_type = 'tool_call' AND a.status = 'unknown' THEN 1 ELSE 0 END) AS open_calls
RETURN s.last_event_at AS last_event, latest.name AS last_step, open_calls, s.name AS title, s.host AS host,
       s.working_directory AS working_directory, s.session_id AS session
ORDER BY last_event DESC, session
