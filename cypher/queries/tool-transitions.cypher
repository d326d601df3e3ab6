// Which tool is called after which, and how often of a hundred times: the transition matrix, a row a cell.
// $session session = "" – only in this session; empty is all
// $limit int = 100 – at most this many pairs
MATCH (a:ToolCall)
WHERE $session = '' OR a.session_id = $session
WITH a ORDER BY a.timestamp, coalesce(a.seq, 0), a.action_id
WITH a.session_id AS session, coalesce(a.agent_id, '') AS agent, collect(coalesce(a.tool_name, '')) AS tools
UNWIND range(0, size(tools) - 2) AS i
WITH tools[i] AS tool, tools[i + 1] AS next_tool, count(i) AS times
WITH tool, sum(times) AS total, collect({tool: next_tool, times: times}) AS followers
UNWIND followers AS next
RETURN tool, next.tool AS next_tool, next.times AS times, round(100.0 * next.times / total) AS percent
ORDER BY times DESC, tool, next_tool
LIMIT toInteger($limit)
