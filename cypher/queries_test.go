package cypher_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/actiongraph/actiongraph/cypher"
)

func queries(t *testing.T) []cypher.Query {
	t.Helper()
	all, err := cypher.Queries()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// statementOf is a query without its comments and strings: what the rules are about.
func statementOf(text string) string {
	text = regexp.MustCompile(`(?m)^//.*$`).ReplaceAllString(text, "")
	return regexp.MustCompile(`'[^']*'`).ReplaceAllString(text, "''")
}

// TestQueryRules holds every file to what its readers rely on: whoever copies it gets a
// statement that reads, and the same rows in the same order every time.
func TestQueryRules(t *testing.T) {
	all := queries(t)
	if len(all) < 20 {
		t.Errorf("%d queries, want at least 20", len(all))
	}
	for _, q := range all {
		for _, d := range []cypher.Dialect{cypher.Neo4j, cypher.Memgraph} {
			for _, problem := range problems(q, q.Text(d)) {
				t.Errorf("%s (%s): %s", q.Name, d, problem)
			}
		}
	}
}

func problems(q cypher.Query, text string) (out []string) {
	statement := statementOf(text)
	has := func(pattern string) bool { return regexp.MustCompile(pattern).MatchString(statement) }
	if !regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`).MatchString(q.Name) {
		out = append(out, "the name is not lower-case words with hyphens")
	}
	if !strings.HasSuffix(q.Summary, ".") || len(q.Summary) > 120 {
		out = append(out, "the summary is no sentence of at most 120 bytes")
	}
	for _, p := range q.Params {
		if !has(`\$` + p.Name + `\b`) {
			out = append(out, "$"+p.Name+" is not used")
		}
	}
	for _, m := range regexp.MustCompile(`\$([A-Za-z_]+)`).FindAllStringSubmatch(statement, -1) {
		if !slices.ContainsFunc(q.Params, func(p cypher.Param) bool { return p.Name == m[1] }) {
			out = append(out, "$"+m[1]+" is not documented")
		}
	}
	if has(`(?i)\b(CREATE|MERGE|SET|DELETE|REMOVE|DROP|FOREACH|LOAD)\b`) {
		out = append(out, "it writes")
	}
	// What Memgraph does not have (memgraph.com/docs/querying/differences-in-cypher-implementations).
	if has(`(?i)percentile|isEmpty|stDev|shortestPath|elementId|datetime|\b(COUNT|EXISTS|COLLECT|CALL)\s*\{|\){\d`) {
		out = append(out, "it uses what Memgraph does not have")
	}
	for _, m := range regexp.MustCompile(`(?i)\bAS (\w+)|\$(\w+)|[(\[](\w+)[:)\]]|\b(\w+) IN\b`).FindAllStringSubmatch(statement, -1) {
		if name := strings.ToUpper(strings.Join(m[1:], "")); slices.Contains(memgraphReserved(), name) {
			out = append(out, strings.ToLower(name)+" is no name in Memgraph")
		}
	}
	if !has(`LIMIT toInteger\(\$limit\)`) {
		// A number of Neo4j Browser's :params is a float, which a bare LIMIT $limit refuses.
		out = append(out, "it has no LIMIT toInteger($limit)")
	}
	parts := strings.Split(statement, "ORDER BY")
	if last := parts[len(parts)-1]; len(parts) < 2 || strings.Contains(last, "MATCH") || strings.Contains(last, "RETURN") {
		out = append(out, "it does not end with ORDER BY")
	}
	for _, line := range strings.Split(text, "\n") {
		if len(line) > 130 {
			out = append(out, "a line of more than 130 bytes")
		}
	}
	return out
}

// memgraphReserved are keywords of Memgraph's lexer that its grammar takes for no name
// of a variable or parameter (memgraph/memgraph, src/query/frontend/opencypher/grammar:
// tokens of MemgraphCypherLexer.g4 that MemgraphCypher.g4 does not list in
// memgraphCypherKeyword).
func memgraphReserved() []string {
	return []string{
		"CALL", "CLUSTER", "COORDINATOR", "DATABASES", "DIRECTORY", "DURABILITY", "FREE_MEMORY", "GRANTS", "IGNORE",
		"MODULE_READ", "MODULE_WRITE", "READ_FILE", "SERVER", "SERVICE_URL", "STATISTICS", "STOP", "STORAGE_MODE",
		"TRANSACTION_MANAGEMENT", "WEBSOCKET",
	}
}

// A check that passes everything would pass the files, too.
func TestQueryRulesFail(t *testing.T) {
	for _, tc := range []struct{ name, text, want string }{
		{"unused", "// A.\n// $a int = 1 – one\nMATCH (n) RETURN n ORDER BY n.x", "$a is not used"},
		{"undocumented", "// A.\nMATCH (n {x: $b}) RETURN n ORDER BY n.x", "$b is not documented"},
		{"writes", "// A.\nMATCH (n) SET n.x = 1 RETURN n ORDER BY n.x", "it writes"},
		{"order", "// A.\nMATCH (n) WITH n ORDER BY n.x RETURN n", "it does not end with ORDER BY"},
		{"none", "// A.\nMATCH (n) RETURN n", "it does not end with ORDER BY"},
		{"subquery", "// A.\nMATCH (n) WHERE COUNT { (n)--() } > 1 RETURN n ORDER BY n.x", "it uses what Memgraph does not have"},
		{"reserved", "// A.\nMATCH (n) RETURN n.x AS server ORDER BY server", "server is no name in Memgraph"},
		{"variable", "// A.\nMATCH (call:Action) RETURN call.x AS x ORDER BY x", "call is no name in Memgraph"},
		{"sentence", "// A\nMATCH (n) RETURN n.x AS x ORDER BY x", "the summary is no sentence of at most 120 bytes"},
		{"Bad_Name", "// A.\nMATCH (n) RETURN n.x AS x ORDER BY x", "the name is not lower-case words with hyphens"},
		{"endless", "// A.\nMATCH (n) RETURN n.x AS x ORDER BY x", "it has no LIMIT toInteger($limit)"},
		{"long", "// A.\n// " + strings.Repeat("x", 130) + "\nMATCH (n) RETURN n.x AS x ORDER BY x", "a line of more than 130 bytes"},
	} {
		if summary, rest, _ := strings.Cut(tc.text, "\n"); tc.name != "endless" {
			tc.text = summary + "\n// $limit int = 9 – many\n" + rest + "\nLIMIT toInteger($limit)"
		}
		all, err := cypher.ParseQueries(fstest.MapFS{"queries/" + tc.name + ".cypher": {Data: []byte(tc.text)}})
		if err != nil {
			t.Errorf("%s: %v", tc.name, err)
			continue
		}
		if got := problems(all[0], all[0].Text(cypher.Neo4j)); !slices.Equal(got, []string{tc.want}) {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.want)
		}
	}
}

func TestParseQueries(t *testing.T) {
	const body = "MATCH (n) RETURN n ORDER BY n.x\n"
	for name, tc := range map[string]struct {
		files map[string]string
		want  string // of the error; "" is none
	}{
		"good":          {map[string]string{"a": "// A.\n// $s string = \"\" – s\n// $n int = 3 – n\n// $r time – r\n// note\n" + body}, ""},
		"two engines":   {map[string]string{"a.neo4j": "// A.\n// why\n" + body, "a.memgraph": "// A.\n// why not\n" + body}, ""},
		"one engine":    {map[string]string{"a.neo4j": "// A.\n" + body}, "there is a file for one engine only"},
		"unknown":       {map[string]string{"a.oracle": "// A.\n" + body}, "there is a file for one engine only"},
		"differ":        {map[string]string{"a.neo4j": "// A.\n" + body, "a.memgraph": "// B.\n" + body}, "are not those of the other engine's file"},
		"no summary":    {map[string]string{"a": body}, "the first line is no comment"},
		"no statement":  {map[string]string{"a": "// A.\n"}, "there is no statement"},
		"type":          {map[string]string{"a": "// A.\n// $n number = 3 – n\n" + body}, `there is no type "number"`},
		"hyphen":        {map[string]string{"a": "// A.\n// $n int = 3 - n\n" + body}, "want // $name type"},
		"after a note":  {map[string]string{"a": "// A.\n// note\n// $n int = 3 – n\n" + body}, "right below the first line"},
		"unquoted text": {map[string]string{"a": "// A.\n// $s string = x – s\n" + body}, "is in double quotes"},
	} {
		files := fstest.MapFS{}
		for base, text := range tc.files {
			files["queries/"+base+".cypher"] = &fstest.MapFile{Data: []byte(text)}
		}
		all, err := cypher.ParseQueries(files)
		switch {
		case tc.want == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)):
			t.Errorf("%s: %v, want %q", name, err, tc.want)
		}
		if name == "good" && err == nil {
			want := []cypher.Param{
				{Name: "s", Type: cypher.StringParam, Help: "s"},
				{Name: "n", Type: cypher.IntParam, Default: "3", Help: "n"},
				{Name: "r", Type: cypher.TimeParam, Required: true, Help: "r"},
			}
			if !slices.Equal(all[0].Params, want) || all[0].Summary != "A." || all[0].Name != "a" || !all[0].Same() {
				t.Errorf("%+v", all[0])
			}
		}
	}
}
