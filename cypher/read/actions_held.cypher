// How many actions some sessions have: whether one transaction drops them.
UNWIND $keys AS key
MATCH (a:Action {session_id: key})
RETURN count(a) AS actions
