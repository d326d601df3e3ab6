// Writes the new positions, and whose the sessions are: row.fills is the Session that the
// batch filled, or null where another journal has absorbed it. All were made by
// claim.cypher in this transaction.
UNWIND $rows AS row
MATCH (p:JournalPosition {position_id: row.position})
SET p.offset = row.offset, p.sum = row.sum, p.first = row.first, p.fold = row.fold, p.continues = row.continues, p.absorbed = row.absorbed,
    p.dropping = null
WITH row
OPTIONAL MATCH (s:Session {session_id: row.fills})
SET s.owner = row.journal
RETURN count(*) AS moved
