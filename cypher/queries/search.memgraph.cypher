// Find words in what was said, called and answered: the best hits first.
// $words words – the words to find, all of them
// $limit int = 20 – at most this many hits
// In Browser and Lab $words is the engine's own query: terms in lower case and without accents, cut at
// punctuation, the terms of one word in quotes: hello AND "does not exist txt".
// Full text is a procedure of its own in each engine; search.neo4j.cypher is Neo4j's.
CALL text_search.search_all('action_search', $words) YIELD node, score
MATCH (s:Session)-[:HAS_ACTION]->(node)
RETURN round(score * 100) / 100 AS score, node.timestamp AS time, node.action_type AS type, node.name AS action,
       node.status AS status, s.session_id AS session, node.action_id AS action_id
ORDER BY score DESC, time DESC, action_id
LIMIT toInteger($limit)
