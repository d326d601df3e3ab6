// Sessions, newest first; those without a start last. A filter that is null selects all.
// toString, for Memgraph refuses STARTS WITH for what is no string; before 3.11 it binds
// closer than +, hence the parentheses. The order is by coalesce because null comes first
// in a descending one.
MATCH (s:Session)
WHERE s.session_id STARTS WITH $prefix AND s.stub IS NULL
  AND ($status IS NULL OR s.status = $status)
  AND ($user IS NULL OR s.user = $user)
  AND ($host IS NULL OR s.host = $host)
  AND ($since IS NULL OR s.started_at >= $since)
  AND ($until IS NULL OR s.started_at < $until)
  AND (NOT $errors OR s.error_count > 0)
  AND ($dir IS NULL OR s.working_directory = $dir OR s.working_directory = $above AND $above <> ''
       OR toString(s.working_directory) STARTS WITH ($above + '/') OR toString(s.working_directory) STARTS WITH ($above + '\\'))
OPTIONAL MATCH (s)-[:HAS_TAG]->(wanted:Tag {name: $tag})
WITH s, wanted
WHERE $tag IS NULL OR wanted IS NOT NULL
WITH s
ORDER BY coalesce(s.started_at, '') DESC, s.session_id
LIMIT $limit
OPTIONAL MATCH (s)-[:HAS_TAG]->(t:Tag)
WITH s, collect(coalesce(t.name_whole, t.name)) AS tags
OPTIONAL MATCH (s)-[f:FORKED_FROM]->(parent:Session)
WITH s, tags, f, parent
ORDER BY parent.session_id
WITH s, tags, head(collect({parent: parent.session_id, props: properties(f)})) AS fork
RETURN s.session_id AS session_id, s.title AS title, s.first_prompt AS first_prompt, s.status AS status,
       s.status_whole AS status_whole, s.started_at AS started_at, s.ended_at AS ended_at, s.last_event_at AS last_event_at,
       s.model AS model, s.source_sdk AS source_sdk, s.working_directory AS working_directory, s.git_branch AS git_branch,
       s.host AS host, s.user AS user, s.action_count AS action_count, s.tool_call_count AS tool_call_count,
       s.message_count AS message_count, s.agent_count AS agent_count, s.error_count AS error_count,
       s.total_input_tokens AS total_input_tokens, s.total_output_tokens AS total_output_tokens,
       s.total_lower_bound AS total_lower_bound, s.total_cost_usd AS total_cost_usd, tags, fork
