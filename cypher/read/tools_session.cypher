// The use of every tool in one session: a row for each and the status of its calls. Durations
// are collected, not aggregated: percentiles of durations that were seen want them in
// order, which is cheaper here than in either engine. One is 9 bytes on the wire.
MATCH (a:Action {session_id: $session})
WHERE a.stub IS NULL AND a.action_type = 'tool_call' AND a.tool_name <> ''
WITH a.tool_name AS name, a.tool_name_whole AS whole, a.status AS status, count(a) AS uses, collect(a.duration_ms) AS durations
OPTIONAL MATCH (t:Tool {name: name})
WHERE t.stub IS NULL
RETURN name AS tool_name, whole AS tool_name_whole, status, uses, durations, t.is_mcp AS is_mcp, t.mcp_server AS mcp_server
