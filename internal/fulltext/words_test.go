package fulltext

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/actiongraph/actiongraph/connector/storetest"
	"github.com/actiongraph/actiongraph/graph"
)

func TestParseWords(t *testing.T) {
	for in, want := range map[string][]Word{
		"":                               nil,
		" -- * \x00 \t(":                 nil,
		"Café  main.go":                  {{"Café", []string{"cafe"}, false}, {"main.go", []string{"main", "go"}, false}},
		"al* a* b-c* *ab":                {{"al*", []string{"al"}, true}, {"a*", []string{"a"}, false}, {"b-c*", []string{"b", "c"}, true}, {"*ab", []string{"ab"}, false}},
		"al*pha al** al*\"":              {{"al*pha", []string{"al", "pha"}, false}, {"al**", []string{"al"}, true}, {"al*\"", []string{"al"}, false}},
		"Al al* AL a-l al a l-* a-l al*": {{"Al", []string{"al"}, false}, {"al*", []string{"al"}, true}, {"a-l", []string{"a", "l"}, false}, {"a", []string{"a"}, false}, {"l-*", []string{"l"}, false}},
		"a\x00b":                         {{"a", []string{"a"}, false}, {"b", []string{"b"}, false}},
	} {
		if d := cmp.Diff(want, ParseWords(in), cmpopts.EquateEmpty()); d != "" {
			t.Errorf("%q (-want +got):\n%s", in, d)
		}
	}
}

func TestWords(t *testing.T) {
	long := strings.Repeat("é", 30) + strings.Repeat("日", 20) // é is e in the index
	for _, c := range []struct {
		d    Document
		want string
	}{
		{Document{}, ""},
		{Document{ToolName: "--", Text: "\xff \x00"}, ""},
		{Document{ToolName: "Bash", Input: "LS Alpha/Beta", Text: ""}, "bash ␞ ls alpha beta"},
		{Document{Content: "no ␞ such", Text: "Über"}, "no such ␞ uber"},
		{Document{Text: "x " + long + " y"}, "x " + strings.Repeat("e", 30) + "日日日 y"},
	} {
		if got := Words(c.d); got != c.want {
			t.Errorf("%+v: %q, want %q", c.d, got, c.want)
		}
	}
}

// someText draws a text of words that questions are made of too, and of what is none.
func someText(t *rapid.T, of string) string {
	s := ""
	for range rapid.IntRange(0, 6).Draw(t, of) {
		s += rapid.SampledFrom([]string{"alpha", "alp", "Beta", "GAMMA", "café", "日本", "x", "al", "42", "␞", "\"", "*",
			strings.Repeat("long", 12), strings.Repeat("long", 12) + "er"}).Draw(t, "word")
		s += rapid.SampledFrom([]string{" ", "-", "* ", "", "\n", ".", "\u0301 "}).Draw(t, "gap")
	}
	return s
}

// TestMatchesAsReference: Matches says of an action what the suite's reference store says.
func TestMatchesAsReference(t *testing.T) {
	found := 0
	rapid.Check(t, func(t *rapid.T) {
		typ := rapid.SampledFrom([]graph.ActionType{graph.ToolCall, graph.ToolResult, graph.UserMessage}).Draw(t, "type")
		props := []graph.Prop{
			{Name: "tool_name", Value: someText(t, "tool_name")}, {Name: "text", Value: someText(t, "text")},
			{Name: "error_message", Value: someText(t, "error_message")}, {Name: "command", Value: someText(t, "command")},
			{Name: "properties", Value: `{"tool_input":{"a":"alpha beta","b":["42"]}}`},
		}
		action := graph.Node{Ref: graph.Ref{Label: graph.LabelAction, Key: "a"}, Type: typ, Props: props}
		m := storetest.NewMemory()
		if err := m.Apply(t.Context(), []graph.Batch{{Journal: "j", Session: "s", Ops: []graph.Op{{Kind: graph.PutNode, Node: action}}}}); err != nil {
			t.Fatal(err)
		}
		q := someText(t, "question")
		words := ParseWords(q)
		want, err := m.Search(t.Context(), graph.SearchQuery{Words: q})
		if err != nil {
			t.Fatal(err)
		}
		d := NewDocument(typ, action.Prop)
		if got := len(words) > 0 && Matches(d, words); got != (len(want) > 0) {
			t.Fatalf("%q of %+v: %v, the reference finds %d", q, d, got, len(want))
		}
		if len(want) > 0 {
			found++
			if !candidate(Words(d), words) {
				t.Fatalf("%q is in %+v but not in its terms %q", q, d, Words(d))
			}
		}
	})
	if found == 0 {
		t.Error("no question found anything: the test says nothing")
	}
}

// candidate looks for the words in the terms as an engine's index does.
func candidate(terms string, words []Word) bool {
	for _, w := range words {
		want := ""
		for _, tok := range w.Tokens {
			want += " " + Term(tok)
		}
		if !w.Prefix {
			want += " "
		}
		if !strings.Contains(" "+terms+" ", want) {
			return false
		}
	}
	return true
}

// TestTermsAreLettersAndDigits: what a term has is never an operator of an engine's
// query language, and never a blank.
func TestTermsAreLettersAndDigits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "text")
		for _, w := range ParseWords(s) {
			for _, tok := range w.Tokens {
				term := Term(tok)
				if term == "" || !utf8.ValidString(term) || len(term) > maxTerm || strings.ContainsFunc(term, func(r rune) bool {
					return r < 128 && !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9') || unicode.IsSpace(r) || unicode.IsControl(r)
				}) {
					t.Fatalf("%q has the term %q", s, term)
				}
			}
		}
	})
}
