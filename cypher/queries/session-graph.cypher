// A session as a picture: its actions with what follows them, their results, tools and subagents.
// $session session = "latest" – its session_id; ag-sessiond also takes a prefix, or latest
// $limit int = 300 – at most this many relationships
MATCH (:Session {session_id: $session})-[:HAS_ACTION]->(a:Action)-[r:FOLLOWED_BY|PARENT_OF|USED_TOOL|SPAWNED]->(b)
RETURN a, r, b
ORDER BY a.timestamp, a.action_id, type(r), coalesce(b.timestamp, ''), b.name, coalesce(b.action_id, b.agent_key)
LIMIT toInteger($limit)
