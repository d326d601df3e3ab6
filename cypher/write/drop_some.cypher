// Some actions of sessions that are being dropped, and how many they were. The positions
// that say so are locked, and looked at after that: their journals may put them again.
UNWIND $rows AS row
MATCH (p:JournalPosition {position_id: row.position})
SET p.locked = true
REMOVE p.locked
WITH p, row
WHERE CASE WHEN row.taken THEN p.absorbed > 0 ELSE p.dropping END
MATCH (n:Action {session_id: row.session})
WITH n LIMIT 5000
DETACH DELETE n
RETURN count(*) AS deleted
