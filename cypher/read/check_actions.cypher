// What the store adds to a session's actions for itself, and their labels.
MATCH (a:Action {session_id: $session})
WHERE a.stub IS NULL
RETURN properties(a) AS props, labels(a) AS labels
