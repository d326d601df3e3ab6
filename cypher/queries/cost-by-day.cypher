// What the model calls of each day cost, by model (days are UTC).
// $since time = "" – only since this time; empty is always
// $limit int = 1000 – at most this many rows
MATCH (a:LLMCall)
WHERE a.timestamp >= $since
WITH left(a.timestamp, 10) AS day, coalesce(a.model, 'unknown') AS model, count(a) AS calls,
     sum(a.input_tokens) AS input_tokens, sum(a.cache_read_input_tokens) AS cache_read_tokens,
     sum(a.cache_creation_input_tokens) AS cache_write_tokens, sum(a.output_tokens) AS output_tokens, sum(a.cost_usd) AS cost
RETURN day, model, calls, input_tokens, cache_read_tokens, cache_write_tokens, output_tokens,
       round(cost * 1000000) / 1000000 AS cost_usd
ORDER BY day DESC, model
LIMIT toInteger($limit)
