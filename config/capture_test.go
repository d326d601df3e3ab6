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

// compiled returns the policy that is in force after a verb.
func compiled(t *testing.T, home string) *policy.Policy {
	t.Helper()
	if _, err := config.CompilePolicy(home); err != nil {
		t.Fatal(err)
	}
	p, _ := policy.Load(home)
	return p
}

func link(t *testing.T, to, at string) {
	t.Helper()
	if err := os.Symlink(to, at); err != nil {
		t.Skip("SKIP: no symbolic links here")
	}
}

// tree is a real folder with the folders real and data/acme, and link, which leads to real.
func tree(t *testing.T) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"real", "data/acme", "clients/plain"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	link(t, filepath.Join(dir, "real"), filepath.Join(dir, "link"))
	return dir
}

// TestExcludedBeforeItExists: a folder is excluded below a link before somebody makes it.
func TestExcludedBeforeItExists(t *testing.T) {
	dir := tree(t)
	t.Setenv("HOME", filepath.Join(dir, "link"))
	t.Setenv("USERPROFILE", filepath.Join(dir, "link"))
	p := compiled(t, home(t, "[capture]\nexclude_projects = ['~/secret/deep']\n", 0o600))
	for _, at := range []string{"link/secret/deep", "real/secret/deep/er"} {
		if p.Project(filepath.Join(dir, at)) == 0 {
			t.Errorf("%s is recorded: %q", at, p.Rules().ExcludeProjects)
		}
	}
	if p.Project(filepath.Join(dir, "real/secret")) != 0 {
		t.Errorf("%q leaves out too much", p.Rules().ExcludeProjects)
	}
}

// TestExcludedGlobOfLinks: what a glob matches may be a link, now or later, and one that
// leads nowhere for a while; its folder is excluded without a change of the file.
func TestExcludedGlobOfLinks(t *testing.T) {
	dir := tree(t)
	acme, other, gone := filepath.Join(dir, "data", "acme"), filepath.Join(dir, "data", "other[1"), filepath.Join(dir, "away", "x")
	link(t, acme, filepath.Join(dir, "clients", "acme"))
	link(t, gone, filepath.Join(dir, "clients", "gone"))
	h := home(t, "[capture]\nexclude_projects = ['"+dir+"/clients/*', '"+dir+"/c*s/*/repo']\n", 0o600)
	p := compiled(t, h)
	if p.Project(acme) == 0 || p.Project(gone) == 0 || p.Project(filepath.Join(dir, "clients", "acme")) == 0 || p.Project(filepath.Dir(acme)) != 0 || p.Project(other) != 0 {
		t.Errorf("%q", p.Rules().ExcludeProjects)
	}
	link(t, other, filepath.Join(dir, "clients", "other"))
	link(t, filepath.Join(dir, "real"), filepath.Join(dir, "clients", "plain", "repo"))
	p = compiled(t, h)
	if p.Project(other) == 0 || p.Project(filepath.Join(dir, "real", "x")) == 0 {
		t.Errorf("links made later: %q", p.Rules().ExcludeProjects)
	}
	before, err := os.Stat(filepath.Join(h, policy.FileName))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "clients", "acme")); err != nil {
		t.Fatal(err)
	}
	if p = compiled(t, h); p.Project(acme) == 0 {
		t.Error("a link that is away lets its folder be recorded")
	}
	if now, err := os.Stat(filepath.Join(h, policy.FileName)); err != nil || !os.SameFile(before, now) {
		t.Error("the policy is written again, though nothing changed")
	}
}

// TestPolicyOutlivesItsFile: that config.toml is away, or empty while an editor writes it,
// takes no policy away; what a user says by our verbs does.
func TestPolicyOutlivesItsFile(t *testing.T) {
	const text = "[capture]\nexclude_projects = [\"/secret\"]\n"
	for name, away := range map[string]func(t *testing.T, path string){
		"gone":     func(t *testing.T, path string) {},
		"dangling": func(t *testing.T, path string) { link(t, path+".away", path) },
		"empty":    func(t *testing.T, path string) { write(t, path, "") },
	} {
		t.Run(name, func(t *testing.T) {
			dir := home(t, text, 0o600)
			compiled(t, dir)
			path := filepath.Join(dir, config.FileName)
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			away(t, path)
			state, err := config.CompilePolicy(dir)
			if (err == nil) != (name == "gone") || !state.Stale {
				t.Errorf("%+v, %v", state, err)
			}
			p, state := policy.Load(dir)
			if problem, cure := state.Problem(); p.Project("/secret") == 0 || problem == "" || state.Gone && !strings.Contains(cure, "config set") || state.Gone == (name == "empty") {
				t.Errorf("%+v: %q, %q", state, problem, cure)
			}
			if name == "dangling" {
				if _, err := config.Load(dir); err == nil || !strings.Contains(err.Error(), "leads nowhere") {
					t.Errorf("Load: %v", err)
				}
				return
			}
			if _, err := config.Change(dir, func(text []byte) ([]byte, error) { return config.Set(text, "capture.content", "full") }); err != nil {
				t.Fatal(err)
			}
			if p, state := policy.Load(dir); p != nil || state.Stale {
				t.Errorf("after config set: %+v, %+v", p.Rules(), state)
			}
		})
	}
	dir := home(t, "", 0o600)
	os.Remove(filepath.Join(dir, config.FileName))
	link(t, "nowhere", filepath.Join(dir, config.FileName))
	if p, state := policy.Load(dir); p.Rules().Content != policy.None || state.Err == nil {
		t.Errorf("never compiled from a dangling link: %+v, %+v", p.Rules(), state)
	}
}

// TestSetWithoutAFile: where config.toml is gone and its policy is in force, a key of something
// else does not end that; one that says what is kept does.
func TestSetWithoutAFile(t *testing.T) {
	for _, empty := range []bool{false, true} {
		dir := home(t, "[capture]\nexclude_projects = [\"/a/b\"]\n", 0o600)
		if _, err := config.CompilePolicy(dir); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, config.FileName)
		err := os.Remove(path)
		if empty {
			err = os.WriteFile(path, []byte("\n"), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		set := func(key, value string) error {
			_, err := config.Change(dir, func(text []byte) ([]byte, error) { return config.Set(text, key, value) })
			return err
		}
		if err := set("api.listen", "127.0.0.1:4009"); err == nil || !strings.Contains(err.Error(), "config set capture.content full") {
			t.Errorf("empty %v: %v", empty, err)
		}
		if p, _ := policy.Load(dir); p == nil || p.Project("/a/b/c") == 0 {
			t.Errorf("empty %v: the policy is gone", empty)
		}
		for _, key := range []string{"capture.content", "api.listen"} {
			if err := set(key, map[bool]string{true: "full", false: "127.0.0.1:4009"}[key == "capture.content"]); err != nil {
				t.Errorf("empty %v: %s: %v", empty, key, err)
			}
		}
		if p, _ := policy.Load(dir); p != nil && p.Project("/a/b/c") != 0 {
			t.Errorf("empty %v: the policy stays, though the user said otherwise", empty)
		}
	}
	if _, err := config.Change(home(t, "", 0o600), func(text []byte) ([]byte, error) { return config.Set(text, "api.listen", "127.0.0.1:4009") }); err != nil {
		t.Errorf("without a policy: %v", err)
	}
}
