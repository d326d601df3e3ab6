package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/policy"
	"github.com/actiongraph/actiongraph/schema"
)

// hooked runs the hook with a prompt of a session that is in a folder.
func hooked(t *testing.T, home, session, cwd, prompt string, env ...string) {
	t.Helper()
	cmd := command(home)
	cmd.Env = append(append(cmd.Env, "CLAUDE_PROJECT_DIR="), env...)
	cmd.Stdin = strings.NewReader(fmt.Sprintf(`{"session_id":%q,"cwd":%q,"hook_event_name":"UserPromptSubmit","prompt":%q}`, session, cwd, prompt))
	runQuietly(t, cmd)
}

func withPolicy(t *testing.T, home string, r policy.Rules) {
	t.Helper()
	if err := os.MkdirAll(home, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := policy.Write(home, r, policy.Stamp{}); err != nil {
		t.Fatal(err)
	}
}

func prompts(events []schema.Event) (out []string) {
	for _, e := range events {
		out = append(out, e.SessionID+" "+e.Content)
	}
	slices.Sort(out)
	return out
}

// TestExcludedSessions: what starts in an excluded folder is left out wherever it goes, what
// wanders into one only while it is there; and a session is no longer left out once its
// folder is no longer excluded.
func TestExcludedSessions(t *testing.T) {
	home := filepath.Join(t.TempDir(), "home")
	withPolicy(t, home, policy.Rules{ExcludeProjects: []string{"/secret"}})
	hooked(t, home, "in", "/secret/a", "1")
	hooked(t, home, "in", "/tmp", "2")
	hooked(t, home, "wanders", "/tmp", "3")
	hooked(t, home, "wanders", "/secret", "4")
	hooked(t, home, "wanders", "/secrets", "5")
	hooked(t, home, "project", "/tmp", "6", "CLAUDE_PROJECT_DIR=/secret/b")
	want := []string{"wanders 3", "wanders 5"}
	if got := prompts(events(t, home)); !slices.Equal(got, want) {
		t.Errorf("recorded %q, want %q", got, want)
	}
	if n, err := journal.ReadLeftOut(home); err != nil || n != (journal.LeftOut{Sessions: 2, Parts: 1, Events: 4}) {
		t.Errorf("counted %+v, %v", n, err)
	}
	// Another rule beside it changes nothing for who is out.
	withPolicy(t, home, policy.Rules{ExcludeProjects: []string{"/new", "/secret"}})
	hooked(t, home, "in", "/tmp", "7")
	withPolicy(t, home, policy.Rules{ExcludeProjects: []string{"/new"}, Content: policy.None})
	hooked(t, home, "in", "/secret/a", "a text that is eight bytes long")
	withPolicy(t, home, policy.Rules{})
	hooked(t, home, "in", "/secret/a", "8")
	got := prompts(events(t, home))
	if len(got) != 4 || !strings.HasPrefix(got[1], "in [left out: 31 bytes, ") || got[0] != "in 8" {
		t.Errorf("recorded %q", got)
	}
	files, err := os.ReadDir(journal.LeftOutDir(home))
	if err != nil || len(files) != 3 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		info, err := f.Info()
		if err != nil || info.Mode().Perm()&0o077 != 0 && os.PathSeparator == '/' || strings.Contains(f.Name(), "in") {
			t.Errorf("%s: %v, %v", f.Name(), info.Mode(), err)
		}
	}
}

// TestPolicyThatCannotBeRead: then nothing of any text is recorded, and hook.log says so,
// once a day.
func TestPolicyThatCannotBeRead(t *testing.T) {
	const prompt = "the needle in the prompt"
	whole := func(t *testing.T, home string) []byte {
		withPolicy(t, home, policy.Rules{Content: policy.Gist})
		text, err := os.ReadFile(filepath.Join(home, policy.FileName))
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	put := func(t *testing.T, home, name string, text []byte) {
		t.Helper()
		if err := os.MkdirAll(home, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(home, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		make func(t *testing.T, home string)
		kept bool
		log  string
	}{
		"none": {func(t *testing.T, home string) {}, true, ""},
		"empty file": {func(t *testing.T, home string) { put(t, home, policy.FileName, nil) },
			false, "no compiled policy"},
		"cut": {func(t *testing.T, home string) {
			text := whole(t, home)
			put(t, home, policy.FileName, text[:len(text)-5])
		}, false, "damaged"},
		"a changed byte": {func(t *testing.T, home string) {
			put(t, home, policy.FileName, bytes.Replace(whole(t, home), []byte("gist"), []byte("full"), 1))
		}, false, "damaged"},
		"newer": {func(t *testing.T, home string) {
			put(t, home, policy.FileName, bytes.Replace(whole(t, home), []byte("policy 1 "), []byte("policy 2 "), 1))
		}, false, "version 2"},
		"a directory": {func(t *testing.T, home string) {
			if err := os.MkdirAll(filepath.Join(home, policy.FileName), 0o700); err != nil {
				t.Fatal(err)
			}
		}, false, "cannot be read"},
		"never compiled": {func(t *testing.T, home string) {
			put(t, home, "config.toml", []byte("[capture]\ncontent = \"gist\"\n"))
		},
			false, "never compiled"},
		"never compiled, of other things": {func(t *testing.T, home string) {
			put(t, home, "config.toml", []byte("[api]\nlisten = \"127.0.0.1:1\"\n"))
		},
			true, "not in force yet"},
		"stale": {func(t *testing.T, home string) {
			whole(t, home)
			put(t, home, "config.toml", []byte("[capture]\ncontent = \"none\"\n"))
		}, true, "not in force yet"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			home := filepath.Join(t.TempDir(), "home")
			c.make(t, home)
			for range 3 {
				hooked(t, home, "s", "/tmp", prompt)
			}
			for _, e := range events(t, home) {
				if (e.Content == prompt) != c.kept {
					t.Errorf("recorded %q", e.Content)
				}
			}
			log := hookLogText(t, home)
			want := 1
			if c.log == "" {
				want = 0
			}
			if strings.Count(log, "\n") != want || !strings.Contains(log, c.log) || strings.Contains(log, "needle") {
				t.Errorf("hook.log: %s, want once %q", log, c.log)
			}
		})
	}
}

// TestExcludedWithoutCwd: where a payload does not say where the agent works, the folder
// that the hook was started in does.
func TestExcludedWithoutCwd(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	secret, home := filepath.Join(dir, "secret"), filepath.Join(dir, "home")
	if err := os.MkdirAll(filepath.Join(secret, "sub"), 0o700); err != nil {
		t.Fatal(err)
	}
	withPolicy(t, home, policy.Rules{ExcludeProjects: []string{filepath.ToSlash(secret)}})
	for i, c := range []struct{ started, cwd, runtime string }{
		{secret, "", "claude"}, {secret + "/sub", `"cwd":".",`, "claude"}, {dir, `"cwd":"secret/sub",`, "claude"}, {secret, `"cwd":7,`, "claude"},
		{secret, "", "events"},
		{dir, "", "claude"}, {secret, `"cwd":"` + filepath.ToSlash(dir) + `",`, "claude"}, {dir, "", "events"},
	} {
		cmd := command(home)
		cmd.Args[1] = c.runtime
		cmd.Dir, cmd.Env = c.started, append(cmd.Env, "CLAUDE_PROJECT_DIR=", "PWD="+c.started)
		text := fmt.Sprintf(`{"session_id":"s%d",%s"hook_event_name":"UserPromptSubmit","prompt":"p"}`, i, c.cwd)
		if c.runtime == "events" {
			text = fmt.Sprintf(`{"v":1,"event_id":"e%d","event_type":"message","session_id":"s%d","timestamp":"2026-01-02T03:04:05Z","role":"user","content":"p","source_sdk":"x","actor":"user"}`, i, i)
		}
		cmd.Stdin = strings.NewReader(text)
		runQuietly(t, cmd)
	}
	if got, want := prompts(events(t, home)), []string{"s5 p", "s6 p", "s7 p"}; !slices.Equal(got, want) {
		t.Errorf("recorded %q, want %q", got, want)
	}
}
