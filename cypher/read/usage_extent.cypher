// Between which times there are model calls.
MATCH (a:LLMCall)
WHERE a.stub IS NULL
RETURN min(a.timestamp_ms) AS first, max(a.timestamp_ms) AS last
