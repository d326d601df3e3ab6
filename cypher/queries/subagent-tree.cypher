// What a subagent did, as a tree below the call that spawned it: calls, results, subagents of its own.
// $session session = "latest" – the session
// $agent string = "" – its agent_id; empty is every subagent that the main thread spawned
// $limit int = 500 – at most this many actions
MATCH (root:Agent {session_id: $session})<-[:SPAWNED]-(spawner:Action)
WHERE root.agent_id = $agent OR $agent = '' AND spawner.agent_id IS NULL
WITH DISTINCT spawner
MATCH path = (spawner)-[:PARENT_OF*0..20]->(a:Action)
WITH a, length(path) AS depth, reduce(key = '', n IN nodes(path) | key + n.timestamp + n.action_id) AS place
RETURN depth, coalesce(a.agent_id, '') AS agent, a.action_type AS type, a.name AS action, a.status AS status,
       a.duration_ms AS duration_ms, a.timestamp AS time
ORDER BY place
LIMIT $limit
