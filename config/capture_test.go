package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/actiongraph/actiongraph/config"
	"github.com/actiongraph/actiongraph/policy"
)

func TestCompilePolicy(t *testing.T) {
	dir := home(t, "[capture]\ncontent = \"gist\"\nexclude_projects = [\"/a/b\", \"**/x\"]\nexclude_tools = [\"Read\"]\n[redact]\npatterns = [\"ACME-[0-9]+\"]\n", 0o600)
	state, err := config.CompilePolicy(dir)
	if err != nil || !state.Compiled || state.Stale {
		t.Fatalf("%+v, %v", state, err)
	}
	p, state := policy.Load(dir)
	want := policy.Rules{Content: "gist", ExcludeProjects: []string{"/a/b", "**/x"}, ExcludeTools: []string{"Read"}, Redact: []string{"ACME-[0-9]+"}}
	got := p.Rules()
	got.FoldCase = false
	if diff := cmp.Diff(want, got); diff != "" || state.Stale || state.Err != nil {
		t.Errorf("%+v\n%s", state, diff)
	}
	path := filepath.Join(dir, config.FileName)
	// A broken file keeps what is in force, and says that it is not the file.
	write(t, path, "[capture]\ncontent = \"nome\"\n")
	if state, err = config.CompilePolicy(dir); err == nil || !strings.Contains(err.Error(), `want "full", "gist" or "none"`) || !state.Stale {
		t.Errorf("%+v, %v", state, err)
	}
	if p, _ := policy.Load(dir); p.Rules().Content != policy.Gist {
		t.Errorf("in force: %+v", p.Rules())
	}
	write(t, path, "# nothing\n")
	if state, err = config.CompilePolicy(dir); err != nil || state.Stale {
		t.Errorf("%+v, %v", state, err)
	}
	if p, _ := policy.Load(dir); p != nil {
		t.Errorf("in force: %+v", p.Rules())
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if state, err = config.CompilePolicy(dir); err != nil || state != (policy.State{}) {
		t.Errorf("%+v, %v", state, err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 0 {
		t.Errorf("left behind: %v", entries)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	later := time.Now().Add(time.Duration(len(text)) * time.Second) // the clock of a file system is coarse
	if err := os.Chtimes(path, later, later); err != nil {
		t.Fatal(err)
	}
}

func TestCaptureRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"[capture]\nexclude_projects = [\"secret\"]":   "~/ or **/",
		"[capture]\nexclude_projects = [\"/\"]":        "everything",
		"[capture]\nexclude_projects = [\"**\"]":       "everything",
		"[capture]\nexclude_projects = [\"/**/*\"]":    "everything",
		"[capture]\nexclude_projects = [\"/a/[b\"]":    "no glob",
		"[capture]\nexclude_tools = [\"mcp[\"]":        "glob like",
		"[capture]\nexclude_tools = [\"\"]":            "glob like",
		"[capture]\nmax_chars = 10":                    "want 256 to 1048576",
		"[capture]\ncontent = \"all\"":                 `want "full", "gist" or "none"`,
		"[redact]\npatterns = [\"a(\"]":                "[redact]: patterns: number 1",
		"[redact]\npatterns = [\"x\", \"a*\"]":         "matches the empty text",
		"[capture]\nexclude_project = [\"~/secret\"]":  "exclude_project",
		"[capture]\nexclude_projects = \"~/secret\"\n": "config.toml",
	} {
		if _, err := config.Load(home(t, text, 0o600)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %s", text, err, want)
		}
	}
}

// TestExcludedLink: an agent says where it is by the link or by where that leads.
func TestExcludedLink(t *testing.T) {
	real, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(real, link); err != nil {
		t.Skip("SKIP: no symbolic links here")
	}
	for _, glob := range []string{"", "/**", "/sub*"} {
		dir := home(t, "[capture]\nexclude_projects = ['"+link+glob+"']\n", 0o600)
		if _, err := config.CompilePolicy(dir); err != nil {
			t.Fatal(err)
		}
		p, _ := policy.Load(dir)
		if p.Project(filepath.Join(real, "sub")) == 0 || p.Project(filepath.Join(link, "sub", "deep")) == 0 || p.Project(filepath.Dir(real)) != 0 {
			t.Errorf("%s: %+v", glob, p.Rules())
		}
	}
}
