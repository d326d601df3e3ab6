// Makes sure that the positions and the Sessions of an Apply are there, and locks them
// until its end: SET and REMOVE of the same property change nothing but take the write
// lock, so that of two programs that write the same session the second one waits here
// and then reads (claimed.cypher) what the first one left.
UNWIND $rows AS row
MERGE (p:JournalPosition {position_id: row.position})
ON CREATE SET p.journal = row.journal, p.session_id = row.session, p.offset = 0, p.sum = 0, p.first = 0, p.fold = 0
MERGE (s:Session {session_id: row.own})
ON CREATE SET s.stub = true
SET p.locked = true, s.locked = true
REMOVE p.locked, s.locked
