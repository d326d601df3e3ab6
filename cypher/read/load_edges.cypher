// The edges of one kind that a session's fold wrote: they go out from its own nodes.
MATCH (a:_FROM_ {session_id: $session})-[r:_TYPE_]->(b:_TO_)
RETURN a._FROM_KEY_ AS from, b._TO_KEY_ AS to, properties(r) AS props
