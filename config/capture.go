package config

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
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
		FoldCase: foldCase(),
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
	return append([]string{whole}, linkedFolders(whole)...), nil
}

// CompilePolicy makes what config.toml says of [capture] and [redact] the policy that is in
// force in a home, where it is not yet, and says how it is. Where links lead is looked up
// again each time: a folder that was found stays until config.toml changes. Without a
// config.toml, or with an empty one, a policy that leaves something out stays. On an error
// what was in force stays, and the state is its.
func CompilePolicy(home string) (policy.State, error) { return compilePolicy(home, false) }

// compilePolicy is CompilePolicy. asked says that a user changed the file by our own verbs:
// then an empty one is meant, and not one that an editor is about to fill.
func compilePolicy(home string, asked bool) (policy.State, error) {
	if home == "" {
		return policy.State{}, nil
	}
	before, state := policy.Load(home)
	path := filepath.Join(home, FileName)
	text, err := read(path)
	if err != nil {
		state.Stale = true
		return state, err
	}
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		if state.Compiled && before == nil {
			err := policy.Remove(home)
			_, state = policy.Load(home)
			return state, err
		}
		return state, nil
	}
	if err != nil {
		state.Stale = true
		return state, wrapRead(err)
	}
	if len(bytes.TrimSpace(text)) == 0 && before != nil && !asked {
		state.Stale = true
		return state, fmt.Errorf("%s is empty: set what is kept, or `ag-sessiond config set capture.content full`", path)
	}
	sum := fmt.Sprintf("%x", sha256.Sum256(text))
	same := !state.Stale && state.Err == nil && state.From.Sum == sum
	if same && len(before.Rules().ExcludeProjects) == 0 {
		return state, nil
	}
	state.Stale = state.Stale || state.From.Sum != sum // the sum is another one, though neither time nor size is
	c, err := Load(home)
	if err != nil {
		return state, err
	}
	rules, err := c.rules()
	if err != nil {
		return state, fmt.Errorf("%s: %w", path, err)
	}
	if state.Err == nil && state.From.Sum == sum {
		rules.ExcludeProjects = withFound(rules.ExcludeProjects, before.Rules().ExcludeProjects)
		if same && slices.Equal(rules.ExcludeProjects, before.Rules().ExcludeProjects) {
			return state, nil
		}
	}
	state.Stale = true
	from := policy.Stamp{ModTime: info.ModTime().UnixNano(), Size: info.Size(), Sum: sum}
	if err := policy.Write(home, rules, from); err != nil {
		return state, err
	}
	_, state = policy.Load(home)
	return state, nil
}

// Folder returns a policy that leaves out a folder and what is below it, by all the paths that
// lead there: these are returned, too. The path is a whole one, in which no character is a glob.
func Folder(dir string) (*policy.Policy, []string, error) {
	whole := filepath.ToSlash(filepath.Clean(dir))
	paths := []string{whole}
	if real := filepath.ToSlash(resolved(filepath.Clean(dir), new(int))); real != whole {
		paths = append(paths, real)
	}
	r := policy.Rules{FoldCase: foldCase()}
	for _, path := range paths {
		r.ExcludeProjects = append(r.ExcludeProjects, noGlob(path))
	}
	p, err := policy.New(r)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: it holds everything: name a folder", dir)
	}
	return p, paths, nil
}

// foldCase reports whether paths are the same in any case, as the file systems of macOS and
// Windows have it.
func foldCase() bool { return runtime.GOOS == "windows" || runtime.GOOS == "darwin" }
