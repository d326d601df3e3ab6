// How many actions of each type one session has, and tool calls of each status.
MATCH (a:Action {session_id: $session})
WHERE a.stub IS NULL
RETURN a.action_type AS type, CASE WHEN a.action_type = 'tool_call' THEN a.status END AS status,
       CASE WHEN a.action_type = 'tool_call' THEN a.status_whole END AS status_whole, count(a) AS actions
