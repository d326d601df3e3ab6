// What runs now, and which sessions wait for a person: open permission requests, calls under way, the last step.
// $limit int = 50 – at most this many sessions
MATCH (s:Session {status: 'active'})
WHERE s.stub IS NULL
WITH s ORDER BY s.last_event_at DESC, s.session_id LIMIT toInteger($limit)
OPTIONAL MATCH (s)-[:HAS_ACTION]->(a:Action)
WITH s, a ORDER BY a.timestamp DESC, a.action_id
WITH s, head(collect(a)) AS latest,
     sum(CASE WHEN a.action_type = 'tool_call' AND a.status = 'in_progress' THEN 1 ELSE 0 END) AS running,
     sum(CASE WHEN a.action_type = 'permission_request' AND a.status = 'pending' THEN 1 ELSE 0 END) AS asking
RETURN s.last_event_at AS last_event, CASE WHEN asking > 0 THEN 'asks for permission' WHEN running > 0 THEN 'works'
         WHEN latest.action_type = 'turn_end' THEN 'waits for a prompt' ELSE 'works or is gone' END AS state,
       running, asking, latest.name AS last_step, s.name AS title, s.host AS host, s.session_id AS session
ORDER BY last_event DESC, session
