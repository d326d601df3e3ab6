// How often each MCP server is called, and how often its tools fail.
// $since time = "" – only since this time; empty is always
// $limit int = 100 – at most this many servers
MATCH (a:ToolCall {is_mcp: true})
WHERE a.timestamp >= $since
WITH a ORDER BY a.tool_name
WITH a.mcp_server AS mcp_server, count(a) AS calls, sum(CASE WHEN a.status = 'failed' THEN 1 ELSE 0 END) AS failed,
     avg(a.duration_ms) AS average, collect(DISTINCT a.tool_name) AS tools
RETURN mcp_server, calls, failed, round(100.0 * failed / calls) AS failed_percent, round(average) AS avg_ms, tools
ORDER BY failed_percent DESC, calls DESC, mcp_server
LIMIT toInteger($limit)
