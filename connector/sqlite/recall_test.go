package sqlite

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/internal/fulltext"
	"github.com/actiongraph/actiongraph/schema"
)

// callOps are a call, completed or failed, and what it gave.
func callOps(n int, tool, status, text string) []graph.Op {
	call := graph.Ref{Label: graph.LabelAction, Key: graph.ToolCallID("s", fmt.Sprint(n))}
	result := graph.Ref{Label: graph.LabelAction, Key: graph.ToolResultID("s", fmt.Sprint(n))}
	at := graph.Prop{Name: "timestamp", Value: graph.Time(int64(n) * 1e9)}
	name := graph.Prop{Name: "tool_name", Value: tool}
	return []graph.Op{
		{Kind: graph.PutNode, Node: graph.Node{Ref: call, Type: graph.ToolCall, Props: []graph.Prop{name, at, {Name: "status", Value: status},
			{Name: "properties", Value: `{"tool_input":{"q":"what was asked for weighs nothing: weather"}}`}}}},
		{Kind: graph.PutNode, Node: graph.Node{Ref: result, Type: graph.ToolResult, Props: []graph.Prop{name, at, {Name: "text", Value: text}}}},
		{Kind: graph.PutEdge, Edge: graph.Edge{EdgeKey: graph.EdgeKey{Type: graph.ParentOf, From: call, To: result}}},
	}
}

// TestRankIsSQLites holds ranks and order against SQLite's own bm25() over a table of
// nothing but the tools' names and what they gave, the corpus of the second seed.
func TestRankIsSQLites(t *testing.T) {
	s, err := Open(filepath.Join(t.TempDir(), "graph.db"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	r := rand.New(rand.NewPCG(3, 4))
	words := strings.Fields("weather tokyo cloudy humidity error timeout connection 5000ms rows the a of 72F")
	if err := s.conn.exec("CREATE VIRTUAL TABLE reference USING fts5 (tool_name, content)"); err != nil {
		t.Fatal(err)
	}
	pos := schema.Position{}
	apply := func(ops []graph.Op) {
		t.Helper()
		to := schema.Position{Offset: pos.Offset + 1}
		if err := s.Apply(t.Context(), []graph.Batch{{Journal: "j", Session: "s", From: pos, To: to, Ops: ops}}); err != nil {
			t.Fatal(err)
		}
		pos = to
	}
	text := func() string {
		var b strings.Builder
		for range 1 + r.IntN(30) {
			x := r.Float64()
			b.WriteString(words[int(float64(len(words))*x*x)] + " ")
		}
		return b.String()
	}
	for n := range 500 {
		tool := []string{"web_search", "database_query", "weather_api"}[r.IntN(3)]
		apply(callOps(n, tool, "completed", text()))
		gave := text()
		apply(callOps(n, tool, "completed", gave)) // what it gave before is in no count any more
		if err := s.conn.exec("INSERT INTO reference (rowid, tool_name, content) VALUES (?, ?, ?)", int64(n), tool, gave); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ words, fts string }{
		{"web_search weather", `"web_search" OR weather`}, {"error timeout", "error OR timeout"}, {"tokyo", "tokyo"}, {"weather", "weather"}, {"5000ms a the weather", `"5000ms" OR a OR the OR weather`},
	} {
		type hit struct {
			n    int64
			rank float64
		}
		var want []hit
		err := s.conn.query(func(v []any) error {
			want = append(want, hit{v[0].(int64), -v[1].(float64)})
			return nil
		}, "SELECT rowid, bm25(reference) FROM reference WHERE reference MATCH ?", c.fts)
		if err != nil {
			t.Fatal(err)
		}
		// Equal ranks come newest first. Those of a word that most have are about 1e-6.
		digits := func(x float64) float64 {
			x, _ = strconv.ParseFloat(strconv.FormatFloat(x, 'e', 8, 64), 64)
			return x
		}
		slices.SortFunc(want, func(a, b hit) int {
			return cmp.Or(cmp.Compare(digits(b.rank), digits(a.rank)), cmp.Compare(b.n, a.n))
		})
		got, err := s.Search(t.Context(), graph.SearchQuery{Words: c.words, Recall: true})
		if err != nil || len(got) != len(want) {
			t.Fatalf("%q: %d hits, SQLite has %d: %v", c.words, len(got), len(want), err)
		}
		for i, w := range want {
			if id := graph.ToolCallID("s", fmt.Sprint(w.n)); got[i].Action.ActionID != id || math.Abs(got[i].Rank-w.rank) > 1e-8*w.rank {
				t.Fatalf("%q: hit %d is %v of rank %v, SQLite's is %v of %v", c.words, i, got[i].Action.Timestamp, got[i].Rank, w.n, w.rank)
			}
		}
		// The best ten are those of all.
		if ten, err := s.Search(t.Context(), graph.SearchQuery{Words: c.words, Recall: true, Limit: 10}); err != nil ||
			!slices.EqualFunc(ten, got[:10], func(a, b graph.SearchHit) bool { return a.Action.ActionID == b.Action.ActionID }) {
			t.Errorf("%q: the best ten are not the first ten: %v", c.words, err)
		}
	}
}

// TestRecallFrequent: a word that very many have is ranked among the newest, with All among
// all; a rare word beside it is found however old it is.
func TestRecallFrequent(t *testing.T) {
	s, err := Open(filepath.Join(t.TempDir(), "graph.db"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var ops []graph.Op
	for n := range counted + 500 {
		gave := "frequent and some other words besides"
		switch n {
		case 3:
			gave = "frequent" // the best
		case 5:
			gave = "frequent needle"
		}
		ops = append(ops, callOps(n, "tool", "completed", gave)...)
	}
	if err := s.Apply(t.Context(), []graph.Batch{{Journal: "j", Session: "s", To: schema.Position{Offset: 1}, Ops: ops}}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		words string
		all   bool
		best  int
	}{{"frequent", false, counted + 499}, {"frequent", true, 3}, {"frequent needle", false, 5}, {"needle frequent", true, 5}} {
		hits, err := s.Search(t.Context(), graph.SearchQuery{Words: c.words, Recall: true, All: c.all, Limit: 3})
		if err != nil || len(hits) != 3 || hits[0].Action.ActionID != graph.ToolCallID("s", fmt.Sprint(c.best)) {
			t.Errorf("%+v: %v %v", c, hits, err)
		}
	}
}

// TestWordsAreUnicode61s: what a question's words are is what SQLite makes of them, in the
// scripts of which internal/fulltext says so.
func TestWordsAreUnicode61s(t *testing.T) {
	s, err := Open(filepath.Join(t.TempDir(), "graph.db"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, text := range []string{"CREATE VIRTUAL TABLE word USING fts5 (x, tokenize='unicode61')", "CREATE VIRTUAL TABLE term USING fts5vocab (word, instance)"} {
		if err := s.conn.exec(text); err != nil {
			t.Fatal(err)
		}
	}
	texts := []string{"e\u0301a", "Ünal", "日本語", "ひらかな", "αβγΣω", "абвЭЮЯ", "שלום", "x\u2010y_z", "ﬁ", "½"}
	for r := ' '; r <= 'ž'; r++ {
		if r != 'µ' {
			texts = append(texts, "a"+string(r)+"B")
		}
	}
	for i, text := range texts {
		if err := s.conn.exec("INSERT INTO word (rowid, x) VALUES (?, ?)", int64(i), text); err != nil {
			t.Fatal(err)
		}
		var want, got []string
		err := s.conn.query(func(v []any) error { want = append(want, str(v[0])); return nil }, "SELECT term FROM term WHERE doc = ? ORDER BY offset", int64(i))
		for _, w := range fulltext.ParseWords(text) {
			got = append(got, w.Tokens...)
		}
		if err != nil || !slices.Equal(got, slices.Compact(want)) {
			t.Errorf("%q is %q, SQLite's words are %q: %v", text, got, want, err)
		}
	}
}

// TestSearchCancelled: a question that takes long ends as soon as nobody waits for it.
func TestSearchCancelled(t *testing.T) {
	s, err := Open(filepath.Join(t.TempDir(), "graph.db"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	text := ""
	for i := range 64 {
		text += fmt.Sprintf("word%d ", i)
	}
	var ops []graph.Op
	for n := range 8000 {
		ops = append(ops, callOps(n, "tool", "completed", text)...)
	}
	if err := s.Apply(t.Context(), []graph.Batch{{Journal: "j", Session: "s", To: schema.Position{Offset: 1}, Ops: ops}}); err != nil {
		t.Fatal(err)
	}
	for _, recall := range []bool{false, true} {
		for _, after := range []time.Duration{0, 5 * time.Millisecond, 50 * time.Millisecond} {
			ctx, cancel := context.WithTimeout(t.Context(), after)
			began := time.Now()
			_, err := s.Search(ctx, graph.SearchQuery{Words: text, Recall: recall, All: true})
			if late := time.Since(began) - after; !errors.Is(err, context.DeadlineExceeded) || late > 2*time.Second {
				t.Errorf("recall %v, cancelled after %v: ended %v later: %v", recall, after, late, err)
			}
			cancel()
		}
	}
}

// TestRecallUsesIndexes: what selects calls is found by an index.
func TestRecallUsesIndexes(t *testing.T) {
	s, err := Open(filepath.Join(t.TempDir(), "graph.db"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, q := range []graph.SearchQuery{{Tool: "a"}, {Failed: true}, {Failed: true, Tool: "a"}, {Session: "s"}, {}} {
		q.Recall = true
		tx, err := s.read.Begin()
		if err != nil {
			t.Fatal(err)
		}
		c, err := s.calls(t.Context(), tx, q)
		if err != nil {
			t.Fatal(err)
		}
		sources, err := (&recaller{Store: s, ctx: t.Context(), tx: tx, from: c}).sources()
		if err != nil {
			t.Fatal(err)
		}
		for _, from := range sources {
			rows, err := tx.Query("EXPLAIN QUERY PLAN SELECT c.id FROM "+from.source+" WHERE "+from.String()+" ORDER BY c.timestamp DESC LIMIT 3", from.args...)
			if err != nil {
				t.Fatal(err)
			}
			for rows.Next() {
				var id, parent, unused int
				var detail string
				if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
					t.Fatal(err)
				}
				if strings.HasPrefix(detail, "SCAN") && !strings.Contains(detail, "action_failed") || strings.Contains(detail, "TEMP B-TREE") {
					t.Errorf("%+v: %s", q, detail)
				}
			}
			rows.Close()
		}
		tx.Rollback()
	}
}

// TestVarints: the bytes are those of sqlite.org/fileformat.html; what is missing is 0.
func TestVarints(t *testing.T) {
	got := varints([]byte{0x05, 0x81, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x81}, 5)
	if want := []int64{5, 128, -1, 1, 0}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
