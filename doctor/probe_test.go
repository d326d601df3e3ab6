package doctor

import (
	"maps"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/schema"
)

// script puts a program in the place of ag-hook.
func (p *patient) script(text string) string {
	p.Helper()
	path := p.path("bin/ag-hook")
	p.write("bin/ag-hook", "#!/bin/sh\n"+text+"\n")
	p.check(os.Chmod(path, 0o700))
	return path
}

// TestProbe: whatever is wrong with the handler is seen, and however it went nothing of the
// probe is left.
func TestProbe(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the handlers are for sh")
	}
	p := newPatient(t)
	elsewhere := p.path("elsewhere")
	handler := func(command string, args ...string) map[string]any {
		h := map[string]any{"type": "command", "command": command}
		if args != nil {
			h["args"] = args
		}
		return h
	}
	quoted := "'" + p.hook + "'"
	p.check(os.Symlink(p.hook, p.path("user/ag-hook")))
	for name, test := range map[string]struct {
		handler map[string]any
		script  string
		status  Status
		words   []string
	}{
		"exec form":             {handler(p.hook, "claude"), "", OK, nil},
		"with a home":           {handler(p.hook, "claude", "--home", p.Home), "", OK, nil},
		"by a shell":            {handler(quoted + " claude"), "", OK, nil},
		"by a shell, with env":  {handler("AG_HOME=" + p.Home + " " + quoted + " claude"), "", OK, nil},
		"in another's home":     {handler("AG_HOME=~/rec " + quoted + " claude"), "", Fail, []string{"records into " + p.path("user/rec")}},
		"by $HOME":              {handler(`"$HOME"/ag-hook claude --home ` + p.Home), "", OK, nil},
		"a detour":              {handler(p.path("bin/ag-hook"), "claude"), `exec ` + quoted + ` "$@"`, OK, nil},
		"not there":             {handler("/nowhere/ag-hook", "claude"), "", Fail, []string{"no such file", "ag-sessiond install"}},
		"not there, by a shell": {handler("/nowhere/ag-hook claude"), "", Fail, []string{"127", "not found"}},
		"blocks":                {handler(p.path("bin/ag-hook"), "claude"), "echo no >&2; exit 2", Fail, []string{"exit status 2: no"}},
		"talks":                 {handler(p.path("bin/ag-hook"), "claude"), quoted + ` "$@"; echo hello`, Fail, []string{`printed "hello`}},
		"records nothing":       {handler(p.path("bin/ag-hook"), "claude"), "cat >/dev/null", Fail, []string{"nothing of it is in the journal after 2s"}},
		"goes elsewhere":        {handler(p.hook, "claude", "--home", elsewhere), "", Fail, []string{"records into " + elsewhere, "install --home " + p.Home}},
		"tires":                 {handler(p.path("bin/ag-hook"), "claude"), `test -e ` + p.path("tired") + ` && exit 3; touch ` + p.path("tired") + "; exec " + quoted + ` "$@"`, Fail, []string{"recorded 1 probe and then failed"}},
		"forgets":               {handler(p.path("bin/ag-hook"), "claude"), `test -e ` + p.path("forgot") + ` && exit 0; touch ` + p.path("forgot") + "; exec " + quoted + ` "$@"`, Fail, []string{"1 are in the journal"}},
	} {
		before := p.tree()
		if test.script != "" {
			p.script(test.script)
		}
		p.write("user/.claude/settings.json", registersLine(test.handler, "PreToolUse"))
		t.Log(name)
		p.want("probe", test.status, test.words...)
		if after := p.tree(); !maps.Equal(before, after) {
			t.Errorf("%s: the home was changed", name)
		}
	}
	for _, home := range []string{elsewhere, p.path("user/rec")} {
		if left, err := os.ReadDir(journal.Dir(home)); err != nil || len(left) > 0 {
			t.Errorf("left in %s: %v, %v", home, left, err)
		}
	}
	// The cure of most.
	p.write("user/.claude/settings.json", registers(p.hook, events()...))
	p.want("probe", OK, "taken away again")
}

// TestProbeWithSettingsEnv: a settings file's "env" is what the hook has, the strongest file's.
func TestProbeWithSettingsEnv(t *testing.T) {
	p := newPatient(t)
	p.write("user/.claude/settings.json", `{"env":{"AG_HOME":`+quote(p.path("else"))+`},`+registers(p.hook, events()...)[1:])
	p.want("probe", Fail, "records into "+p.path("else"), `"env" in `+p.path("user/.claude/settings.json"))
	if left, err := os.ReadDir(journal.Dir(p.path("else"))); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
	p.write("project/.claude/settings.json", `{"env":{"AG_HOME":`+quote(p.Home)+`}}`)
	p.want("probe", OK)
	// --home is stronger than the variable.
	p.remove("project/.claude/settings.json")
	p.write("user/.claude/settings.json", `{"env":{"AG_HOME":`+quote(p.path("else"))+`},`+
		registersLine(map[string]any{"type": "command", "command": p.hook, "args": []string{"claude", "--home", p.Home}}, events()...)[1:])
	p.want("probe", OK)
}

func quote(s string) string { return string(schema.AppendString(nil, s)) }

// TestProbeHangs: a handler that hangs is ended, and a child of its shell, too, is not
// waited for.
func TestProbeHangs(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the handler is for sh")
	}
	p := newPatient(t)
	p.write("user/.claude/settings.json", registers(p.script("sleep 60"), "PreToolUse"))
	p.want("probe", Fail, "it had not ended after 5s")
}

// TestProbeOfAPlugin: its command is written with the plugin's folder.
func TestProbeOfAPlugin(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the handlers are for sh")
	}
	p := newPatient(t)
	p.remove("user/.claude/settings.json")
	p.plugin("rec@market", registers("${CLAUDE_PLUGIN_ROOT}/bin/ag-hook", "PreToolUse"))
	p.want("probe", Fail, "plugin rec@market")
	p.want("binary", Fail, "plugin rec@market")
	p.write("user/.claude/plugins/rec/bin/ag-hook", "#!/bin/sh\nexec '"+p.hook+"' \"$@\"\n")
	p.check(os.Chmod(p.path("user/.claude/plugins/rec/bin/ag-hook"), 0o700))
	p.want("probe", OK)
	p.want("binary", OK)
	p.plugin("rec@market", registersLine(map[string]any{"type": "command", "command": `"${CLAUDE_PLUGIN_ROOT}"/bin/ag-hook claude`}, "PreToolUse"))
	p.want("probe", OK)
	p.want("binary", OK)

	// The manifest may name files of hooks at any depth.
	p.remove("user/.claude/plugins/rec/hooks")
	p.write("user/.claude/plugins/rec/some/where/deep/h.json", registers("${CLAUDE_PLUGIN_ROOT}/bin/ag-hook", "PreToolUse"))
	p.write("user/.claude/plugins/rec/.claude-plugin/plugin.json", `{"name":"rec","hooks":"./some/where/deep/h.json"}`)
	p.want("probe", OK, "plugin rec@market")
	p.want("binary", OK, p.path("user/.claude/plugins/rec/bin/ag-hook"))
}

// TestProbeSweeps: what a doctor that was killed left is removed, and what another one is
// at is not.
func TestProbeSweeps(t *testing.T) {
	p := newPatient(t)
	p.record("PreToolUse", schema.ProbeID(1), time.Now())
	p.record("PreToolUse", schema.ProbeID(2), time.Now())
	old := time.Now().Add(-time.Hour)
	p.check(os.Chtimes(p.file(schema.ProbeID(1)), old, old))
	p.want("probe", OK)
	if _, err := os.Stat(p.file(schema.ProbeID(1))); err == nil {
		t.Error("it is still there")
	}
	if _, err := os.Stat(p.file(schema.ProbeID(2))); err != nil {
		t.Error(err)
	}
}

func TestLatency(t *testing.T) {
	round := func(median time.Duration) []time.Duration {
		return []time.Duration{time.Hour, median, time.Microsecond}
	}
	for median, want := range map[time.Duration]Status{2 * time.Millisecond: OK, slow: OK, slow + 1: Warn} {
		if got := judgeLatency(round(median))[0]; got.Status != want || got.Name != "latency" || (want != OK) != (got.Cure != "") {
			t.Errorf("%v: %+v, want %s", median, got, want)
		}
	}
}

func TestBinaries(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the programs are for sh")
	}
	p := newPatient(t)
	p.want("binary", OK, p.hook)
	p.Version = "v1.2.3"
	p.write("user/.claude/settings.json", registers(p.script("echo ag-hook v1.2.2"), "PreToolUse"))
	p.want("binary", Warn, "is version v1.2.2, and this is v1.2.3", "ag-sessiond install")
	p.script("echo ag-hook v1.2.3")
	p.want("binary", OK, "version v1.2.3")
	p.script("echo Usage:")
	p.want("binary", Fail, "is no ag-hook")
	p.script("exit 1")
	p.want("binary", Fail, "exit status 1")
	p.remove("bin")
	p.want("binary", Fail, "ag-sessiond install")
	p.write("user/.claude/settings.json", "{}")
	p.want("binary", OK, "none is registered")
}

func TestPath(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the programs are for sh")
	}
	p := newPatient(t)
	p.want("path", OK)
	for _, name := range []string{"a", "b"} {
		p.write(name+"/ag-thing", "#!/bin/sh\n")
		p.check(os.Chmod(p.path(name+"/ag-thing"), 0o700))
	}
	self := p.path("a/ag-thing")
	for path, want := range map[string]Status{"/nowhere": OK, p.path("a"): OK, p.path("b"): Warn, p.path("a") + ":" + p.path("b"): OK} {
		t.Setenv("PATH", path)
		if got := judgePath(self, "ag-thing")[0]; got.Status != want || (want != OK) != (got.Cure != "") {
			t.Errorf("%s: %+v, want %s", path, got, want)
		}
	}
}
