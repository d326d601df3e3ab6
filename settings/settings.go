// Package settings reads and edits the settings files of Claude Code, as far as hooks go.
// What edits is a function of bytes: everything that is not ours stays as it was, byte for
// byte.
package settings

import (
	"os"
	"path/filepath"
	"runtime"
)

// Scope says whose settings a file holds.
type Scope string

// The scopes of Claude Code, the strongest last. Hooks of all of them run.
const (
	User    Scope = "user"    // ~/.claude/settings.json, or below $CLAUDE_CONFIG_DIR
	Project Scope = "project" // <project>/.claude/settings.json
	Local   Scope = "local"   // <project>/.claude/settings.local.json
	Plugin  Scope = "plugin"  // hooks/hooks.json of an enabled plugin
	Managed Scope = "managed" // of the organisation
)

// Env is where to look. All paths are absolute.
type Env struct {
	UserHome   string // the user's home directory
	ConfigDir  string // $CLAUDE_CONFIG_DIR; "": <UserHome>/.claude
	Project    string // the project's folder; "": there is none
	GOOS       string // whose managed settings; "": runtime.GOOS
	ManagedDir string // of managed-settings.json; "": where GOOS has it
	PluginDir  string // $CLAUDE_CODE_PLUGIN_CACHE_DIR; "": <ConfigDir>/plugins
}

// Here is what Claude Code would see if it were started by this process, in the folder
// project ("": none).
func Here(project string) (Env, error) {
	home, err := os.UserHomeDir()
	if err != nil {
		return Env{}, err
	}
	env := Env{UserHome: home, GOOS: runtime.GOOS}
	for _, dir := range []struct {
		value string
		to    *string
	}{
		{os.Getenv("CLAUDE_CONFIG_DIR"), &env.ConfigDir},
		{os.Getenv("CLAUDE_CODE_PLUGIN_CACHE_DIR"), &env.PluginDir},
		{project, &env.Project},
	} {
		if dir.value == "" {
			continue
		}
		if *dir.to, err = filepath.Abs(dir.value); err != nil {
			return Env{}, err
		}
	}
	return env, nil
}

// Entry is one registered hook handler.
type Entry struct {
	Event   string   // "PreToolUse"
	Matcher string   // "" and "*" are all tools
	If      string   // a permission rule: where it does not hold the handler does not run
	Type    string   // "command", "http", …
	Command string   // of a command: the program, or with Exec unset a line for the shell
	Args    []string // of the exec form
	Exec    bool     // args is there: no shell
	Timeout float64  // seconds; 0: Claude Code's default
	Async   bool
	Line    int // of the file, from 1
}

// Switches are the settings that silence hooks.
type Switches struct {
	DisableAllHooks       bool
	AllowManagedHooksOnly bool // means something in managed settings alone
	// StrictPluginOnly is strictPluginOnlyCustomization, where it is for hooks; likewise.
	StrictPluginOnly bool
}

// File is one settings file as it is read.
type File struct {
	Scope   Scope
	Path    string // absolute
	Name    string // of the plugin, "name@marketplace"
	Exists  bool
	Entries []Entry
	Switches
	// Env are the variables that it sets in Claude Code, which its hooks have from there.
	Env map[string]string
	// Err says why it cannot be read: then Entries, Switches and Env are empty.
	Err error

	plugins map[string]bool // enabledPlugins
}
