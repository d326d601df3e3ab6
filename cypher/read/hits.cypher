// Actions that a search may have found, with what full text is made of.
UNWIND $keys AS key
MATCH (a:Action {action_id: key})
WHERE a.stub IS NULL
OPTIONAL MATCH (p:Action)-[:FOLLOWED_BY]->(a)
RETURN a.action_id AS action_id, a.action_type AS action_type, a.session_id AS session_id, p.action_id AS follows,
       a.name AS name, a.timestamp AS timestamp, a.started_at AS started_at, a.ended_at AS ended_at,
       a.duration_ms AS duration_ms, a.status AS status, a.status_whole AS status_whole, a.agent_id AS agent_id,
       a.parent_action_id AS parent_action_id, a.parent_unknown AS parent_unknown, a.prompt_id AS prompt_id,
       a.turn AS turn, a.model AS model, a.tool_name AS tool_name, a.tool_name_whole AS tool_name_whole,
       a.tool_use_id AS tool_use_id, a.is_error AS is_error, a.is_mcp AS is_mcp, a.mcp_server AS mcp_server,
       a.never_ran AS never_ran,
       a.text AS text, a.thinking AS thinking, a.error_message AS error_message, a.command AS command, a.file_path AS file_path,
       a.url AS url, a.pattern AS pattern, a.properties AS properties
