// Which tool is called after which, and how often of a hundred times: the transition matrix, a row a cell.
// $session session = "" – only in this session; empty is all
// $limit int = 100 – at most this many pairs
MATCH path = (a:ToolCall)-[:FOLLOWED_BY*1..20]->(b:ToolCall)
WHERE ($session = '' OR a.session_id = $session) AND size([n IN nodes(path) WHERE n.action_type = 'tool_call']) = 2
WITH a.tool_name AS tool, b.tool_name AS next_tool, count(path) AS times
WITH tool, sum(times) AS total, collect({tool: next_tool, times: times}) AS followers
UNWIND followers AS next
RETURN tool, next.tool AS next_tool, next.times AS times, round(100.0 * next.times / total) AS percent
ORDER BY times DESC, tool, next_tool
LIMIT $limit
