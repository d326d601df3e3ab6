// Sessions, newest first: of a time, a host, a user, a directory, a status.
// $since time = "" – started at this time or later
// $until time = "" – started at this time or earlier; empty is now
// $host string = "" – only on this host
// $user string = "" – only of this user
// $working_directory string = "" – only in directories that begin so
// $status string = "" – active, completed, failed, abandoned or unknown
// $limit int = 100 – at most this many
MATCH (s:Session)
WHERE s.stub IS NULL AND s.started_at >= $since AND ($until = '' OR s.started_at <= $until)
  AND ($host = '' OR s.host = $host) AND ($user = '' OR s.user = $user)
  AND ($working_directory = '' OR s.working_directory STARTS WITH $working_directory) AND ($status = '' OR s.status = $status)
RETURN s.started_at AS started, s.status AS status, s.tool_call_count AS tool_calls, s.error_count AS errors,
       s.user AS user, s.host AS host, s.working_directory AS working_directory, s.name AS title, s.session_id AS session
ORDER BY started DESC, session
LIMIT toInteger($limit)
