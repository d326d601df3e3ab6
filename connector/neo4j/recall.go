package neo4j

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/actiongraph/actiongraph/cypher"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/internal/fulltext"
)

// EngineRanks says that words are ranked by the engine's own BM25, over all of an
// action's words: hits are those of every store, their order may differ.
func (s *Store) EngineRanks() {}

// found is a document that may be a hit, and its call.
type found struct {
	candidate
	call string
}

// recall finds tool calls that have any of the words; see graph.SearchQuery.
func (v *view) recall(q graph.SearchQuery, words []fulltext.Word) ([]graph.SearchHit, error) {
	if q.Type != "" && q.Type != graph.ToolCall || len(words) == 0 && strings.TrimSpace(q.Words) != "" {
		return nil, nil
	}
	only, err := v.selected(q)
	if err != nil {
		return nil, err
	}
	from, err := v.recallFrom(q, words, only)
	if err != nil {
		return nil, err
	}
	if len(words) == 0 {
		if q.Limit > 0 && len(from) > q.Limit {
			from = from[:q.Limit]
		}
		return v.showRecalled(from, words)
	}
	var best []found
	seen := map[string]bool{}
	for some := range slices.Chunk(from, hitsAtOnce) {
		if q.Limit > 0 && len(best) >= q.Limit {
			break
		}
		keys := make([]string, len(some))
		for i, f := range some {
			keys[i] = f.key
		}
		docs := map[string]fulltext.Document{}
		err := v.rows("hits", row{"keys": keys}, func(m row) {
			key, _ := m["action_id"].(string)
			docs[key] = fulltext.NewDocument(actionRow(m).ActionType, func(name string) any { return decoded(m, name) })
		})
		if err != nil {
			return nil, err
		}
		for _, f := range some {
			if tf, _ := docs[f.key].Count(words); slices.Max(tf) > 0 && !seen[f.call] && (q.Limit <= 0 || len(best) < q.Limit) {
				seen[f.call] = true
				best = append(best, f)
			}
		}
	}
	return v.showRecalled(best, words)
}

// recallFrom gives candidates, best first, then newest; without words calls, newest first.
func (v *view) recallFrom(q graph.SearchQuery, words []fulltext.Word, only map[string]bool) (out []found, err error) {
	params := row{
		"session": nil, "tool": encodeFilter("tool_name", q.Tool), "failed": q.Failed,
		"since": encodeSince(q.Since), "until": encodeSince(q.Until), "newest": int64(newest),
	}
	if q.Session != "" {
		params["session"] = encodeKey(q.Session)
	}
	if len(words) == 0 && q.Limit > 0 {
		params["newest"] = int64(q.Limit)
	}
	if q.All || only != nil || len(words) == 0 && q.Limit <= 0 {
		params["newest"] = int64(math.MaxInt64)
	}
	name := "recall_calls"
	switch {
	case len(words) == 0:
	case v.info.Dialect == cypher.Memgraph:
		name, params["most"], params["query"] = "recall", memgraphLimit(v.info.Version), tantivyAny(words)
	default:
		name, params["query"] = "recall", luceneAny(words)
	}
	err = v.rows(name, params, func(m row) {
		var f found
		f.key, _ = m["action_id"].(string)
		f.call, _ = m["call"].(string)
		f.time, _ = m["time"].(string)
		f.score, _ = m["score"].(float64)
		if only == nil || only[f.call] {
			out = append(out, f)
		}
	})
	if len(words) > 0 && !q.All && len(out) > newest {
		out = out[:newest]
	}
	slices.SortStableFunc(out, func(a, b found) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(b.time, a.time), cmp.Compare(decodeKey(a.call), decodeKey(b.call)))
	})
	return out, err
}

// selected gives the actions that the filters by edges select; nil is all.
func (v *view) selected(q graph.SearchQuery) (only map[string]bool, err error) {
	narrow := func(name string, params row) error {
		some := map[string]bool{}
		err := v.rows(name, params, func(m row) {
			if key, _ := m["call"].(string); only == nil || only[key] {
				some[key] = true
			}
		})
		only = some
		return err
	}
	for _, tag := range q.Tags {
		if err := narrow("recall_tagged", row{"tag": encodeKey(tag)}); err != nil {
			return nil, err
		}
	}
	if q.Task != "" {
		keys, err := v.keysIn(q.Session, func(session string) string { return graph.TaskID(session, q.Task) })
		if err == nil {
			err = narrow("recall_tasks", row{"keys": keys})
		}
		if err != nil {
			return nil, err
		}
	}
	if q.RelatedTo != "" {
		keys, err := v.keysIn(q.Session, func(session string) string { return graph.ToolCallID(session, q.RelatedTo) })
		if err == nil {
			err = narrow("recall_related", row{"keys": append(keys, encodeKey(q.RelatedTo))})
		}
		if err != nil {
			return nil, err
		}
	}
	return only, nil
}

// keysIn gives the key that something has in each session, or in one.
func (v *view) keysIn(session string, key func(session string) string) (keys []any, err error) {
	params := row{"session": nil}
	if session != "" {
		params["session"] = encodeKey(session)
	}
	err = v.rows("session_ids", params, func(m row) { keys = append(keys, key(decodeKey(m["session_id"]))) })
	return keys, err
}

// showRecalled reads calls and their results whole, and marks the words.
func (v *view) showRecalled(best []found, words []fulltext.Word) (out []graph.SearchHit, err error) {
	calls := make([]string, len(best))
	for i, f := range best {
		calls[i] = f.call
	}
	first := map[string]candidate{} // by call
	err = v.rows("recall_results", row{"keys": calls}, func(m row) {
		var c candidate
		c.key, _ = m["action_id"].(string)
		c.time, _ = m["time"].(string)
		call, _ := m["call"].(string)
		if old, ok := first[call]; !ok || cmp.Or(cmp.Compare(c.time, old.time), cmp.Compare(decodeKey(c.key), decodeKey(old.key))) < 0 {
			first[call] = c
		}
	})
	if err != nil {
		return nil, err
	}
	keys := slices.Clone(calls)
	for _, c := range first {
		keys = append(keys, c.key)
	}
	rows := map[string]graph.ActionRow{}
	err = v.rows("recall_rows", row{"keys": keys}, func(m row) {
		key, _ := m["action_id"].(string)
		rows[key] = actionRow(m)
	})
	for _, f := range best {
		h := graph.SearchHit{Action: rows[f.call], Rank: f.score}
		if c, ok := first[f.call]; ok {
			r := rows[c.key]
			h.Result = &r
		}
		fulltext.ShowRecalled(&h, words)
		out = append(out, h)
	}
	return out, err
}

// luceneAny asks Lucene's query parser for any of the words.
func luceneAny(words []fulltext.Word) string { return strings.ReplaceAll(luceneQuery(words), "+", "") }

// tantivyAny asks Tantivy for any of the words, as far as its language goes: it has no
// beginnings of words.
func tantivyAny(words []fulltext.Word) string {
	var phrases []string
	for _, w := range words[:min(len(words), maxWords)] {
		if terms, _ := split(w); len(terms) > 0 {
			phrases = append(phrases, `"`+strings.Join(terms, " ")+`"`)
		}
	}
	return strings.Join(phrases, " OR ")
}
