// Who read or wrote a file, when, in which session.
// $path string – the file's path, or the end of it
// $limit int = 100 – at most this many reads and writes
MATCH (f:File)<-[r:READ|WROTE]-(a:ToolCall)<-[:HAS_ACTION]-(s:Session)
WHERE f.path ENDS WITH $path
RETURN a.timestamp AS time, type(r) AS did, a.tool_name AS tool, f.path AS path, f.host AS host, s.user AS user,
       coalesce(a.agent_id, '') AS agent, s.name AS title, s.session_id AS session, a.action_id AS action_id
ORDER BY time DESC, action_id, path
LIMIT toInteger($limit)
