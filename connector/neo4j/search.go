package neo4j

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/actiongraph/actiongraph/cypher"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/internal/fulltext"
)

const (
	// newest bounds what a search ranks, and so what it costs.
	newest = 2000
	// hitsAtOnce is how many actions a search looks at with their texts in one statement.
	hitsAtOnce = 64
	// memgraphMost is how many hits Memgraph's index gives at most: it keeps room for
	// twice as many (tantivy::collector::TopDocs).
	memgraphMost = 1_000_000
)

// Search finds the actions that have all words, best first (the engine's BM25), among
// the newest 2,000 that pass the filters, or with All among all. A word of several
// tokens, such as a-b or /usr/lib, is a phrase. A * at the end of a word with two or more
// letters or digits stands for any ending; nothing else in a word is an operator. Since
// is inclusive, Until is not; Failed selects status failed and is_error. A Recall takes any
// of the words; its ranks are the engine's, too (EngineRanks).
//
// The engine's index finds candidates. Whether one has the words is what
// fulltext.Matches says, as in every store.
func (s *Store) Search(ctx context.Context, q graph.SearchQuery) (out []graph.SearchHit, err error) {
	words, err := fulltext.Question(q.Words)
	switch {
	case err != nil:
		return nil, err
	case q.Recall:
		err = s.view(ctx, "recall", func(v *view) error {
			out, err = v.recall(q, words)
			return err
		})
	case len(words) == 0:
		return nil, nil
	default:
		out, err = s.search(ctx, q, words)
	}
	if isNoIndex(err) {
		if some, _ := s.Contents(ctx); some == (Contents{}) { // nothing is there to be found
			return nil, nil
		}
	}
	return out, err
}

func (s *Store) search(ctx context.Context, q graph.SearchQuery, words []fulltext.Word) (out []graph.SearchHit, err error) {
	err = s.view(ctx, "search", func(v *view) error {
		hits, err := v.candidates(q, words)
		if err != nil {
			return err
		}
		out, err = v.hits(hits, words, q.Limit)
		return err
	})
	return out, err
}

// candidate is an action that may have the words.
type candidate struct {
	key, time string // as the database has them
	score     float64
}

// candidates asks the index, and sorts what it gives: best first, then newest.
func (v *view) candidates(q graph.SearchQuery, words []fulltext.Word) (out []candidate, err error) {
	params := row{
		"session": nil, "tool": encodeFilter("tool_name", q.Tool), "type": encodeFilter("action_type", string(q.Type)),
		"failed": q.Failed, "since": encodeSince(q.Since), "until": encodeSince(q.Until), "newest": int64(newest),
	}
	if q.Session != "" {
		params["session"] = encodeKey(q.Session)
	}
	if q.All {
		params["newest"] = int64(math.MaxInt64)
	}
	name := "search"
	if v.info.Dialect == cypher.Memgraph {
		params["most"] = memgraphLimit(v.info.Version)
		name, params["query"] = tantivyQuery(words)
	} else {
		params["query"] = luceneQuery(words)
	}
	err = v.rows(name, params, func(m row) {
		var c candidate
		c.key, _ = m["action_id"].(string)
		c.time, _ = m["time"].(string)
		c.score, _ = m["score"].(float64)
		out = append(out, c)
	})
	slices.SortFunc(out, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(b.time, a.time), cmp.Compare(a.key, b.key))
	})
	return out, err
}

// hits reads the candidates, best first, until enough of them have the words; 0 is all.
func (v *view) hits(from []candidate, words []fulltext.Word, limit int) (out []graph.SearchHit, err error) {
	for some := range slices.Chunk(from, hitsAtOnce) {
		keys := make([]string, len(some))
		for i, c := range some {
			keys[i] = c.key
		}
		found := make(map[string]row, len(some))
		err := v.rows("hits", row{"keys": keys}, func(m row) {
			key, _ := m["action_id"].(string)
			found[key] = m
		})
		if err != nil {
			return nil, err
		}
		for _, c := range some {
			h, ok := hit(found[c.key], words)
			if !ok {
				continue
			}
			h.Rank = c.score
			if out = append(out, h); len(out) == limit {
				return out, nil
			}
		}
	}
	return out, nil
}

// hit looks at one action: whether it has the words, and where.
func hit(m row, words []fulltext.Word) (h graph.SearchHit, ok bool) {
	if m == nil {
		return h, false // deleted since
	}
	h.Action = actionRow(m)
	d := fulltext.NewDocument(h.Action.ActionType, func(name string) any { return decoded(m, name) })
	if !fulltext.Matches(d, words) {
		return h, false
	}
	h.Snippet, h.Marks = fulltext.Snippet(d, words)
	h.Action.Text = ""
	return h, true
}
