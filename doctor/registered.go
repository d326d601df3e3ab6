package doctor

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/actiongraph/actiongraph/settings"
)

// registration is one hook of ours in one file.
type registration struct {
	file  settings.File
	entry settings.Entry
}

// where names a registration's file for people.
func (r registration) where() string { return where(r.file) }

func where(f settings.File) string {
	if f.Scope == settings.Plugin {
		return "plugin " + f.Name
	}
	return f.Path + " (" + string(f.Scope) + ")"
}

// handler is what a registration runs: Claude Code runs the same one of several settings
// files once, and a plugin's beside it.
func (r registration) handler() string {
	words := append([]string{fmt.Sprint(r.entry.Exec), r.entry.Command}, r.entry.Args...)
	if r.file.Scope == settings.Plugin {
		words = append(words, r.file.Path)
	}
	return strings.Join(words, "\x00")
}

// ours are the registrations of ag-hook, file by file.
func (e *exam) ours() (all []registration) {
	for _, f := range e.settings() {
		for _, entry := range f.Entries {
			if entry.Ours() {
				all = append(all, registration{f, entry})
			}
		}
	}
	return all
}

// handlers are the first registrations of each handler.
func handlers(all []registration) (firsts []registration) {
	for _, r := range all {
		if !slices.ContainsFunc(firsts, func(o registration) bool { return o.handler() == r.handler() }) {
			firsts = append(firsts, r)
		}
	}
	return firsts
}

const install = "ag-sessiond install"

// settingsFiles are those that Claude Code reads here. One with an error in it counts for nothing,
// and hooks in it are silent.
func settingsFiles(_ context.Context, e *exam) []Check {
	n := 0
	for _, f := range e.settings() {
		if f.Err != nil {
			return fail("correct it: Claude Code leaves out what it cannot read", "%v", f.Err)
		}
		if f.Exists {
			n++
		}
	}
	return ok("%s of Claude Code can be read", plural(n, "settings file", "settings files"))
}

// registered asks whether Claude Code calls ag-hook, at every event.
func registered(_ context.Context, e *exam) []Check {
	all := e.ours()
	if len(all) == 0 {
		return fail(install, "no hook of Claude Code calls ag-hook: nothing is recorded")
	}
	have := map[string]bool{}
	for _, r := range all {
		if r.entry.Async {
			return warn(install, "%s has %s async: events come in any order, and the last are lost", r.where(), r.entry.Event)
		}
		if limit(r.entry) == "" {
			have[r.entry.Event] = true
		}
	}
	var lacks []string
	for _, event := range e.Events {
		if !have[event] && !slices.ContainsFunc(all, func(r registration) bool { return r.entry.Event == event && !never(r.entry) }) {
			lacks = append(lacks, event)
		}
	}
	if found := append(inPart(all, have), lacking(lacks)...); len(found) > 0 {
		return found
	}
	return ok("%s registered in %s", plural(len(have), "event is", "events are"), strings.Join(places(all), ", "))
}

// places are the files of registrations, each once.
func places(all []registration) (names []string) {
	for _, r := range all {
		if name := r.where(); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// duplicates are several handlers for one event: each step of the agent waits for all of them,
// and what they record is told apart by nothing but that it is the same.
func duplicates(_ context.Context, e *exam) []Check {
	all := e.ours()
	byEvent := map[string][]registration{}
	for _, r := range all {
		byEvent[r.entry.Event] = append(byEvent[r.entry.Event], r)
	}
	for _, r := range all { // in the order of the files
		others := slices.DeleteFunc(handlers(byEvent[r.entry.Event]), func(o registration) bool {
			return !overlap(r.entry, o.entry)
		})
		if len(others) > 1 {
			return warn(removal(others), "%s is recorded %d times: in %s", r.entry.Event, len(others), strings.Join(places(others), " and "))
		}
	}
	if names := places(all); len(names) > 1 {
		return ok("the same command in %s: Claude Code runs it once", strings.Join(names, " and "))
	}
	return ok("none")
}

func overlap(a, b settings.Entry) bool { return a.Matcher == b.Matcher || a.Every() || b.Every() }

// removal says how all but the first of several are taken out.
func removal(several []registration) string {
	var ways []string
	for _, r := range several[1:] {
		way := "take it out of " + r.file.Path
		switch r.file.Scope {
		case settings.Plugin:
			way = "claude plugin disable " + r.file.Name
		case several[0].file.Scope:
			way = install + " --" + string(r.file.Scope) // mends what is there twice
		case settings.User, settings.Project, settings.Local:
			way = "ag-sessiond uninstall --" + string(r.file.Scope)
		}
		if !slices.Contains(ways, way) {
			ways = append(ways, way)
		}
	}
	return strings.Join(ways, "; ")
}

// knownRecorders are words in the commands, or the names of plugins, of other programs that record
// sessions.
func knownRecorders() []string {
	return []string{"claude-mem", "langfuse", "agentsview", "context-graph", "agentmemory", "langsmith", "opik", "entire",
		"claude-code-graphql", "observability", "agent-monitor", "claude-trace", "helicone", "weave", "basic-memory"}
}

// recorders names who else listens to the events that we record: for information, as an agent
// waits for all of them.
func recorders(_ context.Context, e *exam) []Check {
	events := map[string]bool{}
	for _, r := range e.ours() {
		events[r.entry.Event] = true
	}
	var known, in []string
	others := 0
	for _, f := range e.settings() {
		for _, entry := range f.Entries {
			if entry.Ours() || !events[entry.Event] {
				continue
			}
			others++
			if name := recorderIn(f.Name + " " + entry.Command + " " + strings.Join(entry.Args, " ")); name != "" && !slices.Contains(known, name) {
				known, in = append(known, name), append(in, where(f))
			}
		}
	}
	switch {
	case len(known) > 0:
		return warn("keep both, if both are wanted: each step of the agent waits for all of them",
			"other recorders on the same events: %s, in %s", strings.Join(known, ", "), strings.Join(slices.Compact(in), ", "))
	case others > 0:
		return ok("none that is known, and %s on the same events", plural(others, "other hook", "other hooks"))
	}
	return ok("no other hook is on the same events")
}

func recorderIn(text string) string {
	text = strings.ToLower(text)
	for _, name := range knownRecorders() {
		// As a word: "entirely.sh" is none.
		at := strings.Index(text, name)
		if at >= 0 && (at == 0 || !letter(text[at-1])) && (at+len(name) == len(text) || !letter(text[at+len(name)])) {
			return name
		}
	}
	return ""
}

func letter(c byte) bool { return 'a' <= c && c <= 'z' }

// switches are settings that silence hooks, without a word of Claude Code's.
func switches(_ context.Context, e *exam) []Check {
	in := map[settings.Scope]bool{}
	for _, r := range e.ours() {
		in[r.file.Scope] = true
	}
	for _, f := range e.settings() {
		cure := "ask who keeps " + f.Path + " to register ag-hook there"
		switch {
		case f.DisableAllHooks:
			return fail(fmt.Sprintf(`take "disableAllHooks" out of %s`, f.Path), "disableAllHooks is set in %s: nothing is recorded", where(f))
		case f.AllowManagedHooksOnly && f.Scope == settings.Managed && !in[settings.Managed]:
			return fail(cure, "allowManagedHooksOnly is set in %s: other hooks than those there are silent", where(f))
		case f.StrictPluginOnly && f.Scope == settings.Managed && !in[settings.Managed] && !in[settings.Plugin]:
			return fail(cure+", or install ag-hook as a plugin", "strictPluginOnlyCustomization is set in %s: hooks of settings files are silent", where(f))
		}
	}
	return ok("none silences hooks")
}

// trust asks whether hooks run in this folder: an interactive session holds those of settings files until
// the person says that he trusts it. A folder that is no project, as where somebody happens
// to be, is worth no warning.
func trust(_ context.Context, e *exam) []Check {
	dir := e.Claude.Project
	trusted, known := settings.Trusted(e.Claude)
	switch {
	case trusted:
		return ok("%s is trusted", dir)
	case dir == "" || !known || !isProject(dir) || dir == e.Claude.UserHome:
		return ok("Claude Code asks at the first session in a folder, and hooks run after that")
	}
	return warn("start claude in it once, and say that it is trusted", "%s is not trusted: until it is, interactive sessions run no hooks there", dir)
}

func isProject(dir string) bool {
	for _, sign := range []string{".claude", ".git"} {
		if _, err := os.Lstat(filepath.Join(dir, sign)); err == nil {
			return true
		}
	}
	return false
}
