// All actions of one session at some timestamps: the order of two may hang on a third
// that a filter leaves out.
MATCH (a:Action {session_id: $session})
WHERE a.stub IS NULL AND coalesce(a.timestamp, '') IN $times
OPTIONAL MATCH (p:Action)-[:FOLLOWED_BY]->(a)
RETURN a.action_id AS action_id, a.action_type AS action_type, a.timestamp AS timestamp, a.agent_id AS agent_id,
       p.action_id AS follows
