// Removes the positions of sessions that are forgotten.
UNWIND $rows AS row
MATCH (p:JournalPosition {position_id: row.position})
DETACH DELETE p
