// Which sessions have which tag.
// $tag string = "" – only this tag; empty is all
// $limit int = 200 – at most this many rows
MATCH (t:Tag)<-[:HAS_TAG]-(s:Session)
WHERE s.stub IS NULL AND ($tag = '' OR t.name = $tag)
RETURN t.name AS tag, s.started_at AS started, s.status AS status, s.error_count AS errors, s.name AS title,
       s.session_id AS session
ORDER BY tag, started DESC, session
LIMIT toInteger($limit)
