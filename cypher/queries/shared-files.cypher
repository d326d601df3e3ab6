// Files that several sessions wrote: where agents may have got into each other's way.
// $sessions int = 2 – at least this many sessions wrote it
// $limit int = 50 – at most this many files
MATCH (f:File)<-[:WROTE]-(a:ToolCall)<-[:HAS_ACTION]-(s:Session)
WITH f, s, a ORDER BY a.timestamp, a.action_id
WITH f, s, count(a) AS writes, head(collect(a.timestamp)) AS first, last(collect(a.timestamp)) AS last
ORDER BY first, s.session_id
WITH f, collect({session: s.session_id, writes: writes, first: first, last: last}) AS writers
WHERE size(writers) >= $sessions
RETURN f.path AS path, f.host AS host, size(writers) AS sessions, writers
ORDER BY sessions DESC, path, host
LIMIT toInteger($limit)
