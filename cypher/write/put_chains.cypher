// The FOLLOWED_BY of whole stretches of a lane. Each Action is looked up once here, not
// as the end of two edges: measured, half the time of put_edges.cypher. Without the
// order collect might mix up a chain.
UNWIND $rows AS row
UNWIND range(0, size(row.keys) - 1) AS i
MERGE (a:Action {action_id: row.keys[i]})
ON CREATE SET a.stub = true, a.session_id = row.session
WITH row.chain AS chain, i, a ORDER BY chain, i
WITH chain, collect(a) AS actions
UNWIND range(1, size(actions) - 1) AS i
WITH actions[i - 1] AS a, actions[i] AS b
MERGE (a)-[:FOLLOWED_BY]->(b)
