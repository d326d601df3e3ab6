// The subagents of a session: which call spawned each, how long it ran, what it did.
// $session session = "latest" – its session_id; ag-sessiond also takes a prefix, or latest
// $limit int = 500 – at most this many subagents
MATCH (:Session {session_id: $session})-[:HAS_AGENT]->(ag:Agent)
OPTIONAL MATCH (spawner:Action)-[:SPAWNED]->(ag)
OPTIONAL MATCH (ag)-[:HAS_ACTION]->(a:Action)
WITH ag, spawner, max(a.timestamp_ms) - min(a.timestamp_ms) AS duration_ms,
     sum(CASE WHEN a.action_type = 'tool_call' THEN 1 ELSE 0 END) AS tool_calls,
     sum(CASE WHEN a.action_type = 'tool_call' AND a.status = 'failed' THEN 1 ELSE 0 END) AS failed
RETURN ag.started_at AS started, ag.agent_type AS agent_type, ag.description AS description, ag.status AS status,
       duration_ms, tool_calls, failed, spawner.name AS spawned_by, ag.agent_id AS agent_id
ORDER BY started, agent_id
LIMIT toInteger($limit)
