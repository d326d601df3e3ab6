package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"github.com/spf13/cobra"
)

// howToStart is what an empty state says to do next.
const howToStart = `to record Claude Code sessions, merge the output of "ag-sessiond hooks print claude" into ~/.claude/settings.json and use claude as usual`

func (a *app) hooksCmd() *cobra.Command {
	hooks := &cobra.Command{
		Use:     "hooks",
		Short:   "What an agent needs to be told to be recorded",
		Example: `  ag-sessiond hooks print claude`,
		Args:    a.noSuchVerb,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	show := &cobra.Command{
		Use:   "print AGENT",
		Short: "Print the settings that make an agent's hooks call ag-hook (claude)",
		Long: `Print the fragment of settings.json that registers ag-hook for Claude Code's hook
events. Merge it into ~/.claude/settings.json (every project), or into
.claude/settings.json of one project.

With --home the sessions are recorded there; without it, where $AG_HOME says when the
hook runs, else in ~/.actiongraph.

Not registered, because a recorder must not change what the agent does: WorktreeCreate
(a hook replaces the creation of git worktrees), MessageDisplay (it holds up the
display) and PreModelSwitch (a timeout blocks the switch). FileChanged is registered;
Claude Code only fires it for files that another hook of yours asks to watch.`,
		Example: `  ag-sessiond hooks print claude
  ag-sessiond hooks print claude --home ~/work/.actiongraph
  ag-sessiond hooks print claude > fragment.json`,
		Args:      cobra.ExactArgs(1),
		ValidArgs: []string{"claude"},
		RunE: func(_ *cobra.Command, args []string) error {
			if args[0] != "claude" {
				return usagef("no hooks are known for %q: want claude", args[0])
			}
			binary, err := hookBinary()
			if err != nil {
				return err
			}
			home := a.home
			if home != "" {
				if home, err = filepath.Abs(home); err != nil {
					return err
				}
			}
			return a.printJSON(claudeHooks(binary, home))
		},
	}
	a.add(hooks, "", show)
	return hooks
}

// claudeEvents are the hook events of Claude Code 2.1.330 that a recorder registers:
// all 33 but WorktreeCreate, MessageDisplay and PreModelSwitch.
func claudeEvents() []string {
	return []string{
		"SessionStart", "SessionEnd", "Setup", "InstructionsLoaded",
		"UserPromptSubmit", "UserPromptExpansion", "Stop", "StopFailure",
		"PreToolUse", "PostToolUse", "PostToolUseFailure", "PostToolBatch",
		"PermissionRequest", "PermissionDenied",
		"SubagentStart", "SubagentStop", "TeammateIdle", "TaskCreated", "TaskCompleted",
		"PreCompact", "PostCompact", "PostModelSwitch", "Notification",
		"Elicitation", "ElicitationResult",
		"ConfigChange", "CwdChanged", "DirectoryAdded", "FileChanged", "WorktreeRemove",
	}
}

// hook and hookGroup are the shapes of Claude Code's settings.
type hook struct {
	Type    string   `json:"type"`
	Command string   `json:"command"`
	Args    []string `json:"args"` // their presence makes it the exec form: no shell, no quoting
	Timeout int      `json:"timeout,omitempty"`
}

type hookGroup struct {
	Hooks []hook `json:"hooks"`
}

// claudeHooks is the fragment of settings.json. No matcher means every tool.
func claudeHooks(binary, home string) map[string]map[string][]hookGroup {
	args := []string{"claude"}
	if home != "" {
		args = append(args, "--home", home)
	}
	events := map[string][]hookGroup{}
	for _, event := range claudeEvents() {
		h := hook{Type: "command", Command: binary, Args: args}
		if event == "SessionEnd" {
			// All hooks of this event together have 1.5 s unless one asks for more.
			h.Timeout = 10
		}
		events[event] = []hookGroup{{Hooks: []hook{h}}}
	}
	return map[string]map[string][]hookGroup{"hooks": events}
}

// hookBinary is the absolute path of the ag-hook beside this program, else of the
// one in PATH: settings that name neither would fail at every step of the agent.
func hookBinary() (string, error) {
	name := "ag-hook"
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	self, err := os.Executable()
	if err == nil {
		beside := filepath.Join(filepath.Dir(self), name)
		if info, err := os.Stat(beside); err == nil && info.Mode().IsRegular() {
			return beside, nil
		}
	}
	found, err := exec.LookPath(name)
	if err == nil || errors.Is(err, exec.ErrDot) {
		found, err = filepath.Abs(found)
	}
	if err != nil {
		return "", fmt.Errorf("%s is neither beside this program nor in PATH: install it (make install) and run this again", name)
	}
	return found, nil
}
