package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"strings"

	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/internal/fulltext"
)

// newest bounds what a search ranks, and so what it costs.
const newest = 2000

// Search finds the actions that have all words, best first (BM25 over tool_name,
// content, input and text), among the newest 2,000 that pass the filters, or with
// All among all. A word of several tokens, such as a-b or /usr/lib, is a phrase. A *
// at the end of a word with two or more letters or digits stands for any ending;
// nothing else in a word is an operator. Since is inclusive, Until is not; Failed selects
// status failed and is_error. A Recall is answered as recall says, by the same index.
func (s *Store) Search(ctx context.Context, q graph.SearchQuery) (out []graph.SearchHit, err error) {
	words, err := fulltext.Question(q.Words)
	if err != nil {
		return nil, err
	}
	if q.Recall {
		err = s.snapshot(ctx, func(tx *sql.Tx) error {
			out, err = s.recall(ctx, tx, q, words)
			return err
		})
		if err != nil {
			return nil, s.fail("recall", err)
		}
		return out, nil
	}
	if len(words) == 0 {
		return nil, nil
	}
	err = s.snapshot(ctx, func(tx *sql.Tx) error {
		hits, err := s.rankedHits(ctx, tx, q, words)
		if err != nil {
			return err
		}
		out, err = s.showHits(ctx, tx, hits, words)
		return err
	})
	if err != nil {
		return nil, s.fail("search", err)
	}
	return out, nil
}

// match is the word in FTS5's query language, where a * counts only outside of the
// quotes.
func match(w fulltext.Word) string {
	if w.Prefix {
		return quote(w.Raw) + " *"
	}
	return quote(w.Raw)
}

// quote makes a phrase of raw, whatever characters it has.
func quote(raw string) string { return `"` + strings.ReplaceAll(raw, `"`, `""`) + `"` }

type rankedHit struct {
	id   int64
	bm25 float64 // less is better
}

func (s *Store) rankedHits(ctx context.Context, tx *sql.Tx, q graph.SearchQuery, words []fulltext.Word) ([]rankedHit, error) {
	expr := ""
	if q.Tool != "" && len(fulltext.ParseWords(q.Tool)) > 0 {
		expr = "{tool_name called} : " + quote(q.Tool) // so that a rare tool's hits need no walk over all others
	}
	for _, w := range words {
		expr += " " + match(w)
	}
	w, filters := &where{}, &where{} // of the index, of the rows
	w.and("fts MATCH ?", expr)
	if q.Session != "" {
		var lo, hi sql.NullInt64
		var n int64
		err := tx.QueryRowContext(ctx, "SELECT min(id), max(id), count(*) FROM action WHERE sid = (SELECT id FROM session WHERE key = ?)", q.Session).Scan(&lo, &hi, &n)
		if err != nil || !lo.Valid {
			return nil, err
		}
		w.and("f.rowid BETWEEN ? AND ?", lo.Int64, hi.Int64)
		if n*4 < hi.Int64-lo.Int64 {
			// Most hits are other sessions': a list tells faster than their rows. + keeps
			// SQLite from asking the index once for each action of the session.
			w.and("+f.rowid IN (SELECT id FROM action WHERE sid = (SELECT id FROM session WHERE key = ?))", q.Session)
		} else {
			filters.and("a.sid = (SELECT id FROM session WHERE key = ?)", q.Session)
		}
	}
	if q.Tool != "" {
		filters.and("a.tool_name = ?", q.Tool)
	}
	if q.Type != "" {
		filters.and("a.type = ?", s.types.number(q.Type))
	}
	if q.Failed {
		filters.and("(a.status = 'failed' OR a.is_error = 1)")
	}
	if !q.Since.IsZero() {
		filters.and("a.timestamp >= ?", int64(graph.TimeOf(q.Since)))
	}
	if !q.Until.IsZero() {
		filters.and("a.timestamp < ?", int64(graph.TimeOf(q.Until)))
	}
	from := "fts f"
	if len(filters.conds) > 0 {
		w.and(filters.String(), filters.args...)
		from += " CROSS JOIN action a ON a.id = f.rowid" // CROSS keeps the order: hits first
	}
	query := "SELECT f.rowid, bm25(fts) FROM " + from + " WHERE " + w.String()
	if !q.All {
		query += " ORDER BY f.rowid DESC LIMIT ?"
		w.args = append(w.args, newest)
	}
	hits, err := scanHits(ctx, tx, query, w.args)
	slices.SortFunc(hits, func(a, b rankedHit) int { return cmp.Or(cmp.Compare(a.bm25, b.bm25), cmp.Compare(b.id, a.id)) })
	if q.Limit > 0 && len(hits) > q.Limit {
		hits = hits[:q.Limit]
	}
	return hits, err
}

func scanHits(ctx context.Context, tx *sql.Tx, query string, args []any) (hits []rankedHit, err error) {
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var h rankedHit
		if err := rows.Scan(&h.id, &h.bm25); err != nil {
			return nil, err
		}
		hits = append(hits, h)
	}
	return hits, rows.Err()
}

// showHits reads the actions and marks the words in them.
func (s *Store) showHits(ctx context.Context, tx *sql.Tx, hits []rankedHit, words []fulltext.Word) ([]graph.SearchHit, error) {
	ids := make([]int64, len(hits))
	for i, h := range hits {
		ids[i] = h.id
	}
	rows, err := s.actionRows(ctx, tx, ids, true)
	if err != nil {
		return nil, err
	}
	out := make([]graph.SearchHit, len(rows))
	for i, r := range rows {
		d := fulltext.NewDocument(r.ActionType, func(name string) any {
			switch name {
			case "tool_name":
				return r.ToolName
			case "text":
				return r.Text
			case "status":
				return r.Status
			}
			return r.Properties[name]
		})
		out[i].Rank = -hits[i].bm25
		out[i].Snippet, out[i].Marks = fulltext.Snippet(d, words)
		r.Text, r.Properties, r.Metadata = "", nil, nil
		out[i].Action = r
	}
	return out, nil
}
