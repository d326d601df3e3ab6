// Whether every lane is one chain: one head, one tail, no fork, no step back in time. What is not ok comes first.
// $session session = "" – only this session; empty is all
// $limit int = 100 – at most this many lanes
MATCH (s:Session)-[:HAS_ACTION]->(a:Action)
WHERE $session = '' OR s.session_id = $session
OPTIONAL MATCH (before:Action)-[:FOLLOWED_BY]->(a)
OPTIONAL MATCH (a)-[:FOLLOWED_BY]->(after:Action)
WITH s.session_id AS session, coalesce(a.agent_id, '') AS agent, a, count(DISTINCT before) AS ins, count(DISTINCT after) AS outs,
     sum(CASE WHEN after.timestamp < a.timestamp THEN 1 ELSE 0 END) AS back
WITH session, agent, count(a) AS actions, sum(CASE WHEN ins = 0 THEN 1 ELSE 0 END) AS heads,
     sum(CASE WHEN outs = 0 THEN 1 ELSE 0 END) AS tails, sum(CASE WHEN ins > 1 OR outs > 1 THEN 1 ELSE 0 END) AS forks,
     sum(back) AS steps_back
RETURN heads = 1 AND tails = 1 AND forks = 0 AND steps_back = 0 AS ok, session, agent, actions, heads, tails, forks, steps_back
ORDER BY ok, session, agent
LIMIT toInteger($limit)
