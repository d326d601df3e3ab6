// The sessions of a journal that are not simply its own: few, so positions.cypher need
// not carry what it is for nearly all of them.
MATCH (p:JournalPosition {journal: $journal})
WHERE p.continues OR p.absorbed > 0
RETURN p.session_id AS session, coalesce(p.continues, false) AS continues, coalesce(p.absorbed, 0) AS absorbed
