package cypher_test

import (
	"os"
	"strings"
	"testing"

	"github.com/actiongraph/actiongraph/cypher"
)

// TestREADMEListsQueries: the table of README.md has every saved query with its summary.
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
		if row := "| `" + q.Name + "` | " + q.Summary + " |"; !strings.Contains(string(readme), row) {
			t.Errorf("README.md lacks the row %s", row)
		}
	}
	if rows := strings.Count(string(readme), "\n| `"); rows != len(queries) {
		t.Errorf("README.md lists %d queries, there are %d", rows, len(queries))
	}
}
