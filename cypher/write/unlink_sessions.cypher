// The edges that go out from Session nodes: those that their own folds wrote.
UNWIND $keys AS key
MATCH (:Session {session_id: key})-[r]->()
DELETE r
