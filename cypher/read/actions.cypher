// Actions of one session without their contents. A filter that is null selects all;
// $until is a timestamp, actions_until.cypher's. The main thread's agent_id is what is no
// text.
MATCH (a:Action {session_id: $session})
WHERE a.stub IS NULL
  AND ($type IS NULL OR a.action_type = $type)
  AND ($tool IS NULL OR a.tool_name = $tool)
  AND ($status IS NULL OR a.status = $status)
  AND ($agent IS NULL OR a.agent_id = $agent
       OR $agent = '' AND (NOT coalesce(a.agent_id > '', false) OR a.agent_id STARTS WITH $no_text))
  AND ($until IS NULL OR coalesce(a.timestamp, '') <= $until)
OPTIONAL MATCH (p:Action)-[:FOLLOWED_BY]->(a)
RETURN a.action_id AS action_id, a.action_type AS action_type, a.session_id AS session_id, p.action_id AS follows,
       a.name AS name, a.timestamp AS timestamp, a.started_at AS started_at, a.ended_at AS ended_at,
       a.duration_ms AS duration_ms, a.status AS status, a.status_whole AS status_whole, a.agent_id AS agent_id,
       a.parent_action_id AS parent_action_id, a.parent_unknown AS parent_unknown, a.prompt_id AS prompt_id,
       a.turn AS turn, a.model AS model, a.tool_name AS tool_name, a.tool_name_whole AS tool_name_whole,
       a.tool_use_id AS tool_use_id, a.is_error AS is_error, a.is_mcp AS is_mcp, a.mcp_server AS mcp_server,
       a.never_ran AS never_ran, a.thinking AS thinking
