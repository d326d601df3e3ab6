// The reads and writes of files: a row for each file, session, tool and kind of edge. A
// filter that is null selects all. $prefix and $part are graph.FileFilter's pattern of a
// path. toString, because Memgraph refuses functions of text for what is no string.
MATCH (f:File)<-[e:READ|WROTE]-(a:Action)
WHERE f.stub IS NULL AND a.stub IS NULL
  AND ($session IS NULL OR a.session_id = $session)
  AND ($since IS NULL OR a.timestamp >= $since)
  AND ($prefix IS NULL OR (replace(toString(f.path), '\\', '/') + '/') STARTS WITH $prefix)
  AND ($part IS NULL OR ('/' + replace(toString(f.path), '\\', '/') + '/') CONTAINS $part)
OPTIONAL MATCH (a)-[:PARENT_OF]->(r:ToolResult)
WHERE type(e) = 'WROTE'
WITH f, type(e) AS did, a, sum(r.lines_added) AS added, count(r.lines_added) AS add_known,
     sum(r.lines_removed) AS removed, count(r.lines_removed) AS remove_known
WITH f, did, a.session_id AS session, a.tool_name AS tool, a.tool_name_whole AS tool_whole, count(a) AS calls,
     min(a.timestamp) AS first, max(a.timestamp) AS last,
     sum(added) AS added, sum(add_known) AS add_known, sum(removed) AS removed, sum(remove_known) AS remove_known
MATCH (s:Session {session_id: session})
WHERE s.stub IS NULL
RETURN f.file_key AS file, f.path AS path, f.path_whole AS path_whole, f.host AS host, did, tool AS tool_name,
       tool_whole AS tool_name_whole, calls, first, last, added, add_known, removed, remove_known,
       s.session_id AS session_id, s.name AS name, s.user AS user
