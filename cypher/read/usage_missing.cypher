// Subagents that may have used more than is known, each with its session: among them are
// those whose file is missing.
MATCH (g:Agent)
WHERE g.stub IS NULL AND g.total_lower_bound = true AND ($session IS NULL OR g.session_id = $session)
OPTIONAL MATCH (s:Session {session_id: g.session_id})
RETURN properties(g) AS props, g.session_id AS session, s.title AS title, s.name AS name, s.started_at AS started_at,
       CASE WHEN s.repo_root <> '' THEN s.repo_root ELSE s.working_directory END AS working_directory
