// The subagents of one session, which of its actions spawned each, and how many it has.
MATCH (g:Agent {session_id: $session})
WHERE g.stub IS NULL
OPTIONAL MATCH (spawner:Action)-[:SPAWNED]->(g)
WITH g, min(spawner.action_id) AS spawner
OPTIONAL MATCH (g)-[has:HAS_ACTION]->(:Action)
RETURN properties(g) AS props, spawner, count(has) AS actions
