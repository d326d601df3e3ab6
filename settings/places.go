package settings

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/tailscale/hujson"
)

// maxSize is the longest settings file that Claude Code 2.1.330 reads.
const maxSize = 2 << 20

// configDir is where the user's settings are.
func (env Env) configDir() string {
	if env.ConfigDir != "" {
		return env.ConfigDir
	}
	return filepath.Join(env.UserHome, ".claude")
}

// managedDir is where an organisation puts its settings.
func (env Env) managedDir() string {
	goos := env.GOOS
	if goos == "" {
		goos = runtime.GOOS
	}
	switch {
	case env.ManagedDir != "":
		return env.ManagedDir
	case goos == "darwin":
		return "/Library/Application Support/ClaudeCode"
	case goos == "windows":
		return `C:\Program Files\ClaudeCode`
	}
	return "/etc/claude-code"
}

// Path is the settings file of a scope that a user edits: User, Project or Local; ""
// for others, and where there is no project.
func (env Env) Path(s Scope) string {
	switch {
	case s == User:
		return filepath.Join(env.configDir(), "settings.json")
	case s == Project && env.Project != "":
		return filepath.Join(env.Project, ".claude", "settings.json")
	case s == Local && env.Project != "":
		return filepath.Join(env.Project, ".claude", "settings.local.json")
	}
	return ""
}

// Files reads every settings file that counts in env, weakest first, also those that are
// not there: they say where settings would be.
func Files(env Env) []File {
	var files []File
	for _, scope := range []Scope{User, Project, Local} {
		path := env.Path(scope)
		// A session in the home directory has one file twice; it counts once.
		if path != "" && !slices.ContainsFunc(files, func(f File) bool { return f.Path == path }) {
			files = append(files, readFile(scope, path))
		}
	}
	// Started below the root of a repository, Claude Code reads that one's local file, too.
	if real, err := filepath.EvalSymlinks(env.Project); err == nil && env.Project != "" {
		if root := mainRoot(real); root != real {
			files = append(files, readFile(Local, filepath.Join(root, ".claude", "settings.local.json")))
		}
	}
	dir := env.managedDir()
	managed := []File{readFile(Managed, filepath.Join(dir, "managed-settings.json"))}
	drops, _ := filepath.Glob(filepath.Join(dir, "managed-settings.d", "*.json")) // sorted
	for _, path := range drops {
		managed = append(managed, readFile(Managed, path))
	}
	files = append(files, env.pluginFiles(append(slices.Clone(files), managed...))...)
	return append(files, managed...)
}

// readFile reads one file. One that is not there is no error.
func readFile(scope Scope, path string) File {
	f := File{Scope: scope, Path: path}
	text, err := read(path)
	if errors.Is(err, fs.ErrNotExist) {
		return f
	}
	f.Exists = true
	var d *document
	if err == nil {
		d, err = parse(text)
	}
	if err != nil {
		f.Err = fmt.Errorf("%s: %w", path, err)
		return f
	}
	f.Entries, f.Switches = d.entries(member(&d.root, "hooks")), d.switches()
	f.Env = map[string]string{}
	for _, m := range live(member(&d.root, "env")) {
		if v := &m.Value; v.Value.Kind() == '"' {
			f.Env[key(*m)] = str(v)
		}
	}
	f.plugins = map[string]bool{}
	for _, m := range live(member(&d.root, "enabledPlugins")) {
		// A list of versions enables, too, but not what a user installed.
		f.plugins[key(*m)] = truth(&m.Value)
	}
	return f
}

// read reads a file as Claude Code would: not one that is longer than it reads, nor one
// that is no file.
func read(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("is no regular file")
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxSize+1))
	if err == nil && len(text) > maxSize {
		err = fmt.Errorf("is longer than the %d bytes that Claude Code reads", maxSize)
	}
	return text, err
}

// pluginFiles are the hooks of plugins that are enabled: installed, and switched on by
// the strongest file that names them.
func (env Env) pluginFiles(files []File) []File {
	enabled := map[string]bool{}
	for _, f := range files {
		maps.Copy(enabled, f.plugins)
	}
	dir := env.PluginDir
	if dir == "" {
		dir = filepath.Join(env.configDir(), "plugins")
	}
	path := filepath.Join(dir, "installed_plugins.json")
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var d *document
	if err == nil {
		d, err = parse(text)
	}
	if err != nil {
		return []File{{Scope: Plugin, Path: path, Exists: true, Err: fmt.Errorf("%s: %w", path, err)}}
	}
	var found []File
	for _, m := range live(member(&d.root, "plugins")) {
		if name := key(*m); enabled[name] {
			for _, root := range env.installs(&m.Value) {
				found = append(found, hooksOf(name, root)...)
			}
		}
	}
	return found
}

// installs are the folders of a plugin, of those for a project only this one's.
// Version 1 of the file has one installation a plugin, version 2 a list.
func (env Env) installs(v *hujson.Value) []string {
	all := elements(v)
	if all == nil {
		all = []hujson.Value{*v}
	}
	var roots []string
	for _, install := range all {
		root := str(member(&install, "installPath"))
		project := str(member(&install, "projectPath"))
		if root != "" && (project == "" || filepath.Clean(project) == env.Project) && !slices.Contains(roots, root) {
			roots = append(roots, root)
		}
	}
	return roots
}

// hooksOf are the files of hooks of a plugin: hooks/hooks.json, those that its manifest
// names, and the manifest itself where it holds some.
func hooksOf(name, root string) []File {
	files := []File{readPlugin(name, filepath.Join(root, "hooks", "hooks.json"))}
	path := filepath.Join(root, ".claude-plugin", "plugin.json")
	text, err := read(path)
	if err != nil {
		return files
	}
	manifest, err := parse(text)
	if err != nil {
		return files
	}
	hooks := member(&manifest.root, "hooks")
	more := elements(hooks)
	if more == nil && hooks != nil {
		more = []hujson.Value{*hooks}
	}
	for _, h := range more {
		if relative := str(&h); relative != "" {
			file := filepath.Join(root, filepath.FromSlash(strings.TrimPrefix(relative, "./")))
			if !slices.ContainsFunc(files, func(f File) bool { return f.Path == file }) {
				files = append(files, readPlugin(name, file))
			}
		} else if h.Value.Kind() == '{' {
			inner := &h
			if wrapped := member(inner, "hooks"); wrapped != nil && wrapped.Value.Kind() == '{' {
				inner = wrapped
			}
			files = append(files, File{Scope: Plugin, Name: name, Path: path, Exists: true, Entries: manifest.entries(inner)})
		}
	}
	return files
}

func readPlugin(name, path string) File {
	f := readFile(Plugin, path)
	f.Name, f.Switches, f.Env, f.plugins = name, Switches{}, nil, nil
	return f
}
