// Says that sessions that are forgotten are being dropped, in more than one transaction.
// Their positions stay until the last one, so that whoever is cut off forgets them again.
UNWIND $rows AS row
MATCH (p:JournalPosition {position_id: row.position})
SET p.dropping = true
