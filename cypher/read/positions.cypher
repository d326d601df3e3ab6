MATCH (p:JournalPosition {journal: $journal})
RETURN p.session_id AS session, p.offset AS offset, p.sum AS sum, p.first AS first, p.fold AS fold
