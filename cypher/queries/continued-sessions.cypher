// Sessions that went on on another machine.
// $limit int = 100 – at most this many
MATCH (part:Session)-[:CONTINUES]->(s:Session)
WHERE part.stub IS NULL
RETURN s.session_id AS session, s.host AS host, part.session_id AS continuation, part.host AS continued_on,
       part.started_at AS continued, part.action_count AS actions, part.status AS status, part.name AS title
ORDER BY continued DESC, continuation, session
LIMIT toInteger($limit)
