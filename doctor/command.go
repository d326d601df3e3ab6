package doctor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/actiongraph/actiongraph/settings"
)

// command is a registered handler as Claude Code starts it: of exec form without a shell,
// else by sh, Git Bash or PowerShell.
type command struct {
	registration
	name string
	args []string
	env  []string
	root string // of its plugin
}

// pluginRoot is what a plugin's command is written with, and Claude Code puts in.
const pluginRoot = "CLAUDE_PLUGIN_ROOT"

func newCommand(e *exam, r registration) command {
	c := command{registration: r, env: e.environment()}
	if r.file.Scope == settings.Plugin {
		c.root = rootOf(r.file.Path)
		c.env = append(c.env, pluginRoot+"="+c.root)
	}
	if r.entry.Exec {
		c.name = c.expand(r.entry.Command)
		for _, arg := range r.entry.Args {
			c.args = append(c.args, c.expand(arg))
		}
		return c
	}
	c.name, c.args = shell(e.Claude.GOOS, c.expand(r.entry.Command))
	return c
}

// rootOf is the folder of the plugin that a file of hooks belongs to: the one above it with a
// manifest, or where there is none, as <root>/hooks/hooks.json needs none, the second above.
func rootOf(path string) string {
	for dir := filepath.Dir(path); ; dir = filepath.Dir(dir) {
		if info, err := os.Stat(filepath.Join(dir, ".claude-plugin")); err == nil && info.IsDir() {
			return dir
		}
		if dir == filepath.Dir(dir) {
			return filepath.Dir(filepath.Dir(path))
		}
	}
}

func (c command) expand(text string) string {
	if c.root != "" {
		text = strings.ReplaceAll(text, "${"+pluginRoot+"}", c.root)
	}
	return text
}

// shell is how a line is run where there is no exec form.
func shell(goos, line string) (name string, args []string) {
	if goos != "windows" {
		return "/bin/sh", []string{"-c", line}
	}
	if bash, err := exec.LookPath("bash"); err == nil {
		return bash, []string{"-c", line}
	}
	return "powershell", []string{"-NoProfile", "-NonInteractive", "-Command", line}
}

// environment is what a hook needs at least: more of ours might hide what is missing where
// Claude Code is started otherwise. AG_HOME is in it, as whoever sets it here sets it there,
// unless a settings file does.
func (e *exam) environment() []string {
	env := []string{"CLAUDECODE=1", "HOME=" + e.Claude.UserHome}
	for _, name := range []string{"PATH", "AG_HOME", "CLAUDE_CONFIG_DIR", "USER", "LOGNAME", "LANG", "TMPDIR",
		"SystemRoot", "SystemDrive", "ComSpec", "PATHEXT", "USERPROFILE", "USERNAME", "APPDATA", "LOCALAPPDATA", "TEMP", "TMP"} {
		if value := e.variable(name); value != "" {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// variable is one as a hook has it: Claude Code puts the "env" of its settings over what it
// was started with, the strongest file last.
func (e *exam) variable(name string) string {
	if value, from := e.settingsVariable(name); from != nil {
		return value
	}
	return e.Getenv(name)
}

// settingsVariable is one that a settings file sets, and which; nil where none does.
func (e *exam) settingsVariable(name string) (value string, from *settings.File) {
	for _, f := range e.settings() {
		if v, is := f.Env[name]; is {
			value, from = v, &f
		}
	}
	return value, from
}

// program is the path of the ag-hook that the handler runs.
func (c command) program(e *exam) (string, error) {
	words, _ := c.entry.Call()
	if len(words) == 0 {
		return "", errors.New("it cannot be seen which program that is")
	}
	return exec.LookPath(c.word(e, words[0]))
}

// word is one of a call as it is once a shell has put in the user's home directory.
func (c command) word(e *exam, text string) string {
	text = c.expand(text)
	if c.entry.Exec {
		return text
	}
	if rest, is := strings.CutPrefix(text, "~/"); is {
		text = "$HOME/" + rest
	}
	return strings.NewReplacer("${HOME}", e.Claude.UserHome, "$HOME", e.Claude.UserHome).Replace(text)
}

// homes are where the handler may record: the home that is asked about, that of its
// --home or its AG_HOME, and those that it takes without one.
func (c command) homes(e *exam) []string {
	homes := []string{e.Home}
	words, env := c.entry.Call()
	for i, word := range words {
		if value, is := strings.CutPrefix(word, "--home="); is {
			homes = append(homes, c.word(e, value))
		} else if word == "--home" && i+1 < len(words) {
			homes = append(homes, c.word(e, words[i+1]))
		}
	}
	for _, variable := range append(env, "AG_HOME="+e.variable("AG_HOME")) {
		if dir, is := strings.CutPrefix(variable, "AG_HOME="); is && dir != "" {
			homes = append(homes, c.word(e, dir))
		}
	}
	return append(homes, filepath.Join(e.Claude.UserHome, ".actiongraph"))
}

// maxSaid bounds what is kept of what a hook prints.
const maxSaid = 4 << 10

// call runs the handler once, in a folder and for a project, and returns how long it took.
func (c command) call(ctx context.Context, dir, project, payload string) (took time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, c.name, c.args...)
	cmd.Dir, cmd.Env, cmd.Stdin = dir, slices.Clone(c.env), strings.NewReader(payload)
	cmd.Env = append(cmd.Env, "CLAUDE_PROJECT_DIR="+project)
	var said bounded
	cmd.Stdout, cmd.Stderr = &said, &said
	cmd.WaitDelay = grace // of a shell's child that keeps the pipes
	begin := time.Now()
	err = cmd.Run()
	took = time.Since(begin)
	switch {
	case ctx.Err() != nil:
		return took, fmt.Errorf("it had not ended after %v", patience)
	case err != nil && said.Len() > 0:
		return took, fmt.Errorf("%w: %.200s", err, said.String())
	case err == nil && said.Len() > 0:
		return took, fmt.Errorf("it printed %.100q, which the model would be told", said.String())
	}
	return took, err
}

// bounded keeps the beginning of what is written to it.
type bounded struct{ bytes.Buffer }

func (b *bounded) Write(p []byte) (int, error) {
	if room := maxSaid - b.Len(); room > 0 {
		b.Buffer.Write(p[:min(len(p), room)])
	}
	return len(p), nil
}
