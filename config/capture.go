package config

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/actiongraph/actiongraph/policy"
)

// Capture is [capture]: what of the agents' work is recorded. See package policy.
type Capture struct {
	// ExcludeProjects are folders whose sessions are not recorded: absolute, or below "~/" or
	// "**/". A part may be a glob, ** is any number of parts.
	ExcludeProjects []string `toml:"exclude_projects"`
	// ExcludeTools are names and globs of tools of whose calls no input and no output is recorded.
	ExcludeTools []string `toml:"exclude_tools"`
	// MaxChars is how many bytes of one text are kept, 256 to 1048576; 0, the default, is the most.
	MaxChars int `toml:"max_chars"`
	// Content is "full", the default, "gist" or "none".
	Content string `toml:"content"`
}

// Redact is [redact]: what is a secret beside what every secret scanner knows.
type Redact struct {
	// Patterns are expressions (RE2). A named group is the secret, and names it.
	Patterns []string `toml:"patterns"`
}

// rules returns what capture and redact say, with whole paths.
func (c *Config) rules() (policy.Rules, error) {
	r := policy.Rules{
		ExcludeTools: c.Capture.ExcludeTools, MaxChars: c.Capture.MaxChars, Content: c.Capture.Content, Redact: c.Redact.Patterns,
		FoldCase: runtime.GOOS == "windows" || runtime.GOOS == "darwin",
	}
	for _, folder := range c.Capture.ExcludeProjects {
		whole, err := projectFolders(folder)
		if err != nil {
			return r, fmt.Errorf("[capture]: %w", err)
		}
		r.ExcludeProjects = append(r.ExcludeProjects, whole...)
	}
	if _, err := policy.New(policy.Rules{Redact: r.Redact}); err != nil {
		return r, fmt.Errorf("[redact]: %w", err)
	}
	if _, err := policy.New(r); err != nil {
		return r, fmt.Errorf("[capture]: %w", err)
	}
	return r, nil
}

// projectFolders returns what a folder of ExcludeProjects means: itself, and where it
// leads by symbolic links, since an agent says where it is by the one or the other.
func projectFolders(folder string) ([]string, error) {
	whole := filepath.ToSlash(folder)
	if rest, ok := strings.CutPrefix(whole, "~"); ok && (rest == "" || rest[0] == '/') {
		user, err := os.UserHomeDir()
		if err != nil {
			return nil, fmt.Errorf("exclude_projects: %q: %w: give a whole path", folder, err)
		}
		whole = filepath.ToSlash(user) + rest
	}
	if whole == "**" || strings.HasPrefix(whole, "**/") {
		return []string{whole}, nil
	}
	if !filepath.IsAbs(filepath.FromSlash(whole)) && !strings.HasPrefix(whole, "/") {
		return nil, fmt.Errorf("exclude_projects: %q: want a whole path, or one that begins with ~/ or **/", folder)
	}
	fixed := whole
	if i := strings.IndexAny(whole, "*?["); i >= 0 {
		fixed = whole[:strings.LastIndexByte(whole[:i], '/')+1]
	}
	folders := []string{whole}
	if real, err := filepath.EvalSymlinks(filepath.FromSlash(fixed)); err == nil {
		if other := strings.TrimSuffix(filepath.ToSlash(real), "/") + "/" + strings.TrimPrefix(whole[len(fixed):], "/"); strings.TrimSuffix(other, "/") != strings.TrimSuffix(whole, "/") {
			folders = append(folders, strings.TrimSuffix(other, "/"))
		}
	}
	return folders, nil
}

// CompilePolicy makes what config.toml says of [capture] and [redact] the policy that is in
// force in a home, where it is not yet, and says how it is. Without a config.toml there is
// none. On an error what was in force stays, and the state is its.
func CompilePolicy(home string) (policy.State, error) {
	_, state := policy.Load(home)
	path := filepath.Join(home, FileName)
	info, err := os.Stat(path)
	if home == "" || errors.Is(err, fs.ErrNotExist) {
		if home != "" && (state.Compiled || state.Err != nil) {
			err := policy.Remove(home)
			_, state = policy.Load(home)
			return state, err
		}
		return state, nil
	}
	if err != nil {
		return state, fmt.Errorf("read the configuration: %w", err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return state, fmt.Errorf("read the configuration: %w", err)
	}
	sum := fmt.Sprintf("%x", sha256.Sum256(text))
	if !state.Stale && state.Err == nil && state.From.Sum == sum {
		return state, nil
	}
	state.Stale = true // the sum is another one, though neither time nor size is
	c, err := Load(home)
	if err != nil {
		return state, err
	}
	rules, err := c.rules()
	if err != nil {
		return state, fmt.Errorf("%s: %w", path, err)
	}
	from := policy.Stamp{ModTime: info.ModTime().UnixNano(), Size: info.Size(), Sum: sum}
	if err := policy.Write(home, rules, from); err != nil {
		return state, err
	}
	_, state = policy.Load(home)
	return state, nil
}
