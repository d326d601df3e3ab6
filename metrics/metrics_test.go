package metrics_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/actiongraph/actiongraph/metrics"
)

// What docs/metrics.md lists is what there is: dashboards are written by it.
func TestDocumented(t *testing.T) {
	type metric struct{ Name, Kind, Labels string }
	var documented, have []metric
	for _, row := range documentedRows(t) {
		documented = append(documented, metric{row[0], row[1], row[2]})
		if !strings.Contains(row[5], row[0]) {
			t.Errorf("%s: the example is of another metric: %s", row[0], row[5])
		}
		if strings.TrimSpace(row[3]) == "" || len(row[4]) < 10 {
			t.Errorf("%s: no unit, or no meaning", row[0])
		}
	}
	for _, m := range metrics.All() {
		labels := strings.Join(m.Labels, ", ")
		if labels == "" {
			labels = "–"
		}
		have = append(have, metric{string(m.Name), string(m.Kind), labels})
	}
	if diff := cmp.Diff(documented, have); diff != "" {
		t.Errorf("docs/metrics.md (-) and the list (+):\n%s", diff)
	}
}

// documentedRows are the cells of the list in docs/metrics.md, without backticks.
func documentedRows(t *testing.T) (rows [][]string) {
	t.Helper()
	text, err := os.ReadFile("../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "| `actiongraph_") {
			continue
		}
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | ")
		for i := range cells {
			cells[i] = strings.TrimSpace(strings.ReplaceAll(cells[i], "`", ""))
		}
		if len(cells) != 6 {
			t.Fatalf("%d cells: %s", len(cells), line)
		}
		rows = append(rows, cells)
	}
	if len(rows) == 0 {
		t.Fatal("docs/metrics.md has no list")
	}
	return rows
}

// The rule of cardinality: labels come from a closed list, and a session is one of gauges.
func TestCardinality(t *testing.T) {
	bounded := []string{"event_type", "origin", "model", "kind", "tool", "reason", "store", "what", "reader", "version", "goversion"}
	seen := map[metrics.Name]bool{}
	for _, m := range metrics.All() {
		if seen[m.Name] {
			t.Errorf("%s is there twice", m.Name)
		}
		seen[m.Name] = true
		for _, label := range m.Labels {
			if label == "session" && m.Kind == metrics.Gauge {
				continue
			}
			if !slices.Contains(bounded, label) {
				t.Errorf("%s %s has the label %s, whose values may grow without bound", m.Kind, m.Name, label)
			}
		}
		if (m.Kind == metrics.Histogram) != (len(m.Buckets) > 0) || !slices.IsSorted(m.Buckets) {
			t.Errorf("%s: buckets %v", m.Name, m.Buckets)
		}
		if !strings.HasPrefix(string(m.Name), "actiongraph_") || (m.Kind == metrics.Counter) != strings.HasSuffix(string(m.Name), "_total") {
			t.Errorf("%s is no name of a %s", m.Name, m.Kind)
		}
	}
}

// Whatever an agent calls its tools and models, there are a bounded number of labels, and none
// is a text.
func TestHostileNames(t *testing.T) {
	var tools metrics.Tools
	var models metrics.Names
	label := regexp.MustCompile(`^[-_.:/0-9A-Za-z]{1,70}$`)
	toolLabels, modelLabels := map[string]bool{}, map[string]bool{}
	for i := range 10_000 {
		for _, name := range []string{
			fmt.Sprint("tool", i), fmt.Sprintf("a \"quoted\"\nname %d", i), fmt.Sprintf("{evil=\"%d\"}", i), strings.Repeat("x", 60) + fmt.Sprint(i),
			fmt.Sprintf("/home/me/secret %d", i), fmt.Sprintf("nul\x00%d", i), fmt.Sprintf("bad\xff%d", i), "Bash", "",
		} {
			for _, server := range []string{"", name} {
				toolLabels[tools.Label(name, server)] = true
			}
			modelLabels[models.Label(name)] = true
		}
	}
	if n := len(toolLabels); n > 110 {
		t.Errorf("%d labels of tools", n)
	}
	if n := len(modelLabels); n > 52 {
		t.Errorf("%d labels of models", n)
	}
	for _, set := range []map[string]bool{toolLabels, modelLabels} {
		for l := range set {
			if !label.MatchString(l) {
				t.Errorf("label %q", l)
			}
		}
	}
	for tool, want := range map[string]string{"Bash": "Bash", "Read": "Read", "tool3": "tool3", "late": "other", "": "unknown"} {
		if got := tools.Label(tool, ""); got != want {
			t.Errorf("tool %q is %q, want %q", tool, got, want)
		}
	}
	var fresh metrics.Tools
	if got := fresh.Label("mcp__github__search_issues", "github"); got != "mcp:github" {
		t.Errorf("an MCP tool is %q", got)
	}
}
