// Reads what claim.cypher locked: where the journal is, and whose the session is.
UNWIND $rows AS row
MATCH (p:JournalPosition {position_id: row.position})
MATCH (s:Session {session_id: row.own})
OPTIONAL MATCH (base:Session {session_id: row.session})
RETURN row.position AS position, p.offset AS offset, p.sum AS sum, p.first AS first, p.fold AS fold,
       coalesce(p.continues, false) AS continues, coalesce(p.absorbed, 0) AS absorbed,
       base.owner AS owner, coalesce(p.dropping, false) AS dropping, coalesce(s.stub, false) AS stub
