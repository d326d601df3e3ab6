package neo4j_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/actiongraph/actiongraph/connector/neo4j"
	"github.com/actiongraph/actiongraph/connector/storetest"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/schema"
)

// message is an action with a text, among the others of its session.
func message(key, text string, more ...graph.Prop) graph.Op {
	return graph.Op{Kind: graph.PutNode, Node: graph.Node{Ref: graph.Ref{Label: graph.LabelAction, Key: key}, Type: graph.UserMessage,
		Props: append([]graph.Prop{{Name: "text", Value: text}, {Name: "session_id", Value: "s"},
			{Name: "action_type", Value: string(graph.UserMessage)}}, more...)}}
}

// write writes the actions of one session into every store.
func write(t testing.TB, ops []graph.Op, stores ...interface {
	Apply(context.Context, []graph.Batch) error
}) {
	t.Helper()
	for _, s := range stores {
		b := graph.Batch{Journal: "j", Session: "s", To: schema.Position{Offset: 1}, Ops: ops}
		if err := s.Apply(context.Background(), []graph.Batch{b}); err != nil {
			t.Fatal(err)
		}
	}
}

// found is which actions a search finds, sorted.
func found(t interface{ Fatalf(string, ...any) }, hits []graph.SearchHit, err error) (keys []string) {
	if err != nil {
		t.Fatalf("%v", err)
	}
	for _, h := range hits {
		keys = append(keys, h.Action.ActionID)
	}
	slices.Sort(keys)
	return keys
}

// TestSearchWhatever: whatever somebody types, the server takes it and finds what the
// reference finds.
func TestSearchWhatever(t *testing.T) {
	hash := strings.Repeat("0123456789abcdef", 4)
	texts := []string{
		"alpha beta gamma", "Alphabet soup: a-b_c", "main.go and /usr/lib/x", "日本語 の テキスト", "Ünïcode Straße ǅ ﬁ İ", hash, hash[:60] + "ffff",
		strings.Repeat("x", 300) + "y", strings.Repeat("x", 300) + "z", "and or not to", "C:\\path\\to", "a && b || c", "[1 TO 5] field:value^2~3",
		"\u00a0nbsp\u3000wide\u2028line", "e\u0301tude", "x²y₂ Ⅷ ½", "separator ␞ here", strings.Repeat("one-two-", 100),
	}
	var ops []graph.Op
	for i, text := range texts {
		ops = append(ops, message(fmt.Sprintf("a%02d", i), text))
	}
	many := ""
	for i := range 3000 {
		many += fmt.Sprintf("word%d ", i)
	}
	questions := append([]string{
		"AND", "a AND NOT b", "NOT", "OR OR", "field:value", "[1 TO 5]", "{a TO b}", "soup~2", "soup^5", "/al.*/", `\`, `\"`, `"alpha`, "(((", "a && b",
		"!alpha", "+alpha -beta", "*", "?", "al?ha", "*pha", "alph*", "ALPH*", "al*a", "日本*", "日本語", "日",
		hash, hash[:60], hash[:45] + "*", hash[:39] + "*", hash[:39], hash[:38] + "*", strings.Repeat("x", 300) + "*", strings.Repeat("x", 300) + "y",
		strings.Repeat("x", 255), strings.Repeat("x", 256) + "*", "one-two-one", strings.Repeat("one-two-", 100), strings.Repeat("one-two-", 101),
		strings.Repeat("one-", 2000), many, "alpha " + many, strings.Repeat("alpha ", 3000), "a\x00lpha", "alpha\xff", "\xff", "␞", "separator here",
		"x²y₂", "Ⅷ", "nbsp wide", "soup -- a-b*", `a:b`, "to", "x* y*", "${jndi:x}", "') RETURN 1 //", "`", "al* *", "1 5",
	}, texts...)
	engines(t, func(t *testing.T, o neo4j.Options) {
		s, m := empty(t, o), storetest.NewMemory()
		write(t, ops, s, m)
		for _, q := range questions {
			sameHits(t, s, m, q)
		}
		for words, want := range map[string]string{"unicode": "a04", "etude": "a14", "étud*": "a14", "straße": "a04", "STRASSE": "", "ﬁ": "a04", "i": "a04"} {
			hits, err := s.Search(t.Context(), graph.SearchQuery{Words: words})
			if got := strings.Join(found(t, hits, err), " "); got != want {
				t.Errorf("%s finds %q, want %q", words, got, want)
			}
		}
		rapid.Check(t, func(rt *rapid.T) {
			sameHits(rt, s, m, rapid.OneOf(rapid.String(), rapid.StringMatching(`([a-z]{1,3}|AND|OR|NOT|TO|[ "*:\[\]{}()&|!?~^/\\+-])+`)).Draw(rt, "words"))
		})
	})
}

// sameHits compares with the reference where that knows the characters: it folds only
// é and ü, and the acute as a mark of its own.
func sameHits(t interface{ Fatalf(string, ...any) }, s *neo4j.Store, m *storetest.Memory, words string) {
	q := graph.SearchQuery{Words: words}
	hits, err := s.Search(context.Background(), q)
	if errors.Is(err, graph.ErrLongQuestion) {
		if _, err := m.Search(context.Background(), q); !errors.Is(err, graph.ErrLongQuestion) {
			t.Fatalf("%.200q is too long a question, and not for the reference: %v", words, err)
		}
		return
	}
	got := found(t, hits, err)
	if strings.ContainsFunc(words, func(r rune) bool {
		return r == 0 || r > 126 && !strings.ContainsRune("é日本語の²₂Ⅷ␞\u00a0\u3000\xff", r)
	}) {
		return
	}
	hits, err = m.Search(context.Background(), q)
	if want := found(t, hits, err); !slices.Equal(got, want) {
		t.Fatalf("%.200q finds %v, the reference %v", words, got, want)
	}
}

// TestSearchWithoutIndex: where nobody wrote yet nothing is found; where somebody dropped
// the index it is said how to make it again.
func TestSearchWithoutIndex(t *testing.T) {
	engines(t, func(t *testing.T, o neo4j.Options) {
		s := empty(t, o)
		if err := s.Drop(t.Context()); err != nil {
			t.Fatal(err)
		}
		ask := func() ([]graph.SearchHit, error) { return s.Search(t.Context(), graph.SearchQuery{Words: "alpha"}) }
		if hits, err := ask(); len(hits) > 0 || err != nil {
			t.Errorf("in an empty database: %v, %v", hits, err)
		}
		write(t, []graph.Op{message("a", "alpha")}, s)
		if hits, err := ask(); len(hits) != 1 || err != nil {
			t.Errorf("after the first write: %v, %v", hits, err)
		}
		if err := s.Drop(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := ask(); err == nil || !strings.Contains(err.Error(), "the database has no full-text index: ag-sessiond graph-schema setup --graph "+o.URL) {
			t.Errorf("without its index: %v", err)
		}
		if err := s.Setup(t.Context()); err != nil {
			t.Fatal(err)
		}
		if hits, err := ask(); len(hits) != 1 || err != nil {
			t.Errorf("with its index again: %v, %v", hits, err)
		}
	})
}

// TestNewestWindow: a search ranks the newest hits, with All every one.
func TestNewestWindow(t *testing.T) {
	var ops []graph.Op
	for i := range 2050 {
		text := "rare and a good many other words besides"
		if i == 3 {
			text = "rare"
		}
		ops = append(ops, message(fmt.Sprintf("a%04d", i), text, graph.Prop{Name: "timestamp", Value: graph.Time(1e18 + i)}))
	}
	engines(t, func(t *testing.T, o neo4j.Options) {
		s := empty(t, o)
		write(t, ops, s)
		for _, all := range []bool{false, true} {
			hits, err := s.Search(t.Context(), graph.SearchQuery{Words: "rare", All: all, Limit: 5})
			if err != nil || len(hits) != 5 {
				t.Fatal(len(hits), err)
			}
			if best := hits[0].Action.ActionID; (best == "a0003") != all {
				t.Errorf("all %v: the best is %s", all, best)
			}
			// Of equal ones the newest come first.
			if second := hits[1].Action.ActionID; all && second != "a2049" {
				t.Errorf("all: the second is %s", second)
			}
		}
	})
}

// TestCandidatesPastLimit: candidates that do not have the words do not use up a limit.
func TestCandidatesPastLimit(t *testing.T) {
	var ops []graph.Op
	for i := range 200 { // Lucene takes each for "main.g*": it is asked for main alone
		ops = append(ops, message(fmt.Sprintf("a%04d", i), "main"))
	}
	ops = append(ops, message("this", "in main.go there is a lot of other text, so that it ranks last: "+strings.Repeat("word ", 300)))
	engines(t, func(t *testing.T, o neo4j.Options) {
		s := empty(t, o)
		write(t, ops, s)
		hits, err := s.Search(t.Context(), graph.SearchQuery{Words: "main.g*", Limit: 1})
		if got := found(t, hits, err); !slices.Equal(got, []string{"this"}) {
			t.Errorf("found %v", got)
		}
	})
}
