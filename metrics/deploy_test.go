package metrics_test

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/actiongraph/actiongraph/metrics"
)

// used are the metrics that a PromQL expression names, without what a histogram adds to its
// name.
func used(t *testing.T, where, expr string) (names []metrics.Name) {
	t.Helper()
	for _, name := range regexp.MustCompile(`\b(?:actiongraph|process|go)_[a-z_]+`).FindAllString(expr, -1) {
		if !strings.HasPrefix(name, "actiongraph_") {
			continue
		}
		i := slices.IndexFunc(metrics.All(), func(m metrics.Metric) bool {
			base := name
			if m.Kind == metrics.Histogram {
				for _, end := range []string{"_bucket", "_sum", "_count"} {
					base = strings.TrimSuffix(base, end)
				}
				if base == name { // a histogram has no value of its own
					return false
				}
			}
			return string(m.Name) == base
		})
		if i < 0 {
			t.Errorf("%s: there is no metric %s: %s", where, name, expr)
			continue
		}
		names = append(names, metrics.All()[i].Name)
	}
	for _, label := range regexp.MustCompile(`(?:by|on|without) ?\(([^)]*)\)`).FindAllStringSubmatch(expr, -1) {
		for l := range strings.SplitSeq(label[1], ",") {
			l = strings.TrimSpace(l)
			known := l == "le" || l == "instance" || l == "job" || slices.ContainsFunc(metrics.All(), func(m metrics.Metric) bool { return slices.Contains(m.Labels, l) })
			if !known {
				t.Errorf("%s: no metric has the label %q: %s", where, l, expr)
			}
		}
	}
	if strings.Count(expr, "(") != strings.Count(expr, ")") || strings.Count(expr, "{") != strings.Count(expr, "}") {
		t.Errorf("%s: brackets: %s", where, expr)
	}
	return names
}

// The dashboard asks for metrics that there are, and shows every one.
func TestDashboard(t *testing.T) {
	text, err := os.ReadFile("../deploy/dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	var board struct {
		SchemaVersion int
		UID, Title    string
		Panels        []struct {
			ID          int
			Type, Title string
			GridPos     struct{ X, Y, W, H int }
			Targets     []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(text, &board); err != nil {
		t.Fatal(err)
	}
	if board.SchemaVersion < 41 || board.UID == "" || board.Title == "" {
		t.Errorf("schema %d, uid %q, title %q", board.SchemaVersion, board.UID, board.Title)
	}
	var shown []metrics.Name
	ids := map[int]bool{}
	for i, p := range board.Panels {
		if ids[p.ID] || p.ID == 0 {
			t.Errorf("panel %q: id %d", p.Title, p.ID)
		}
		ids[p.ID] = true
		if len(p.Targets) == 0 && p.Type != "row" {
			t.Errorf("panel %q asks for nothing", p.Title)
		}
		for _, q := range p.Targets {
			shown = append(shown, used(t, p.Title, q.Expr)...)
		}
		for _, o := range board.Panels[:i] {
			a, b := p.GridPos, o.GridPos
			if a.X < b.X+b.W && b.X < a.X+a.W && a.Y < b.Y+b.H && b.Y < a.Y+a.H {
				t.Errorf("panels %q and %q overlap", p.Title, o.Title)
			}
		}
	}
	for _, m := range metrics.All() {
		if !slices.Contains(shown, m.Name) {
			t.Errorf("no panel shows %s", m.Name)
		}
	}
}

// The alerts ask for metrics that there are, and say what to do.
func TestAlerts(t *testing.T) {
	text, err := os.ReadFile("../deploy/alerts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Groups []struct {
			Name  string
			Rules []struct {
				Alert, Expr, For    string
				Labels, Annotations map[string]string
			}
		}
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	seen, asked := map[string]bool{}, []metrics.Name{}
	for _, g := range file.Groups {
		for _, r := range g.Rules {
			if r.Alert == "" || seen[r.Alert] || r.Annotations["summary"] == "" || r.Annotations["description"] == "" || r.Labels["severity"] == "" {
				t.Errorf("alert %q: %+v", r.Alert, r)
			}
			seen[r.Alert] = true
			asked = append(asked, used(t, r.Alert, r.Expr)...)
		}
	}
	for _, name := range []metrics.Name{metrics.SessionLast, metrics.StoreUp, metrics.StoreLagTime, metrics.Failures, metrics.DiskFree} {
		if !slices.Contains(asked, name) {
			t.Errorf("no alert is about %s", name)
		}
	}
	scrape, err := os.ReadFile("../deploy/prometheus.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var config struct {
		RuleFiles     []string `yaml:"rule_files"`
		ScrapeConfigs []struct {
			JobName       string                       `yaml:"job_name"`
			StaticConfigs []struct{ Targets []string } `yaml:"static_configs"`
		} `yaml:"scrape_configs"`
	}
	if err := yaml.Unmarshal(scrape, &config); err != nil {
		t.Fatal(err)
	}
	if len(config.ScrapeConfigs) != 1 || config.ScrapeConfigs[0].JobName != "actiongraph" || !slices.Equal(config.RuleFiles, []string{"alerts.yaml"}) ||
		!slices.Equal(config.ScrapeConfigs[0].StaticConfigs[0].Targets, []string{"127.0.0.1:9464"}) {
		t.Errorf("%+v", config)
	}
}

// The examples of docs/metrics.md are about metrics and labels that there are.
func TestExamples(t *testing.T) {
	for _, row := range documentedRows(t) {
		used(t, row[0], row[5])
	}
}
