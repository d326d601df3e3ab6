package settings

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func testEnv(t *testing.T) Env {
	dir := t.TempDir()
	return Env{UserHome: filepath.Join(dir, "u"), Project: filepath.Join(dir, "p"), ManagedDir: filepath.Join(dir, "m")}
}

func TestFilesOfNothing(t *testing.T) {
	env := testEnv(t)
	want := []string{
		"user u/.claude/settings.json", "project p/.claude/settings.json",
		"local p/.claude/settings.local.json", "managed m/managed-settings.json",
	}
	var got []string
	for _, f := range Files(env) {
		rel, _ := filepath.Rel(filepath.Dir(env.UserHome), f.Path)
		got = append(got, fmt.Sprint(f.Scope, " ", filepath.ToSlash(rel)))
		if f.Exists || f.Err != nil || len(f.Entries) > 0 {
			t.Errorf("%+v", f)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestFilesEntries(t *testing.T) {
	env := testEnv(t)
	write(t, env.Path(User), "\uFEFF"+`{
  "disableAllHooks": true,
  "hooks": {"Stop": [{"hooks": [{"type": "command", "command": "dead"}]}]},
  "hooks": {
    "PreToolUse": [
      {"matcher": "Bash|Edit", "hooks": [
        {"type": "command", "command": "/x/ag-hook", "args": ["claude", "--home", "/h"], "timeout": 2.5, "async": true},
        7, {"type": "http", "url": "http://localhost"}
      ]}, null, {"hooks": {}}
    ],
    "Stop": {"no": "list"}
  }
}`)
	f := Files(env)[0]
	want := []Entry{
		{Event: "PreToolUse", Matcher: "Bash|Edit", Type: "command", Command: "/x/ag-hook", Args: []string{"claude", "--home", "/h"}, Exec: true, Timeout: 2.5, Async: true, Line: 7},
		{Event: "PreToolUse", Matcher: "Bash|Edit", Type: "http", Line: 8},
	}
	if !reflect.DeepEqual(f.Entries, want) || f.Err != nil || !f.DisableAllHooks || f.AllowManagedHooksOnly {
		t.Errorf("%+v", f)
	}
}

func TestFilesThatCannotBeRead(t *testing.T) {
	env := testEnv(t)
	for text, want := range map[string]string{
		"{\n \"a\": 1,\n}":          "line 3, column 1",
		"{ // mine\n}":              "line 1, column 3",
		"{\"é\":1 \"b\":2}":         "line 1, column 8",
		"{":                         "line 1, column 2",
		"[]":                        "no object",
		strings.Repeat("[", 20000):  "depth",
		strings.Repeat(" ", 3<<20):  "longer",
		"{\"a\":\"" + "x\n" + "\"}": "line 1, column 8",
	} {
		write(t, env.Path(User), text)
		f := Files(env)[0]
		if f.Err == nil || !strings.Contains(f.Err.Error(), want) || !strings.Contains(f.Err.Error(), f.Path) || !f.Exists {
			t.Errorf("%.20q: %v, want %s", text, f.Err, want)
		}
	}
	if err := os.Remove(env.Path(User)); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(env.Path(User), 0o700); err != nil {
		t.Fatal(err)
	}
	if f := Files(env)[0]; f.Err == nil {
		t.Error("a folder was read")
	}
}

func TestFilesSwitches(t *testing.T) {
	env := testEnv(t)
	managed := filepath.Join(env.ManagedDir, "managed-settings.json")
	for text, want := range map[string]Switches{
		`{"strictPluginOnlyCustomization":true,"allowManagedHooksOnly":true}`: {StrictPluginOnly: true, AllowManagedHooksOnly: true},
		`{"strictPluginOnlyCustomization":["skills","hooks"]}`:                {StrictPluginOnly: true},
		`{"strictPluginOnlyCustomization":["skills"]}`:                        {},
		`{"disableAllHooks":false}`:                                           {},
		" \n":                                                                 {},
	} {
		write(t, managed, text)
		files := Files(env)
		if f := files[len(files)-1]; f.Scope != Managed || f.Switches != want || f.Err != nil {
			t.Errorf("%s: %+v", text, f)
		}
	}
}

func TestFilesOfPlugins(t *testing.T) {
	env := testEnv(t)
	plugin := func(name, manifest string, files map[string]string) string {
		root := filepath.Join(filepath.Dir(env.UserHome), "cache", name)
		write(t, filepath.Join(root, ".claude-plugin", "plugin.json"), manifest)
		for path, text := range files {
			write(t, filepath.Join(root, path), text)
		}
		return filepath.ToSlash(root)
	}
	ours := `{"hooks":{"Stop":[{"hooks":[{"type":"command","command":"ag-hook","args":["claude"]}]}]}}`
	standard := plugin("a", `{"name":"a"}`, map[string]string{"hooks/hooks.json": ours})
	named := plugin("b", `{"name":"b","hooks":["./x.json",`+ours+`,"hooks/hooks.json"]}`, map[string]string{"x.json": ours})
	write(t, filepath.Join(env.configDir(), "plugins", "installed_plugins.json"), fmt.Sprintf(`{"version":2,"plugins":{
		"a@m":[{"scope":"user","installPath":%q}],
		"off@m":[{"scope":"user","installPath":%[1]q}],
		"unsaid@m":[{"scope":"user","installPath":%[1]q}],
		"other@m":[{"scope":"project","projectPath":"/elsewhere","installPath":%[1]q}],
		"b@m":[{"scope":"local","projectPath":%[3]q,"installPath":%[2]q}]}}`, standard, named, env.Project))
	write(t, env.Path(User), `{"enabledPlugins":{"a@m":true,"off@m":true,"other@m":true}}`)
	write(t, env.Path(Local), `{"enabledPlugins":{"b@m":true,"off@m":false}}`)
	var got []string
	for _, f := range Files(env) {
		if f.Scope == Plugin {
			got = append(got, fmt.Sprintf("%s %s %d", f.Name, filepath.Base(f.Path), len(f.Entries)))
		}
	}
	want := []string{"a@m hooks.json 1", "b@m hooks.json 0", "b@m x.json 1", "b@m plugin.json 1"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// What Claude Code 2.1.330 does: below the root of a repository the project's settings are
// those of the folder, the local ones those of both.
func TestFilesBelowARepository(t *testing.T) {
	env := testEnv(t)
	write(t, filepath.Join(env.Project, ".git", "HEAD"), "")
	write(t, filepath.Join(env.Project, "sub", "file"), "")
	env.Project = filepath.Join(env.Project, "sub")
	var got []string
	for _, f := range Files(env) {
		if f.Scope == Local || f.Scope == Project {
			got = append(got, filepath.ToSlash(f.Path[strings.LastIndex(f.Path, "p"+string(filepath.Separator)):]))
		}
	}
	want := []string{"p/sub/.claude/settings.json", "p/sub/.claude/settings.local.json", "p/.claude/settings.local.json"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestOurs(t *testing.T) {
	for command, want := range map[string]string{
		`/usr/bin/ag-hook claude`:                             "ours",
		`ag-hook claude --home "/a b"`:                        "ours",
		`"/opt/my tools/ag-hook" claude`:                      "ours",
		`/opt/my\ tools/ag-hook claude`:                       "ours",
		`AG_HOME=/x exec ag-hook claude`:                      "ours",
		`"${CLAUDE_PLUGIN_ROOT}/bin/ag-hook" claude`:          "ours",
		`${CLAUDE_PLUGIN_ROOT}/bin/ag-hook claude`:            "ours",
		`C:\Tools\AG-Hook.exe claude`:                         "ours",
		`& 'C:\Program Files\ag\ag-hook.exe' claude`:          "ours",
		`tee -a /tmp/log | ag-hook claude`:                    "wrapped",
		`command -v ag-hook >/dev/null && ag-hook claude; ok`: "wrapped",
		`ag-hook --home /x claude`:                            "ours",
		`ag-hook --home=/x -at y claude`:                      "ours",
		`timeout 5 /b/ag-hook claude`:                         "wrapped",
		`AG_HOME=/x timeout -k 1 5 ag-hook --home /y claude`:  "wrapped",
		`nice -n 10 ag-hook claude`:                           "wrapped",
		`sh -c 'ag-hook claude'`:                              "wrapped",
		`/bin/bash -lc "cd /; exec ag-hook claude"`:           "wrapped",
		`if true; then ag-hook claude; fi`:                    "wrapped",
		`timeout 5 ag-hook events`:                            "",
		`ag-hook --home claude`:                               "",
		`sh -c 'echo ag-hook claude'`:                         "",
		`ag-hook events`:                                      "",
		`ag-hook`:                                             "",
		`echo ag-hook claude`:                                 "",
		`my-ag-hook claude`:                                   "",
		`echo "x; ag-hook claude"`:                            "",
		`/x/ag-hook.sh claude`:                                "",
		``:                                                    "",
	} {
		e := Entry{Type: "command", Command: command}
		got := ""
		if e.Ours() {
			got = "ours"
		}
		if e.Wrapped() {
			got = "wrapped"
		}
		if got != want {
			t.Errorf("%s: %q, want %q", command, got, want)
		}
	}
	exec := Entry{Type: "command", Exec: true, Command: "/a b/ag-hook", Args: []string{"claude"}}
	if !exec.Ours() || exec.Wrapped() {
		t.Error("the exec form is not ours")
	}
	wrapped := Entry{Type: "command", Exec: true, Command: "timeout", Args: []string{"5", "ag-hook", "claude"}}
	if !wrapped.Wrapped() {
		t.Error("the exec form with a wrapper is not wrapped")
	}
	exec.Args = []string{"events"}
	http := Entry{Type: "http", Command: "ag-hook claude"}
	if exec.Ours() || http.Ours() {
		t.Error("another's is ours")
	}
}

func TestTrusted(t *testing.T) {
	env := testEnv(t)
	if _, known := Trusted(env); known {
		t.Error("known without a file")
	}
	if err := os.MkdirAll(filepath.Join(env.Project, "sub"), 0o700); err != nil {
		t.Fatal(err)
	}
	real, err := filepath.EvalSymlinks(env.Project)
	if err != nil {
		t.Fatal(err)
	}
	state := filepath.Join(env.UserHome, ".claude.json")
	check := func(dir string, trusted, want bool) {
		t.Helper()
		write(t, state, fmt.Sprintf(`{"projects":{"/odd":7,%q:{"hasTrustDialogAccepted":%v}}}`, filepath.ToSlash(dir), trusted))
		e := env
		e.Project = filepath.Join(env.Project, "sub")
		if got, known := Trusted(e); got != want || !known {
			t.Errorf("%s trusted: %v, known %v", dir, got, known)
		}
	}
	check(filepath.Join(real, "sub"), true, true)
	check(real, true, true)
	check(real, false, false)
	check(filepath.Join(real, "other"), true, false)
	check(filepath.Dir(real), true, true)
	// A repository ends the way up.
	if err := os.Mkdir(filepath.Join(env.Project, ".git"), 0o700); err != nil {
		t.Fatal(err)
	}
	check(filepath.Dir(real), true, false)
	check(real, true, true)
	// A linked work tree is trusted with the main one.
	if err := os.Remove(filepath.Join(env.Project, ".git")); err != nil {
		t.Fatal(err)
	}
	main := filepath.Join(filepath.Dir(real), "main")
	write(t, filepath.Join(env.Project, ".git"), "gitdir: "+filepath.Join(main, ".git", "worktrees", "p")+"\n")
	check(main, true, true)
}
