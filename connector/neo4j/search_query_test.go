package neo4j

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/actiongraph/actiongraph/cypher"
	"github.com/actiongraph/actiongraph/internal/fulltext"
)

func TestSearchQueries(t *testing.T) {
	long := strings.Repeat("x", 50)
	for _, c := range []struct{ words, lucene, statement, tantivy string }{
		{"alpha", `+"alpha" `, "search", `"alpha"`},
		{"Café main.go", `+"cafe" +"main go" `, "search", `"cafe" AND "main go"`},
		{"al*", `+al* `, "search_pattern", `al.*`},
		{"al* gamma*", `+al* +gamma* `, "search_pattern", `gamma.*`},
		{"al* beta", `+al* +"beta" `, "search", `"beta"`},
		{"main.g*", `+"main" `, "search", `"main"`},
		{"main.go*", `+"main" +go* `, "search", `"main"`},
		{"a*", `+"a" `, "search", `"a"`},
		{"日本*", `+日本* `, "search_pattern", `日本.*`},
		{`a AND NOT "b`, `+"a" +"and" +"not" +"b" `, "search", `"a" AND "and" AND "not" AND "b"`},
		{long + "*", `+"` + long[:39] + `" `, "search", `"` + long[:39] + `"`},
	} {
		words := fulltext.ParseWords(c.words)
		if got := luceneQuery(words); got != c.lucene {
			t.Errorf("%q: Lucene is asked for %s, want %s", c.words, got, c.lucene)
		}
		if statement, got := tantivyQuery(words); statement != c.statement || got != c.tantivy {
			t.Errorf("%q: Tantivy is asked by %s for %s, want %s, %s", c.words, statement, got, c.statement, c.tantivy)
		}
	}
}

// TestSearchQuery: what a saved query is given for what somebody typed finds what the
// search verb finds.
func TestSearchQuery(t *testing.T) {
	for _, c := range []struct {
		typed            string
		lucene, memgraph string // an error begins with "error: "
	}{
		{"Hello", `+"hello" `, `"hello"`},
		{"does-not-exist.txt", `+"does not exist txt" `, `"does not exist txt"`},
		{"Permission denied", `+"permission" +"denied" `, `"permission" AND "denied"`},
		{"foo(", `+"foo" `, `"foo"`},
		{"wait*", `+wait* `, "error: the query language of Memgraph has no beginning of a word"},
		{"alpha wait*", `+"alpha" +wait* `, "error: the query language of Memgraph has no beginning of a word"},
		{" ( ", "error: there is no letter or digit in it", "error: there is no letter or digit in it"},
		{"", "error: there is no letter or digit in it", "error: there is no letter or digit in it"},
	} {
		for d, want := range map[cypher.Dialect]string{cypher.Neo4j: c.lucene, cypher.Memgraph: c.memgraph} {
			got, err := SearchQuery(d, c.typed)
			if message, fails := strings.CutPrefix(want, "error: "); fails {
				if err == nil || !strings.HasPrefix(err.Error(), message) {
					t.Errorf("%s, %q: %q, %v, want the error %s", d, c.typed, got, err, message)
				}
			} else if err != nil || got != want {
				t.Errorf("%s, %q: %q, %v, want %q", d, c.typed, got, err, want)
			}
		}
	}
}

// TestNoOperators: nothing that somebody types is an operator of a query language, and no
// query is empty or has too many clauses.
func TestNoOperators(t *testing.T) {
	lucene := regexp.MustCompile(`^(\+("T( T)*"|T\*) )+$`)
	tantivy := regexp.MustCompile(`^("T( T)*"( AND "T( T)*")*|T\.\*)$`)
	term := regexp.MustCompile(`[\p{L}\p{N}\p{Co}]+`)
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.OneOf(rapid.String(), rapid.StringMatching(`([a-zA-Z日é0-9]{1,3}[ *:"~^/(){}+\\-]{0,3}){0,200}`),
			rapid.StringMatching(`(AND|OR|NOT|TO|[a-z]{1,9}|[ "*:\[\]&|!?]){0,40}`)).Draw(t, "words")
		words := fulltext.ParseWords(s)
		if len(words) == 0 {
			t.Skip("nothing to ask for")
		}
		// Every term becomes T; what is left is ours.
		shape := func(query string) string {
			return term.ReplaceAllStringFunc(query, func(w string) string {
				if w == "AND" {
					return w
				}
				if strings.ContainsAny(w, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") {
					return "an operator"
				}
				return "T"
			})
		}
		if q := luceneQuery(words); !lucene.MatchString(shape(q)) || strings.Count(q, "T") > maxWords*(maxTerms+1) {
			t.Fatalf("%q: Lucene is asked for %s", s, q)
		}
		if _, q := tantivyQuery(words); !tantivy.MatchString(shape(q)) {
			t.Fatalf("%q: Tantivy is asked for %s", s, q)
		}
	})
}

// TestSearchFiles: the statements that only Memgraph understands ask and answer as
// Neo4j's does, which is the one that is run here.
func TestSearchFiles(t *testing.T) {
	params := func(stmt string) (out []string) {
		out = regexp.MustCompile(`\$[a-z]+`).FindAllString(stmt, -1)
		slices.Sort(out)
		return slices.Compact(out)
	}
	afterCall := func(stmt string) string { _, rest, _ := strings.Cut(stmt, "\n"); return rest }
	want := cypher.Read(cypher.Neo4j, "search")
	for _, name := range []string{"search", "search_pattern"} {
		got := cypher.Read(cypher.Memgraph, name)
		if !strings.HasPrefix(got, "CALL text_search.") || !strings.Contains(got, "'action_search', $query, $most) YIELD node, score") {
			t.Errorf("%s calls %s", name, got)
		}
		if afterCall(got) != afterCall(want) {
			t.Errorf("%s goes on otherwise than Neo4j's", name)
		}
		if p := slices.DeleteFunc(params(got), func(p string) bool { return p == "$most" }); !slices.Equal(p, params(want)) {
			t.Errorf("%s has the parameters %v, Neo4j's %v", name, p, params(want))
		}
	}
	for version, number := range map[string]bool{"3.6.2": true, "3.10.1": true, "3.11.0": false, "3.12.0": false, "4.0": false} {
		if _, ok := memgraphLimit(version).(int64); ok != number {
			t.Errorf("Memgraph %s: the limit is %v", version, memgraphLimit(version))
		}
	}
}
