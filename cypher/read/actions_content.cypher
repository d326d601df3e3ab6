// Actions of one session with their contents: actions.cypher and all properties. What
// full text is made of them stays where it is.
MATCH (a:Action {session_id: $session})
WHERE a.stub IS NULL
  AND ($type IS NULL OR a.action_type = $type)
  AND ($tool IS NULL OR a.tool_name = $tool)
  AND ($status IS NULL OR a.status = $status)
  AND ($agent IS NULL OR a.agent_id = $agent
       OR $agent = '' AND (NOT coalesce(a.agent_id > '', false) OR a.agent_id STARTS WITH $no_text))
  AND ($until IS NULL OR coalesce(a.timestamp, '') <= $until)
OPTIONAL MATCH (p:Action)-[:FOLLOWED_BY]->(a)
RETURN a {.*, search: null} AS props, p.action_id AS follows
