// Keeps the end of a journal's log of seals, if it is further than the one that is kept. The node
// has no journal and no session: it is no position that is read.
MERGE (p:JournalPosition {position_id: $journal})
WITH p
WHERE coalesce(p.seal_number, 0) < $number
SET p.seal_number = $number, p.seal = $line
