package cypher_test

import (
	"os"
	"strings"
	"testing"

	"github.com/actiongraph/actiongraph/cypher"
)

// TestREADMEListsQueries: the table of README.md has every saved query with its summary
// and its parameters.
func TestREADMEListsQueries(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	queries, err := cypher.Queries()
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range queries {
		var params []string
		for _, p := range q.Params {
			switch {
			case p.Required:
				params = append(params, "`"+p.Name+"=…`")
			case p.Default == "":
				params = append(params, "`["+p.Name+"]`")
			default:
				params = append(params, "`"+p.Name+"="+p.Default+"`")
			}
		}
		row := "| `" + q.Name + "` | " + q.Summary + " | " + strings.Join(params, " ") + " |"
		if !strings.Contains(string(readme), row) {
			t.Errorf("README.md lacks the row %s", row)
		}
	}
	if rows := strings.Count(string(readme), "\n| `"); rows != len(queries) {
		t.Errorf("README.md lists %d queries, there are %d", rows, len(queries))
	}
}
