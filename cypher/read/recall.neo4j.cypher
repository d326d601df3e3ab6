// Full text is a procedure of each engine. $query is in Lucene's query language; the hits
// are candidates, newest first, which the program then looks at: results, each with its
// call, and calls that have not come to a result.
CALL db.index.fulltext.queryNodes('action_search', $query) YIELD node, score
WITH node AS a, score
WHERE a.stub IS NULL AND a.action_type IN ['tool_result', 'tool_call']
OPTIONAL MATCH (p:ToolCall)-[:PARENT_OF]->(a)
WITH a, score, CASE WHEN a.action_type = 'tool_result' THEN p ELSE a END AS c
WHERE c IS NOT NULL AND c.stub IS NULL
  AND ($session IS NULL OR c.session_id = $session)
  AND ($tool IS NULL OR c.tool_name = $tool)
  AND (NOT $failed OR c.status = 'failed' OR c.is_error = true)
  AND ($since IS NULL OR c.timestamp >= $since)
  AND ($until IS NULL OR c.timestamp < $until)
WITH a, score, c, coalesce(c.timestamp, '') AS time
ORDER BY time DESC, c.action_id
LIMIT $newest
RETURN a.action_id AS action_id, c.action_id AS call, score, time
