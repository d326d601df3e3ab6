package fulltext

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/actiongraph/actiongraph/graph"
)

func TestSnippet(t *testing.T) {
	long := strings.Repeat("日本 words before ", 40)
	for _, c := range []struct {
		d          Document
		words      string
		want       []string // what is marked
		start, end string
	}{
		{Document{Text: "The Café\nopens"}, "cafe opens", []string{"Café", "opens"}, "The Café opens", ""},
		{Document{Text: long + "needle " + long}, "needle", []string{"needle"}, "…", "…"},
		{Document{Text: "other", Content: "no such file"}, "file", []string{"file"}, "no such", ""},
		{Document{Input: "/usr/lib/x", ToolName: "Bash"}, "usr/lib bash", []string{"usr/lib"}, "/usr", ""},
		{Document{Text: "bad \xff\x01 utf"}, "utf", []string{"utf"}, "bad \xff  utf", ""},
		{Document{Text: "it exited; exi, x"}, "exi*", []string{"exited", "exi"}, "it exited", "x"},
		{Document{Text: "a main.go in x-main.got"}, "main.g*", []string{"main.go", "main.got"}, "a main", ""},
		{Document{Text: "exited"}, "exi", nil, "exited", ""},
		{Document{Text: "nothing"}, "else", nil, "nothing", ""},
		{Document{}, "else", nil, "", ""},
	} {
		got, marks := Snippet(c.d, ParseWords(c.words))
		var marked []string
		for _, m := range marks {
			marked = append(marked, got[m[0]:m[1]])
		}
		if !slices.Equal(marked, c.want) || !strings.HasPrefix(got, c.start) || !strings.HasSuffix(got, c.end) || len(got) > snippetBytes+10 {
			t.Errorf("%q: %q marked %q, want %q", c.words, got, marked, c.want)
		}
	}
}

// TestErrorOnce: the error of a failed call is the beginning of its text, and is in
// the document once; one that says something else is there too.
func TestErrorOnce(t *testing.T) {
	long := strings.Repeat("longer ", 1000)
	for _, c := range []struct{ message, text, want string }{
		{"Exit code 4 no such file", "Exit code 4\n\n  no such\tfile\nmore", "Exit code 4\n\n  no such\tfile\nmore"},
		{"Exit code 4", "Exit code 4", "Exit code 4"},
		{"Exit code 4 perm…", "Exit code 4\npermission denied", "Exit code 4\npermission denied"},
		{"Exit code 4 perm…", "Exit code 4\nno", "Exit code 4 perm…\nExit code 4\nno"},
		{"Exit code 4", "Exit code 42", "Exit code 4\nExit code 42"},
		{"Exit code 4", "Exit code", "Exit code 4\nExit code"},
		{"denied", "the output", "denied\nthe output"},
		{"denied", "", "denied"},
		{"", "the output", "the output"},
		{long + "end", long, long[:maxField] + "\n" + long[:maxField]}, // a long error hides no text
		{long[:4000] + "\nend", "out", long[:4000] + "\nend\nout"},
	} {
		props := map[string]any{"error_message": c.message, "text": c.text}
		if got := NewDocument(graph.ToolResult, func(name string) any { return props[name] }); got.Content != c.want {
			t.Errorf("%q and %q make %q, want %q", c.message, c.text, got.Content, c.want)
		}
	}
}

func TestCut(t *testing.T) {
	for _, s := range []string{"", "short", strings.Repeat("x", maxField), strings.Repeat("日本語", 2000), strings.Repeat("\xff", 5000)} {
		got := cut(s)
		if !strings.HasPrefix(s, got) || len(got) > maxField || len(s) > maxField && len(got) < maxField-utf8.UTFMax || utf8.ValidString(s) && !utf8.ValidString(got) {
			t.Errorf("cut %d bytes to %d", len(s), len(got))
		}
	}
}

// TestInput holds what is indexed of a call's input against all of it, joined and then
// cut, which may be much more than is kept.
func TestInput(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	piece := func() string {
		return []string{"", "short", "two\nlines", "größer \"quoted\" \\ \x01", strings.Repeat("日本", rnd.IntN(1500)), strings.Repeat("x", rnd.IntN(2*maxField))}[rnd.IntN(6)]
	}
	for range 2000 {
		props, values, all := map[string]any{}, []any{}, []string{}
		add := func(s string) {
			if s != "" {
				all = append(all, s)
			}
		}
		for _, name := range []string{"command", "file_path", "url", "pattern"} {
			if rnd.IntN(3) == 0 {
				s := piece()
				props[name] = s
				values = append(values, s) // promoted: it is not there twice
				add(s)
			}
		}
		promoted := slices.Clone(all)
		for range rnd.IntN(4) {
			s := piece()
			values = append(values, map[string]any{"key": []any{1, s, nil}})
			if !slices.Contains(promoted, s) {
				add(s)
			}
		}
		raw, err := json.Marshal(map[string]any{"tool_input": values})
		if err != nil {
			t.Fatal(err)
		}
		props["properties"] = string(raw)
		got := NewDocument(graph.ToolCall, func(name string) any { return props[name] }).Input
		if want := cut(strings.Join(all, "\n")); got != want {
			t.Fatalf("%.200q:\n got %d bytes, %.100q…\nwant %d bytes, %.100q…", raw, len(got), got, len(want), want)
		}
	}
}
