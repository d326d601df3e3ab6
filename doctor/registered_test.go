package doctor

import (
	"os"
	"strings"
	"testing"
)

func TestSettings(t *testing.T) {
	p := newPatient(t)
	well, err := os.ReadFile(p.path("user/.claude/settings.json"))
	p.check(err)
	p.want("settings", OK, "1 settings file")
	p.write("project/.claude/settings.json", "{\n // no\n}")
	p.want("settings", Fail, p.path("project/.claude/settings.json"), "correct it")
	p.remove("project/.claude/settings.json")

	p.want("hook", OK, "3 events are registered in "+p.path("user/.claude/settings.json")+" (user)")
	p.write("user/.claude/settings.json", `{"hooks":{"PreToolUse":[{"hooks":[{"type":"command","command":"prettier"}]}]}}`)
	p.want("hook", Fail, "nothing is recorded", "ag-sessiond install")
	p.write("user/.claude/settings.json", registers(p.hook, "SessionStart", "PreToolUse"))
	p.want("hook", Warn, "1 event is not recorded: SessionEnd", "ag-sessiond install")
	p.write("user/.claude/settings.json", strings.Replace(string(well), `"hooks":[{"args"`, `"matcher":"Bash","hooks":[{"args"`, 1))
	p.want("hook", Warn, "recorded in part: ", ": only Bash", "ag-sessiond install")
	p.write("user/.claude/settings.json", registersLine(map[string]any{"type": "command", "command": p.hook, "args": []string{"claude"}, "if": "Bash(git *)"}, "PreToolUse"))
	p.want("hook", Warn, "recorded in part: PreToolUse: only Bash(git *)", "ag-sessiond install")
	p.Events = []string{"Stop"}
	p.write("user/.claude/settings.json", registersLine(map[string]any{"type": "command", "command": p.hook, "args": []string{"claude"}, "if": "Bash(git *)"}, "Stop"))
	p.want("hook", Warn, "1 event is not recorded: Stop", "ag-sessiond install")
	p.Events = events()
	p.write("user/.claude/settings.json", strings.Replace(string(well), `"type":`, `"async":true,"type":`, 1))
	p.want("hook", Warn, "async", "ag-sessiond install")
	p.write("user/.claude/settings.json", string(well))
	p.want("hook", OK)
}

func TestSwitches(t *testing.T) {
	p := newPatient(t)
	p.want("switches", OK)
	for name, test := range map[string]struct{ file, text, want string }{
		"all hooks":    {"project/.claude/settings.local.json", `{"disableAllHooks":true}`, `take "disableAllHooks" out of`},
		"managed":      {"managed/managed-settings.json", `{"allowManagedHooksOnly":true}`, "register ag-hook there"},
		"plugins only": {"managed/managed-settings.json", `{"strictPluginOnlyCustomization":true}`, "install ag-hook as a plugin"},
	} {
		p.write(test.file, test.text)
		c := p.look("switches")
		if c.Status != Fail || !strings.Contains(c.Cure, test.want) || !strings.Contains(c.Cure, p.path(test.file)) {
			t.Errorf("%s: %+v", name, c)
		}
		p.remove(test.file)
		p.want("switches", OK)
	}
	// The managed settings have it themselves.
	p.write("managed/managed-settings.json", `{"allowManagedHooksOnly":true,`+registers(p.hook, events()...)[1:])
	p.want("switches", OK)
}

func TestTrust(t *testing.T) {
	p := newPatient(t)
	p.want("trust", OK, "is trusted")
	p.write("user/.claude.json", `{"projects":{}}`)
	p.want("trust", Warn, "interactive sessions run no hooks", "start claude in it")
	p.write("user/.claude.json", `{"projects":{"`+p.Claude.Project+`":{"hasTrustDialogAccepted":true}}}`)
	p.want("trust", OK)
	// Somewhere that is no project, and where nothing is known.
	p.Claude.Project = p.dir
	p.want("trust", OK, "asks at the first session")
	p.remove("user/.claude.json")
	p.want("trust", OK)
}

func TestDuplicates(t *testing.T) {
	p := newPatient(t)
	p.want("duplicates", OK, "none")
	p.write("project/.claude/settings.json", registers(p.hook, "PreToolUse"))
	p.want("duplicates", OK, "the same command", "runs it once")
	other := p.path("bin/" + programName("ag-hook"))
	p.write("project/.claude/settings.json", registers(other, "PreToolUse"))
	p.want("duplicates", Warn, "PreToolUse is recorded 2 times", "uninstall --project")
	p.remove("project/.claude/settings.json")
	p.want("duplicates", OK)

	// Twice in one file, with matchers that never and that may meet.
	twice := func(a, b string) string {
		entry := func(matcher, program string) string {
			return `{"matcher":"` + matcher + `","hooks":[{"type":"command","command":"` + program + `","args":["claude"]}]}`
		}
		return `{"hooks":{"PreToolUse":[` + entry(a, p.hook) + `,` + entry(b, other) + `]}}`
	}
	p.write("user/.claude/settings.json", twice("Bash", "Read"))
	p.want("duplicates", OK)
	p.write("user/.claude/settings.json", twice("Bash", "*"))
	p.want("duplicates", Warn, "ag-sessiond install --user")
	p.write("user/.claude/settings.json", registers(p.hook, events()...))

	// What is called by another program is ours, too.
	p.write("project/.claude/settings.json", registersLine(map[string]any{"type": "command", "command": "timeout 5 '" + p.hook + "' --home /x claude"}, "PreToolUse"))
	p.want("duplicates", Warn, "PreToolUse is recorded 2 times")
	p.remove("project/.claude/settings.json")

	// A plugin's copy is one of its own, though it runs the same.
	p.plugin("rec@market", registers(p.hook, "PreToolUse"))
	p.want("duplicates", Warn, "PreToolUse is recorded 2 times", "plugin rec@market", "claude plugin disable rec@market")
	p.remove("user/.claude/plugins")
	p.want("duplicates", OK)
}

// plugin installs one and enables it in the project's settings.
func (p *patient) plugin(name, hooks string) {
	p.Helper()
	p.write("user/.claude/plugins/rec/hooks/hooks.json", hooks)
	p.write("user/.claude/plugins/installed_plugins.json",
		`{"version":2,"plugins":{"`+name+`":[{"scope":"user","installPath":"`+p.path("user/.claude/plugins/rec")+`"}]}}`)
	p.write("project/.claude/settings.json", `{"enabledPlugins":{"`+name+`":true}}`)
}

func TestRecorders(t *testing.T) {
	p := newPatient(t)
	p.want("recorders", OK, "no other hook")
	for command, want := range map[string]struct {
		status Status
		words  string
	}{
		"prettier --write":                    {OK, "1 other hook on the same events"},
		"bash entirely.sh":                    {OK, "1 other hook"},
		"node /opt/claude-mem/worker.js":      {Warn, "other recorders on the same events: claude-mem"},
		"memgraph-context-graph hook run x":   {Warn, "context-graph"},
		"/usr/bin/entire hooks claude-code x": {Warn, "entire"},
	} {
		p.write("project/.claude/settings.json", registersLine(map[string]any{"type": "command", "command": command}, "PreToolUse"))
		p.want("recorders", want.status, want.words)
		p.write("project/.claude/settings.json", registersLine(map[string]any{"type": "command", "command": command}, "Notification"))
		p.want("recorders", OK, "no other hook")
	}
	p.remove("project/.claude/settings.json")
	p.want("recorders", OK)
}
