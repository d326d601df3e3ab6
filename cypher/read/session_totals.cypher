// What a summary adds up, of one session or, with null, of all. The prefix is what finds
// one session by the index.
MATCH (s:Session)
WHERE s.session_id STARTS WITH coalesce($session, '') AND s.stub IS NULL AND ($session IS NULL OR s.session_id = $session)
RETURN s.session_id AS session_id, s.status AS status, s.status_whole AS status_whole, s.started_at AS started_at,
       s.ended_at AS ended_at, s.last_event_at AS last_event_at, s.action_count AS action_count,
       s.tool_call_count AS tool_call_count, s.message_count AS message_count, s.agent_count AS agent_count,
       s.error_count AS error_count, s.total_input_tokens AS total_input_tokens,
       s.total_output_tokens AS total_output_tokens, s.total_lower_bound AS total_lower_bound, s.total_cost_usd AS total_cost_usd
