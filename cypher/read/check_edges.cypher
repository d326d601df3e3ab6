// The edges of one kind that are there more than once.
MATCH (a:_FROM_ {session_id: $session})-[r:_TYPE_]->(b:_TO_)
WITH a, b, count(r) AS edges
WHERE edges > 1
RETURN a._FROM_KEY_ AS from, b._TO_KEY_ AS to, edges
