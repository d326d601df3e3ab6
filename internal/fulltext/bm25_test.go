package fulltext

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/actiongraph/actiongraph/graph"
)

// TestCount: phrases are counted wherever they begin, and the input of a call counts for
// nothing.
func TestCount(t *testing.T) {
	d := Document{ToolName: "web_search", Content: "a a a Web-Search\nwebsearch", Input: "web search a"}
	tf, terms := d.Count(ParseWords("web_search a_a web* a x"))
	if want := []int{2, 2, 3, 3, 0}; !slices.Equal(tf, want) || terms != 8 {
		t.Errorf("%v of %d terms, want %v of 8", tf, terms, want)
	}
}

// TestScoreByHand is a sum that a person can do: two documents of two terms, one with the
// word.
func TestScoreByHand(t *testing.T) {
	c := Corpus{Docs: 4, Terms: 8}
	// idf = ln((4-1+0.5)/(1+0.5)); at average length tf 1 weighs 2.2/(1+1.2).
	if got, want := c.Score([]float64{c.IDF(1)}, []int{1}, 2), math.Log(3.5/1.5); math.Abs(got-want) > 1e-9 {
		t.Errorf("score %v, want %v", got, want)
	}
	if got := c.IDF(3); got != 1e-6 {
		t.Errorf("a word of most documents weighs %v", got)
	}
	if got := (Corpus{}).Score([]float64{(Corpus{}).IDF(0)}, []int{1}, 1); math.IsNaN(got) || got <= 0 {
		t.Errorf("of nothing known the score is %v", got)
	}
}

// TestBest: whatever is known of which documents have which words, the best are those that
// ranking all of them gives, and documents about one hit count once.
func TestBest(t *testing.T) {
	vocabulary := []string{"alpha", "beta", "gamma", "the"}
	words := ParseWords("alpha beta gamma")
	rapid.Check(t, func(t *rapid.T) {
		var docs []Ranked
		c := Corpus{}
		with := make([]int64, len(words))
		n := rapid.IntRange(0, 2*atOnce+60).Draw(t, "documents")
		seed := rapid.Uint32().Draw(t, "seed")
		next := func(n int) int { seed = seed*1664525 + 1013904223; return int(seed>>8) % n }
		var from []Candidate
		none := rapid.Int64Range(0, 3).Draw(t, "no hits")
		for i := range n {
			var text []string
			for range 1 + next(12) {
				text = append(text, vocabulary[min(next(5)+next(3), 3)])
			}
			d := Ranked{ID: int64(i), Hit: int64(i - i%(1+next(2))), Document: Document{ToolName: "tool", Content: strings.Join(text, " ")}}
			d.Time, d.Key = d.Hit%7, fmt.Sprint(d.Hit)
			tf, terms := d.Count(words)
			c.Docs++
			c.Terms += int64(terms)
			cand := Candidate{ID: d.ID}
			for w, n := range tf {
				if n > 0 {
					with[w]++
					cand.May |= 1 << w
				} else if next(4) == 0 {
					cand.May |= 1 << w // that it has not is not known
				}
			}
			docs, from = append(docs, d), append(from, cand)
		}
		var idf []float64
		for _, n := range with {
			idf = append(idf, c.IDF(n))
		}
		read := func(some []Candidate) (out []Ranked, _ error) {
			for _, s := range some {
				out = append(out, Ranked{ID: s.ID, Document: docs[s.ID].Document})
			}
			return out, nil
		}
		// Some documents are no hits, which is known only once they were read.
		hit := func(d Ranked) bool { return none == 0 || d.ID%none != 0 }
		hits := func(some []Ranked) (out []Ranked, _ error) {
			for _, d := range some {
				if hit(d) {
					d.Hit, d.Time, d.Key = docs[d.ID].Hit, docs[d.ID].Time, docs[d.ID].Key
					out = append(out, d)
				}
			}
			return out, nil
		}
		all := map[int64]Ranked{}
		for _, d := range docs {
			tf, terms := d.Count(words)
			if d.Score = c.Score(idf, tf, terms); slices.Max(tf) == 0 || !hit(d) {
				continue
			}
			if old, ok := all[d.Hit]; !ok || better(d, old) < 0 {
				all[d.Hit] = d
			}
		}
		k := rapid.IntRange(0, 20).Draw(t, "k")
		want := keepBest(all, k)
		got, err := c.Best(from, words, idf, k, read, hits)
		if err != nil || !slices.Equal(got, want) {
			t.Fatalf("k %d: %d best, want %d (%v)\n%v\n%v", k, len(got), len(want), err, got, want)
		}
	})
}

// TestRecalledOnce: a call is found by its result, or by itself where it ended without one;
// one that is going on is not found, nor what is no call.
func TestRecalledOnce(t *testing.T) {
	props := map[string]any{"tool_name": "Bash", "error_message": "no", "text": "it said"}
	for _, c := range []struct {
		typ    graph.ActionType
		status string
		want   bool
	}{
		{graph.ToolCall, "completed", false}, {graph.ToolCall, "failed", false}, {graph.ToolCall, "unknown", true}, {graph.ToolCall, "", false}, {graph.ToolCall, "in_progress", false},
		{graph.ToolCall, "denied", true}, {graph.ToolResult, "completed", true}, {graph.PermissionRequest, "denied", false}, {graph.ErrorEvent, "", false},
	} {
		props["status"] = c.status
		d := NewDocument(c.typ, func(name string) any { return props[name] })
		if d.Recalled() != c.want || d.Called == "" != c.want {
			t.Errorf("%s, %s: %+v", c.typ, c.status, d)
		}
		if !Matches(d, ParseWords("bash no")) {
			t.Errorf("%s, %s: search does not find %+v", c.typ, c.status, d)
		}
	}
}
