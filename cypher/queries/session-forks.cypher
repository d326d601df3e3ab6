// The forks of a session, and theirs: when each began and at which event it left its parent.
// $session session – its session_id; ag-sessiond also takes a prefix, or latest
// $limit int = 100 – at most this many forks
MATCH path = (fork:Session)-[:FORKED_FROM*1..20]->(:Session {session_id: $session})
WHERE fork.stub IS NULL
RETURN length(path) AS generation, fork.session_id AS fork, head(tail(nodes(path))).session_id AS forked_from,
       head(relationships(path)).at AS at_event, fork.started_at AS started, fork.status AS status, fork.name AS title
ORDER BY generation, started, fork
LIMIT toInteger($limit)
