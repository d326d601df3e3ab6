// Marks the positions of journals whose record of a session another journal has taken in:
// up to row.offset it is in that one's. The positions stay, so that a journal that has
// nothing new puts nothing back.
UNWIND $rows AS row
MATCH (p:JournalPosition {position_id: row.position})
SET p.absorbed = CASE WHEN p.absorbed > row.offset THEN p.absorbed ELSE row.offset END, p.continues = false, p.dropping = null
