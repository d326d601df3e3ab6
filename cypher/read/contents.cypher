// How much of a graph there is, and how many journals wrote it: what a clear deletes. Of
// the shared nodes it leaves those that something else is linked to.
OPTIONAL MATCH (p:JournalPosition)
WITH count(DISTINCT p.journal) AS journals
OPTIONAL MATCH (s:Session)
WITH journals, count(s) AS sessions
OPTIONAL MATCH (a:Action)
WITH journals, sessions, count(a) AS actions
OPTIONAL MATCH (ag:Agent)
WITH journals, sessions, actions, count(ag) AS agents
OPTIONAL MATCH (t:Tool)
WHERE t.actiongraph OR t.stub
WITH journals, sessions, actions, agents, count(t) AS tools
OPTIONAL MATCH (g:Tag)
WHERE g.actiongraph OR g.stub
WITH journals, sessions, actions, agents, tools, count(g) AS tags
OPTIONAL MATCH (f:File)
WHERE f.actiongraph OR f.stub
RETURN journals, sessions, actions, agents, tools, tags, count(f) AS files
