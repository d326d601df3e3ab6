// The timestamp of the last of so many actions that actions.cypher selects: those with the
// same one have an order of their own, so all of them are read.
MATCH (a:Action {session_id: $session})
WHERE a.stub IS NULL
  AND ($type IS NULL OR a.action_type = $type)
  AND ($tool IS NULL OR a.tool_name = $tool)
  AND ($status IS NULL OR a.status = $status)
  AND ($agent IS NULL OR a.agent_id = $agent
       OR $agent = '' AND (NOT coalesce(a.agent_id > '', false) OR a.agent_id STARTS WITH $no_text))
WITH coalesce(a.timestamp, '') AS until
ORDER BY until
SKIP $before
LIMIT 1
RETURN until
