package fulltext

import (
	"cmp"
	"math"
	"slices"

	"github.com/actiongraph/actiongraph/graph"
)

// The constants of BM25, as FTS5 and Lucene have them.
const (
	k1 = 1.2
	b  = 0.75
)

// Corpus is what BM25 knows of all documents of a recall: those with a term in their tool
// name or content (Document.Recalled).
type Corpus struct {
	Docs  int64
	Terms int64 // in the tool names and contents of all of them
}

// IDF weighs a word that n documents have: FTS5's, which is that of Robertson and Spärck
// Jones, with a floor for a word that more than half of them have
// (sqlite.org/fts5.html, "The bm25() function").
func (c Corpus) IDF(n int64) float64 {
	n = min(n, c.Docs)
	if idf := math.Log((float64(c.Docs-n) + 0.5) / (float64(n) + 0.5)); idf > 0 {
		return idf
	}
	return 1e-6
}

// Score adds up what the words of a document are worth: tf[i] is how often the i-th is in
// it, idf[i] its weight, terms the length of the document. It is rounded to nine digits, so that
// stores that add up in another order agree about what is equal, also of words that weigh
// next to nothing.
func (c Corpus) Score(idf []float64, tf []int, terms int) float64 {
	long := k1 * (1 - b)
	if c.Terms > 0 {
		long += k1 * b * float64(terms) * float64(c.Docs) / float64(c.Terms)
	}
	sum := 0.0
	for i, n := range tf {
		if n > 0 {
			sum += idf[i] * float64(n) * (k1 + 1) / (float64(n) + long)
		}
	}
	return round(sum)
}

// round keeps nine significant digits.
func round(x float64) float64 {
	if x <= 0 {
		return 0
	}
	unit := math.Pow(10, 8-math.Floor(math.Log10(x)))
	return math.Round(x*unit) / unit
}

// Candidate is a document that may be among the best.
type Candidate struct {
	ID  int64
	May uint64 // bits of the words that it has or may have
}

// Ranked is a document that was looked at.
type Ranked struct {
	ID    int64 // of the document
	Hit   int64 // of what is shown, which several documents may be about
	Time  int64 // of the hit
	Key   string
	Score float64
	Document
}

// Best returns the k best of candidates, 0 is all, best first, then newest, then by key.
// read gives the documents of some, with their IDs alone; it is not asked about those that
// cannot be among the best any more, whatever they say: what has more of the rare words is
// looked at first (Turtle and Flood's MaxScore, by whole documents). hits fills in what those
// of them are about that may be among the best, and leaves out what is no hit.
func (c Corpus) Best(from []Candidate, words []Word, idf []float64, k int,
	read func([]Candidate) ([]Ranked, error), hits func([]Ranked) ([]Ranked, error)) ([]Ranked, error) {
	mosts := c.sortByMost(from, idf)
	best := map[int64]Ranked{} // by hit
	floor := -1.0              // the score of the k-th, so far
	for some := range slices.Chunk(from, atOnce) {
		if mosts[some[0].May] < floor {
			break
		}
		docs, err := read(some)
		if err != nil {
			return nil, err
		}
		may := docs[:0]
		for _, d := range docs {
			tf, terms := d.Count(words)
			if slices.Max(tf) == 0 {
				continue
			}
			if d.Score = c.Score(idf, tf, terms); d.Score >= floor {
				may = append(may, d)
			}
		}
		if len(may) == 0 {
			continue
		}
		if docs, err = hits(may); err != nil {
			return nil, err
		}
		for _, d := range docs {
			if old, ok := best[d.Hit]; !ok || better(d, old) < 0 {
				best[d.Hit] = d
			}
		}
		if k > 0 && len(best) >= k {
			floor = keepBest(best, k)[k-1].Score
		}
	}
	return keepBest(best, k), nil
}

// sortByMost puts first what may have the greatest score, then what is newest. It gives the
// greatest score by the words that a candidate may have.
func (c Corpus) sortByMost(from []Candidate, idf []float64) map[uint64]float64 {
	mosts := map[uint64]float64{} // few: most documents have the same words
	for _, cand := range from {
		if _, ok := mosts[cand.May]; ok {
			continue
		}
		sum := 0.0
		for i, w := range idf {
			if cand.May&(1<<i) != 0 {
				sum += w * (k1 + 1)
			}
		}
		mosts[cand.May] = round(sum) // as scores are: none of the rounded ones is above it
	}
	slices.SortFunc(from, func(a, b Candidate) int {
		return cmp.Or(cmp.Compare(mosts[b.May], mosts[a.May]), cmp.Compare(b.ID, a.ID))
	})
	return mosts
}

// atOnce is how many documents Best asks for: it looks whether that is enough after each.
const atOnce = 256

// better sorts the better document first.
func better(a, b Ranked) int {
	return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(b.Time, a.Time), cmp.Compare(a.Key, b.Key), cmp.Compare(a.ID, b.ID))
}

// keepBest removes all but the k best, which it returns in order.
func keepBest(best map[int64]Ranked, k int) []Ranked {
	all := make([]Ranked, 0, len(best))
	for _, r := range best {
		all = append(all, r)
	}
	slices.SortFunc(all, better)
	if k > 0 && len(all) > k {
		for _, r := range all[k:] {
			delete(best, r.Hit)
		}
		all = all[:k]
	}
	return all
}

// Recalled reports whether a recall looks for the document: its tool's name and what the
// tool gave have a term.
func (d Document) Recalled() bool {
	for _, f := range d.recalled() {
		for range tokens(f) {
			return true
		}
	}
	return false
}

func (d Document) recalled() [2]string { return [2]string{d.ToolName, d.Content} }

// Count returns how often each word is in the tool's name and in what the tool gave, and
// how many terms those have.
func (d Document) Count(words []Word) (tf []int, terms int) {
	tf = make([]int, len(words))
	var buf [256]token
	for _, f := range d.recalled() {
		toks := buf[:0]
		for t := range tokens(f) {
			toks = append(toks, t)
		}
		terms += len(toks)
		for i := range toks {
			for w := range words {
				if words[w].begins(toks[i:]) {
					tf[w]++
				}
			}
		}
	}
	return tf, terms
}

// Newest returns the k newest of hits, 0 is all, then by key.
func Newest(hits []Ranked, k int) []Ranked {
	slices.SortFunc(hits, better)
	if k > 0 && len(hits) > k {
		hits = hits[:k]
	}
	return hits
}

// ShowRecalled cuts the snippet of a recalled call: of what it gave, whatever words are in
// its tool's name; of one that gave nothing, of what it was asked for.
func ShowRecalled(h *graph.SearchHit, words []Word) {
	doc := func(r *graph.ActionRow) Document {
		return NewDocument(r.ActionType, func(name string) any {
			switch name {
			case "tool_name":
				return r.ToolName
			case "status":
				return r.Status
			case "text":
				return r.Text
			}
			return r.Properties[name]
		})
	}
	d := doc(&h.Action)
	if h.Result != nil {
		call := d
		if d = doc(h.Result); d.Content == "" {
			d.Input = call.Input
		}
	}
	if d.Content != "" {
		d = Document{Content: d.Content}
	}
	h.Snippet, h.Marks = Snippet(d, words)
}
