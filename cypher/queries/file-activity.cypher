// Which files were touched most, and by which sessions.
// $path string = "" – only files with this in their path
// $limit int = 50 – at most this many files
MATCH (f:File)<-[r:READ|WROTE]-(:ToolCall)<-[:HAS_ACTION]-(s:Session)
WHERE f.path CONTAINS $path
WITH f, r, s ORDER BY s.started_at, s.session_id
WITH f, sum(CASE WHEN type(r) = 'WROTE' THEN 1 ELSE 0 END) AS writes, sum(CASE WHEN type(r) = 'READ' THEN 1 ELSE 0 END) AS reads,
     collect(DISTINCT s.session_id) AS sessions
RETURN f.path AS path, f.host AS host, writes, reads, sessions
ORDER BY writes + reads DESC, path, host
LIMIT toInteger($limit)
