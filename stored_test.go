package actiongraph

import (
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestREADMENamesEveryFile holds README's table of a home's files against those that
// RemoveHome takes for ours: a file that people find in their home has to be explained, and
// what is explained has to go with the home.
func TestREADMENamesEveryFile(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(readme), "\n## What is stored where\n")
	text, _, _ = strings.Cut(text, "\n## ")
	var told []string
	for _, row := range regexp.MustCompile(`(?m)^\| .*$`).FindAllString(text, -1) {
		for _, quoted := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(row, -1) {
			name := strings.NewReplacer("<session>", "s", "source-<hash>", "source-0123456789abcdef", "left_out/<hash>", "left_out/"+strings.Repeat("0", 32),
				"forgotten/<hash>", "forgotten/"+strings.Repeat("0", 32), "<hash>", strings.Repeat("0", 16)).Replace(quoted[1])
			if !strings.HasPrefix(name, ".") && name != "install" && name != "jq" {
				told = append(told, name)
			}
		}
	}
	for _, name := range told {
		if folder := path.Dir(name); folder != "." {
			if names := foldersOfHome()[folder]; names == nil || !names.MatchString(path.Base(name)) {
				t.Errorf("README explains %s, which RemoveHome leaves", name)
			}
		} else if !ofHome().MatchString(name) && !slices.Contains(lastOfHome(), name) {
			t.Errorf("README explains %s, which RemoveHome leaves", name)
		}
	}
	names := lastOfHome()
	// What the expression allows, without what a kill leaves: names that begin with a dot, or end in .tmp.
	for _, name := range []string{"config.toml", "policy", "policy.said", "version", "graph.db", "graph.db-wal", "graph.db-shm", "graph.db.v5", "transcripts.index",
		"status.json", "hook.log", "hook.log.1", "scrub.json", "ag-sessiond.log", "ag-sessiond.log.1", "service.xml", "api.sock", "api.token", "seal.key"} {
		if !ofHome().MatchString(name) {
			t.Errorf("RemoveHome leaves %s", name)
		}
		names = append(names, name)
	}
	for _, name := range names {
		if !slices.Contains(told, name) {
			t.Errorf("README does not explain %s", name)
		}
	}
	for folder := range foldersOfHome() {
		if !slices.ContainsFunc(told, func(name string) bool { return path.Dir(name) == folder }) {
			t.Errorf("README does not explain the folder %s", folder)
		}
	}
}
