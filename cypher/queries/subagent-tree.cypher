// What a subagent did, as a tree below the call that spawned it: calls, results, subagents of its own.
// $session session = "latest" – its session_id; ag-sessiond also takes a prefix, or latest
// $agent string = "" – its agent_id; empty is every subagent that the main thread, or nobody known, spawned
// $limit int = 500 – at most this many actions
// Where nothing tells who spawned a subagent, its tree begins with what it did: parent_unknown.
MATCH (root:Agent {session_id: $session})
OPTIONAL MATCH (spawner:Action)-[:SPAWNED]->(root)
WITH root, spawner
WHERE root.agent_id = $agent OR $agent = '' AND spawner.agent_id IS NULL
OPTIONAL MATCH (root)-[:HAS_ACTION]->(first:Action {parent_unknown: true})
WITH DISTINCT CASE WHEN spawner IS NULL THEN first ELSE spawner END AS top
WHERE top IS NOT NULL
MATCH path = (top)-[:PARENT_OF*0..20]->(a:Action)
WITH a, length(path) AS depth, reduce(key = '', n IN nodes(path) | key + n.timestamp + n.action_id) AS place
RETURN depth, coalesce(a.agent_id, '') AS agent, a.action_type AS type, a.name AS action, a.status AS status,
       a.duration_ms AS duration_ms, a.timestamp AS time, coalesce(a.parent_unknown, false) AS parent_unknown
ORDER BY place
LIMIT toInteger($limit)
