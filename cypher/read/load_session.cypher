// A Session, and whether another session's edge ends at it.
MATCH (s:Session {session_id: $session})
OPTIONAL MATCH (other:Session)-[r]->(s)
WHERE other.session_id <> $session
RETURN properties(s) AS props, count(r) > 0 AS pointed
