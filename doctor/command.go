package doctor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
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
	if r.file.Scope == settings.Plugin { // <root>/hooks/hooks.json, or <root>/.claude-plugin/plugin.json
		c.root = filepath.Dir(filepath.Dir(r.file.Path))
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

func (c command) expand(text string) string {
	if c.root == "" {
		return text
	}
	return strings.ReplaceAll(text, "${"+pluginRoot+"}", c.root)
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
// Claude Code is started otherwise. AG_HOME is in it, as whoever sets it here sets it there.
func (e *exam) environment() []string {
	env := []string{"CLAUDECODE=1", "HOME=" + e.Claude.UserHome}
	for _, name := range []string{"PATH", "AG_HOME", "CLAUDE_CONFIG_DIR", "USER", "LOGNAME", "LANG", "TMPDIR",
		"SystemRoot", "SystemDrive", "ComSpec", "PATHEXT", "USERPROFILE", "USERNAME", "APPDATA", "LOCALAPPDATA", "TEMP", "TMP"} {
		if value := e.Getenv(name); value != "" {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// words are those of the handler; a shell's are guessed, which is enough to find a program
// and its --home.
func (c command) words() []string {
	if c.entry.Exec {
		return append([]string{c.name}, c.args...)
	}
	words := strings.Fields(c.expand(c.entry.Command))
	for i := range words {
		words[i] = strings.Trim(words[i], `"'`)
	}
	return words
}

// program is the path of the ag-hook that the handler runs.
func (c command) program() (string, error) {
	for _, word := range c.words() {
		base := word[strings.LastIndexAny(word, `/\`)+1:]
		if strings.TrimSuffix(strings.ToLower(base), ".exe") == "ag-hook" {
			return exec.LookPath(word)
		}
	}
	return "", errors.New("it cannot be seen which program that is")
}

// homes are where the handler may record: the home that is asked about, that of its
// --home, and those that it takes without one.
func (c command) homes(e *exam) []string {
	homes := []string{e.Home}
	words := c.words()
	for i, word := range words {
		if value, is := strings.CutPrefix(word, "--home="); is {
			homes = append(homes, value)
		} else if word == "--home" && i+1 < len(words) {
			homes = append(homes, words[i+1])
		}
	}
	if dir := e.Getenv("AG_HOME"); dir != "" {
		homes = append(homes, dir)
	}
	return append(homes, filepath.Join(e.Claude.UserHome, ".actiongraph"))
}

// maxSaid bounds what is kept of what a hook prints.
const maxSaid = 4 << 10

// call runs the handler once, in a folder, and returns how long it took.
func (c command) call(ctx context.Context, dir, payload string) (took time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, c.name, c.args...)
	cmd.Dir, cmd.Env, cmd.Stdin = dir, slices.Clone(c.env), strings.NewReader(payload)
	cmd.Env = append(cmd.Env, "CLAUDE_PROJECT_DIR="+dir)
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
