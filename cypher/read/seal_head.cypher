// The end of a journal's log of seals, on a JournalPosition that is no session's.
MATCH (p:JournalPosition {position_id: $journal})
RETURN p.seal_number AS number, p.seal AS line
