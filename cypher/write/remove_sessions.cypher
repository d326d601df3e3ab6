// Removes Session stubs that no edge ends at.
UNWIND $keys AS key
MATCH (s:Session {session_id: key})
WHERE s.stub
OPTIONAL MATCH (s)-[r]-()
WITH s, count(r) AS edges
WHERE edges = 0
DELETE s
