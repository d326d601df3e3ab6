// What sessions cost, the dearest first.
// $since time = "" – started at this time or later
// $limit int = 50 – at most this many sessions
MATCH (s:Session)
WHERE s.stub IS NULL AND s.started_at >= $since AND s.total_cost_usd IS NOT NULL
RETURN s.total_cost_usd AS cost_usd, s.total_input_tokens AS input_tokens, s.total_output_tokens AS output_tokens,
       s.model AS model, s.started_at AS started, s.name AS title, s.session_id AS session
ORDER BY cost_usd DESC, session
LIMIT toInteger($limit)
