// Says that what a journal has put of its sessions is being dropped, in more than one
// transaction: as for the positions there is nothing of it. Whatever the journal puts next
// drops the rest first. The sessions become its own, as moved.cypher has it.
UNWIND $rows AS row
MATCH (p:JournalPosition {position_id: row.position})
SET p.dropping = true, p.offset = 0, p.sum = 0, p.first = 0, p.fold = 0, p.continues = row.continues, p.absorbed = null
WITH row
MATCH (s:Session {session_id: row.fills})
SET s.owner = row.journal
