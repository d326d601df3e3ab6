// The subagents that ran longest.
// $session session = "" – only in this session; empty is all
// $limit int = 20 – at most this many
MATCH (s:Session)-[:HAS_AGENT]->(ag:Agent)-[:HAS_ACTION]->(a:Action)
WHERE $session = '' OR s.session_id = $session
WITH s, ag, max(a.timestamp_ms) - min(a.timestamp_ms) AS duration_ms,
     sum(CASE WHEN a.action_type = 'tool_call' THEN 1 ELSE 0 END) AS tool_calls
RETURN duration_ms, ag.agent_type AS agent_type, ag.description AS description, ag.status AS status, tool_calls,
       s.session_id AS session, ag.agent_id AS agent_id
ORDER BY duration_ms DESC, session, agent_id
LIMIT toInteger($limit)
