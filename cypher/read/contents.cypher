// How much of a graph there is, and how many journals wrote it: what a clear deletes.
OPTIONAL MATCH (p:JournalPosition)
WITH count(DISTINCT p.journal) AS journals
OPTIONAL MATCH (s:Session)
WITH journals, count(s) AS sessions
OPTIONAL MATCH (a:Action)
WITH journals, sessions, count(a) AS actions
OPTIONAL MATCH (ag:Agent)
RETURN journals, sessions, actions, count(ag) AS agents
