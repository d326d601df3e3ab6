// The shared nodes that edges of one kind end at.
MATCH (a:_FROM_ {session_id: $session})-[:_TYPE_]->(b:_TO_)
WHERE b.stub IS NULL
RETURN DISTINCT properties(b) AS props
