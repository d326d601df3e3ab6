// Tool calls, newest first. A filter that is null selects all.
MATCH (c:ToolCall)
WHERE c.stub IS NULL
  AND ($session IS NULL OR c.session_id = $session)
  AND ($tool IS NULL OR c.tool_name = $tool)
  AND (NOT $failed OR c.status = 'failed' OR c.is_error = true)
  AND ($since IS NULL OR c.timestamp >= $since)
  AND ($until IS NULL OR c.timestamp < $until)
WITH c, coalesce(c.timestamp, '') AS time
ORDER BY time DESC, c.action_id
LIMIT $newest
RETURN c.action_id AS call, time
