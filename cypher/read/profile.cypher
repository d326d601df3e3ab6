// The calls of tools and how long each took: percentiles of durations that were seen want
// them in order, which is cheaper here than in either engine.
MATCH (a:ToolCall)
WHERE a.stub IS NULL AND a.tool_name <> ''
  AND ($session IS NULL OR a.session_id = $session)
  AND ($tool IS NULL OR a.tool_name = $tool)
  AND ($since IS NULL OR a.timestamp >= $since)
  AND ($until IS NULL OR a.timestamp < $until)
RETURN a.action_id AS action_id, a.tool_name AS tool_name, a.tool_name_whole AS tool_name_whole,
       a.timestamp AS timestamp, a.duration_ms AS duration_ms, a.status AS status
