// Full text is a procedure of each engine. $query is in Lucene's query language; the
// hits are candidates, newest first, which the program then looks at.
CALL db.index.fulltext.queryNodes('action_search', $query) YIELD node, score
WITH node AS a, score
WHERE a.stub IS NULL
  AND ($session IS NULL OR a.session_id = $session)
  AND ($tool IS NULL OR a.tool_name = $tool)
  AND ($type IS NULL OR a.action_type = $type)
  AND (NOT $failed OR a.status = 'failed' OR a.is_error = true)
  AND ($since IS NULL OR a.timestamp >= $since)
  AND ($until IS NULL OR a.timestamp < $until)
WITH a, score, coalesce(a.timestamp, '') AS time
ORDER BY time DESC
LIMIT $newest
RETURN a.action_id AS action_id, score, time
