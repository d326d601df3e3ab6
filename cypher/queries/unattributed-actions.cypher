// Actions whose parent nothing tells, so that the graph does not guess one.
// $session session = "" – only in this session; empty is all
// $limit int = 100 – at most this many
MATCH (s:Session)-[:HAS_ACTION]->(a:Action {parent_unknown: true})
WHERE $session = '' OR s.session_id = $session
RETURN a.timestamp AS time, a.action_type AS type, a.name AS action, coalesce(a.agent_id, '') AS agent,
       s.session_id AS session, a.action_id AS action_id
ORDER BY time DESC, action_id
LIMIT toInteger($limit)
