// Loops: a call with the same input failing again and again in one lane, with no other outcome in between.
// $session session = "" – only in this session; empty is all
// $times int = 2 – it failed at least this often
// $limit int = 50 – at most this many rows
// Other calls in between do not end a loop. A command is the same however it is described.
MATCH (s:Session)-[:HAS_ACTION]->(a:ToolCall)
WHERE $session = '' OR s.session_id = $session
WITH s, a ORDER BY a.timestamp, coalesce(a.seq, 0), a.action_id
WITH s, coalesce(a.agent_id, '') AS agent, a.tool_name AS tool, a.command AS command, a.file_path AS path, a.url AS url,
     a.pattern AS pattern, CASE WHEN a.command IS NULL THEN a.properties ELSE '' END AS others, collect(a) AS calls
WITH s, agent, tool, calls, head(calls) AS a, [i IN range(0, size(calls) - 1) WHERE calls[i].status <> 'failed'] AS breaks
UNWIND [i IN range(0, size(calls) - 1) WHERE calls[i].status = 'failed'] AS at
WITH s, agent, tool, a, size([i IN breaks WHERE i < at]) AS run, count(at) AS times,
     min(calls[at].timestamp) AS first, max(calls[at].timestamp) AS last
WHERE times >= $times
RETURN times, tool, coalesce(a.command, a.file_path, a.url, a.pattern, a.name) AS input, first, last, agent,
       s.session_id AS session
ORDER BY times DESC, first DESC, session, agent, tool, input
LIMIT toInteger($limit)
