// What the folds of some sessions have put of one label, with all its edges.
UNWIND $keys AS key
MATCH (n:_LABEL_ {session_id: key})
DETACH DELETE n
