// Which shell commands are run most, how often they fail, how long they take.
// $contains string = "" – only commands with this in them
// $limit int = 30 – at most this many commands
MATCH (a:ToolCall)
WHERE a.command CONTAINS $contains
WITH a.command AS command, count(a) AS times, sum(CASE WHEN a.status = 'failed' THEN 1 ELSE 0 END) AS failed,
     avg(a.duration_ms) AS average, count(DISTINCT a.session_id) AS sessions
RETURN times, failed, round(average) AS avg_ms, sessions, command
ORDER BY times DESC, failed DESC, command
LIMIT toInteger($limit)
