// Writes the new positions, and whose the sessions are. All were made by claim.cypher
// in this transaction.
UNWIND $rows AS row
MATCH (p:JournalPosition {position_id: row.position})
SET p.offset = row.offset, p.sum = row.sum, p.first = row.first, p.continues = row.continues
WITH row
MATCH (s:Session {session_id: row.own})
SET s.owner = row.journal
RETURN count(*) AS moved
