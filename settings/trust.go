package settings

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
)

// Trusted reports whether the user has said that he trusts the project's folder, as Claude
// Code keeps it: for the folder or one above it, up to the root of its repository. Known is
// false where that cannot be told. Until a folder is trusted an interactive session runs no
// hooks of settings files; "claude -p" does not ask. The home directory is never recorded:
// there the answer holds for one session.
func Trusted(env Env) (trusted, known bool) {
	if env.Project == "" {
		return false, false
	}
	projects, ok := env.projects()
	if !ok {
		return false, false
	}
	at := env.Project
	if real, err := filepath.EvalSymlinks(at); err == nil {
		at = real // Claude Code has the folder from getcwd(2)
	}
	if projects[projectKey(mainRoot(at))] {
		return true, true
	}
	top := repository(at)
	for {
		if projects[projectKey(at)] {
			return true, true
		}
		above := filepath.Dir(at)
		if at == top || above == at {
			return false, true
		}
		at = above
	}
}

// projects are the folders that Claude Code knows, and whether they are trusted.
func (env Env) projects() (map[string]bool, bool) {
	// .config.json is where old versions had it; a config dir has its own .claude.json.
	dir := env.UserHome
	if env.ConfigDir != "" {
		dir = env.ConfigDir
	}
	text, err := os.ReadFile(filepath.Join(env.configDir(), ".config.json"))
	if err != nil || len(text) == 0 {
		text, err = os.ReadFile(filepath.Join(dir, ".claude.json"))
	}
	if err != nil {
		return nil, false
	}
	var config struct {
		Projects map[string]json.RawMessage `json:"projects"`
	}
	if json.Unmarshal([]byte(strings.TrimPrefix(string(text), bom)), &config) != nil {
		return nil, false
	}
	trusted := make(map[string]bool, len(config.Projects))
	for path, raw := range config.Projects {
		var project struct {
			Trusted bool `json:"hasTrustDialogAccepted"`
		}
		_ = json.Unmarshal(raw, &project) // of another shape: not trusted
		trusted[path] = project.Trusted
	}
	return trusted, true
}

// projectKey is how Claude Code writes a folder: with slashes on Windows, too.
func projectKey(path string) string { return filepath.ToSlash(path) }

// repository is the root of the git work tree that holds dir, "" where none does.
func repository(dir string) string {
	for {
		if _, err := os.Lstat(filepath.Join(dir, ".git")); err == nil {
			return dir
		}
		above := filepath.Dir(dir)
		if above == dir {
			return ""
		}
		dir = above
	}
}

// mainRoot is the root of dir's repository, of a linked work tree that of the main one;
// dir itself outside of git.
func mainRoot(dir string) string {
	root := repository(dir)
	if root == "" {
		return dir
	}
	text, err := os.ReadFile(filepath.Join(root, ".git"))
	if err != nil {
		return root // a folder: this is the main one
	}
	gitDir, ok := strings.CutPrefix(strings.TrimSpace(string(text)), "gitdir: ")
	if !ok {
		return root
	}
	if worktrees := filepath.Dir(gitDir); filepath.Base(worktrees) == "worktrees" && filepath.IsAbs(worktrees) {
		if git := filepath.Dir(worktrees); filepath.Base(git) == ".git" {
			return filepath.Dir(git)
		}
	}
	return root
}
