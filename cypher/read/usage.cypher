// What model calls used, added up by what is asked for: of one session or, with null, of
// all. $spans are stretches of time with one offset from UTC, in quarters of an hour
// since 1970 and in seconds; a row's days are since 1970. Costs are added as whole
// billionths of a dollar: sums of floats hang on their order.
UNWIND $spans AS span
MATCH (a:LLMCall)
WHERE a.stub IS NULL AND a.timestamp_ms >= span.start * 900000 AND a.timestamp_ms < span.stop * 900000
  AND ($session IS NULL OR a.session_id = $session)
OPTIONAL MATCH (s:Session {session_id: a.session_id})
WHERE $by_session OR $by_project
OPTIONAL MATCH (g:Agent {session_id: a.session_id})
WHERE $by_agent AND g.agent_id = a.agent_id AND g.agent_id <> ''
WITH a, CASE WHEN $by_day THEN (a.timestamp_ms + span.offset * 1000) / 86400000 END AS day,
     CASE WHEN $by_session THEN a.session_id END AS session, CASE WHEN $by_session THEN s END AS s,
     CASE WHEN s.repo_root <> '' THEN s.repo_root ELSE s.working_directory END AS project,
     CASE WHEN $by_agent AND a.agent_id <> '' THEN CASE WHEN g.agent_type <> '' THEN g.agent_type ELSE $subagent END END AS agent,
     coalesce(a.input_tokens, 0) + coalesce(a.cache_read_input_tokens, 0) + coalesce(a.cache_creation_input_tokens, 0) AS prompt
WITH a, day, session, s, project, agent, [tier IN $tiers WHERE prompt > tier][0] AS over
RETURN day, session, s.title AS title, s.name AS name, s.started_at AS started_at, project AS working_directory, agent AS agent_type,
       a.model AS model, a.speed AS speed, coalesce(over, 0) AS over, a.cost_usd IS NOT NULL AS stated, count(a) AS calls,
       sum(CASE WHEN a.lower_bound THEN 1 ELSE 0 END) AS lower_bounds, sum(a.input_tokens) AS input,
       sum(a.output_tokens) AS output, sum(a.cache_read_input_tokens) AS cache_read,
       sum(a.cache_creation_input_tokens) AS cache_write, sum(a.ephemeral_5m_input_tokens) AS cache_write_5m,
       sum(a.ephemeral_1h_input_tokens) AS cache_write_1h, sum(a.web_search_requests) AS web_searches,
       sum(toInteger(round(a.cost_usd * 1000000000))) AS cost
