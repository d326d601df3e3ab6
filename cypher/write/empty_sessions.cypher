// Makes Session nodes stubs again: other sessions may point at them.
UNWIND $keys AS key
MATCH (s:Session {session_id: key})
SET s = {session_id: key, stub: true}
