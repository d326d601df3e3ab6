package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/internal/fulltext"
)

const (
	// nearby is how many documents of a frequent word a recall ranks, the newest, and how
	// many calls filters may select for it to look at those instead.
	nearby = 2000
	// counted is up to how many documents with a word are counted, and ranked if there are no
	// more; of a word that more have, how many is taken from how close together these are.
	counted = 5000
)

// ofCall joins a document's row a to that of its call c: a result's parent, or itself.
const ofCall = " CROSS JOIN action c ON c.id = iif(a.type = 1, a.parent, a.id) AND c.type = 0"

// recall finds tool calls that have any of the words; see graph.SearchQuery. Documents are
// found by the index, and ranked by BM25 over their texts (fulltext.Corpus), which needs no
// more than how many documents have a word: FTS5's own bm25() walks all of them for each
// word, 150 ms for a phrase such as web_search in half a million.
func (s *Store) recall(ctx context.Context, tx *sql.Tx, q graph.SearchQuery, words []fulltext.Word) (out []graph.SearchHit, err error) {
	if q.Type != "" && q.Type != graph.ToolCall {
		return nil, nil
	}
	r := recaller{Store: s, ctx: ctx, tx: tx, SearchQuery: q, words: words, stmts: map[string]*sql.Stmt{}}
	if r.from, err = s.calls(ctx, tx, q); err != nil || r.from == nil {
		return nil, err
	}
	if strings.TrimSpace(q.Words) == "" {
		return r.newest()
	}
	if len(r.words) == 0 {
		return nil, nil // of words without any letter or digit
	}
	corpus, err := s.corpus(ctx, tx)
	if err != nil {
		return nil, err
	}
	from, idf, err := r.candidates(corpus)
	if err != nil {
		return nil, err
	}
	best, err := corpus.Best(from, r.words, idf, q.Limit, r.read, r.hits)
	if err != nil {
		return nil, err
	}
	return r.show(best)
}

type recaller struct {
	*Store
	ctx context.Context
	tx  *sql.Tx
	graph.SearchQuery
	words []fulltext.Word
	from  *calls
	stmts map[string]*sql.Stmt // of each
}

// candidates gives the documents that may be the best, and what each word weighs.
func (r *recaller) candidates(corpus fulltext.Corpus) (out []fulltext.Candidate, idf []float64, err error) {
	few, err := r.few()
	if err != nil {
		return nil, nil, err
	}
	var last int64
	if err := r.tx.QueryRowContext(r.ctx, "SELECT coalesce(max(rowid), 0) FROM fts_docsize").Scan(&last); err != nil {
		return nil, nil, err
	}
	may := map[int64]uint64{}
	for _, id := range few {
		may[id] = 0
	}
	type partly struct{ bit, since uint64 }
	var some []partly // words of which only the documents since a row are known
	for i, w := range r.words {
		have, n, err := r.having(w, last)
		if err != nil {
			return nil, nil, err
		}
		idf = append(idf, corpus.IDF(n))
		bit := uint64(1) << i // of 64 at most
		whole := n == int64(len(have))
		switch {
		case few != nil || r.All:
		case whole && r.from.all():
		case r.from.all():
			have = have[:min(len(have), nearby)]
		default:
			if have, whole, err = r.filtered(w, have, whole); err != nil {
				return nil, nil, err
			}
		}
		for _, id := range have {
			if _, ok := may[id]; ok || few == nil {
				may[id] |= bit
			}
		}
		if !whole && len(have) > 0 {
			some = append(some, partly{bit, uint64(have[len(have)-1])})
		}
	}
	for id, bits := range may {
		for _, p := range some {
			if uint64(id) < p.since {
				bits |= p.bit
			}
		}
		out = append(out, fulltext.Candidate{ID: id, May: bits})
	}
	return out, idf, nil
}

// having gives the newest documents that have a word, and how many have it.
func (r *recaller) having(w fulltext.Word, last int64) (ids []int64, n int64, err error) {
	limit := counted
	if r.All {
		limit = -1
	}
	ids, err = r.ids("SELECT rowid FROM fts WHERE fts MATCH ? ORDER BY rowid DESC LIMIT ?", recallMatch(w), limit)
	if err != nil || len(ids) < counted || r.All {
		return ids, int64(len(ids)), err
	}
	lowest := ids[len(ids)-1]
	n = int64(float64(len(ids)) * float64(last) / float64(last-lowest+1))
	return ids, max(n, int64(len(ids))+1), nil
}

func recallMatch(w fulltext.Word) string { return "{tool_name content} : " + match(w) }

// filtered gives those of a word's newest documents whose calls pass the filters; have are
// all that have it, or the newest.
func (r *recaller) filtered(w fulltext.Word, have []int64, whole bool) ([]int64, bool, error) {
	if whole {
		have, err := r.ids("SELECT a.id FROM json_each(?) j CROSS JOIN action a ON a.id = j.value"+ofCall+
			" WHERE "+r.from.String(), append([]any{numbers(have, same)}, r.from.args...)...)
		return have, true, err
	}
	args := append([]any{recallMatch(w)}, r.from.args...)
	have, err := r.ids("SELECT a.id FROM fts f CROSS JOIN action a ON a.id = f.rowid"+ofCall+
		" WHERE fts MATCH ? AND "+r.from.String()+" ORDER BY f.rowid DESC LIMIT ?", append(args, nearby)...)
	return have, len(have) < nearby, err
}

// few gives the documents of the calls that filters select, where those are few; else nil.
func (r *recaller) few() ([]int64, error) {
	if r.from.all() {
		return nil, nil
	}
	sources, err := r.sources()
	if err != nil {
		return nil, err
	}
	var calls []int64
	for _, from := range sources {
		some, err := r.ids("SELECT c.id FROM "+from.source+" WHERE "+from.String()+" LIMIT ?", append(slices.Clone(from.args), nearby+1)...)
		if calls = append(calls, some...); err != nil || len(calls) > nearby {
			return nil, err
		}
	}
	docs, err := r.ids("SELECT a.id FROM json_each(?) j CROSS JOIN action a ON a.parent = j.value WHERE a.type = 1", numbers(calls, same))
	return append(append([]int64{}, calls...), docs...), err
}

// ids asks for row ids, the newest first. They come as one text: with a row each, of 5,000 of
// them database/sql and the driver cost more than FTS5.
func (r *recaller) ids(query string, args ...any) (ids []int64, err error) {
	var list sql.NullString
	err = r.tx.QueryRowContext(r.ctx, "WITH q (id) AS ("+query+") SELECT group_concat(id) FROM q", args...).Scan(&list)
	if err != nil || !list.Valid {
		return nil, err
	}
	ids = make([]int64, 0, 1+strings.Count(list.String, ","))
	for text := range strings.SplitSeq(list.String, ",") {
		id, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b int64) int { return cmp.Compare(b, a) }) // group_concat promises no order
	return ids, nil
}

// read reads documents.
func (r *recaller) read(some []fulltext.Candidate) ([]fulltext.Ranked, error) {
	out := make([]fulltext.Ranked, 0, len(some))
	var typ, status, tool, text, message any
	get := func(name string) any {
		switch name {
		case "status":
			return status
		case "tool_name":
			return tool
		case "text":
			return text
		case "error_message":
			return message
		}
		return nil
	}
	err := r.each("SELECT a.id, a.type, a.status, a.tool_name, b.text, b.error_message FROM json_each(?) j "+
		"CROSS JOIN action a ON a.id = j.value LEFT JOIN body b ON b.id = a.id", []any{numbers(some, func(c fulltext.Candidate) int64 { return c.ID })},
		func(rows *sql.Rows) error {
			var d fulltext.Ranked
			if err := rows.Scan(&d.ID, &typ, &status, &tool, &text, &message); err != nil {
				return err
			}
			d.Document = fulltext.NewDocument(r.types.actionType(typ), get)
			out = append(out, d)
			return nil
		})
	return out, err
}

// hits finds the calls that documents are of; those of no call that passes the filters are
// no hits.
func (r *recaller) hits(some []fulltext.Ranked) ([]fulltext.Ranked, error) {
	of := make(map[int64]fulltext.Ranked, len(some))
	for _, d := range some {
		of[d.ID] = d
	}
	some = some[:0]
	args := append([]any{numbers(slices.Sorted(maps.Keys(of)), same)}, r.from.args...)
	err := r.each("SELECT a.id, c.id, c.timestamp, c.key FROM json_each(?) j CROSS JOIN action a ON a.id = j.value"+ofCall+
		" WHERE "+r.from.String(), args, func(rows *sql.Rows) error {
		var id, hit int64
		var time, key any
		if err := rows.Scan(&id, &hit, &time, &key); err != nil {
			return err
		}
		d := of[id]
		d.Hit, d.Time, d.Key = hit, timeOf(time), goKey(key)
		some = append(some, d)
		return nil
	})
	return some, err
}

// numbers is a list for json_each.
func numbers[T any](list []T, number func(T) int64) string {
	b := []byte{'['}
	for i, v := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, number(v), 10)
	}
	return string(append(b, ']'))
}

func same(id int64) int64 { return id }

// each calls f with each row. A statement that is asked again was prepared.
func (r *recaller) each(query string, args []any, f func(*sql.Rows) error) (err error) {
	st := r.stmts[query]
	if st == nil {
		if st, err = r.tx.PrepareContext(r.ctx, query); err != nil {
			return err
		}
		r.stmts[query] = st // the transaction closes it
	}
	rows, err := st.QueryContext(r.ctx, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := f(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// newest is a recall without words.
func (r *recaller) newest() ([]graph.SearchHit, error) {
	limit := -1
	if r.Limit > 0 {
		limit = r.Limit
	}
	var best []fulltext.Ranked
	sources, err := r.sources()
	if err != nil {
		return nil, err
	}
	for _, from := range sources {
		if best, err = r.newestOf(from, limit, best); err != nil {
			return nil, err
		}
	}
	return r.show(fulltext.Newest(best, r.Limit))
}

func (r *recaller) newestOf(from calls, limit int, best []fulltext.Ranked) ([]fulltext.Ranked, error) {
	rows, err := r.tx.QueryContext(r.ctx, "SELECT c.id, c.timestamp, c.key FROM "+from.source+" WHERE "+from.String()+
		" ORDER BY c.timestamp DESC, "+keyText("c.key")+" LIMIT ?", append(slices.Clone(from.args), limit)...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var d fulltext.Ranked
		var time, key any
		if err := rows.Scan(&d.Hit, &time, &key); err != nil {
			return nil, err
		}
		d.Time, d.Key = timeOf(time), goKey(key)
		best = append(best, d)
	}
	return best, rows.Err()
}

// keyText is a key as text: one that is text would sort after all that are BLOBs.
func keyText(col string) string {
	return "iif(typeof(" + col + ") = 'blob', lower(hex(" + col + ")), " + col + ")"
}

// timeOf is a timestamp; what has none comes before all others.
func timeOf(v any) int64 {
	if ns, ok := v.(int64); ok {
		return ns
	}
	return math.MinInt64
}

// show reads the calls and their results whole, and marks the words.
func (r *recaller) show(best []fulltext.Ranked) ([]graph.SearchHit, error) {
	ids, results := make([]int64, len(best)), make([]int64, len(best))
	var all []int64
	for i, h := range best {
		ids[i] = h.Hit
		err := r.tx.QueryRowContext(r.ctx, "SELECT coalesce((SELECT id FROM action WHERE parent = ? AND type = 1 ORDER BY timestamp, "+
			keyText("key")+" LIMIT 1), 0)", h.Hit).Scan(&results[i])
		if err != nil {
			return nil, err
		}
		if results[i] != 0 {
			all = append(all, results[i])
		}
	}
	calls, err := r.actionRows(r.ctx, r.tx, ids, true)
	if err != nil {
		return nil, err
	}
	rows, err := r.actionRows(r.ctx, r.tx, all, true)
	if err != nil {
		return nil, err
	}
	out := make([]graph.SearchHit, len(best))
	for i, h := range best {
		out[i] = graph.SearchHit{Action: calls[i], Rank: h.Score}
		if results[i] != 0 {
			out[i].Result, rows = &rows[0], rows[1:]
		}
		fulltext.ShowRecalled(&out[i], r.words)
	}
	return out, nil
}
