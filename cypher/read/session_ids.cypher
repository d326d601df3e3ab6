// The ids of all sessions, or whether one is there.
MATCH (s:Session)
WHERE $session IS NULL OR s.session_id = $session
RETURN s.session_id AS session_id
