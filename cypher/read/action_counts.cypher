// How many actions there are of each type, and tool calls of each status.
MATCH (a:Action)
WHERE a.stub IS NULL
RETURN a.action_type AS type, CASE WHEN a.action_type = 'tool_call' THEN a.status END AS status,
       CASE WHEN a.action_type = 'tool_call' THEN a.status_whole END AS status_whole, count(a) AS actions
