MATCH (a:Agent {session_id: $session})
WHERE a.stub IS NULL
RETURN properties(a) AS props
