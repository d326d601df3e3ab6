package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/actiongraph/actiongraph/errcode"
	"github.com/actiongraph/actiongraph/settings"
)

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
events, as "ag-sessiond install" would write it into an empty file: for those who merge
it into ~/.claude/settings.json (every project) or .claude/settings.json of one project by
themselves.

With --home, or $AG_HOME set, the sessions are recorded there, wherever Claude Code is
started from; else where $AG_HOME says when the hook runs, or in ~/.actiongraph.

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
			if err := checkAgent(args); err != nil {
				return err
			}
			r, err := a.recorder()
			if err != nil {
				return err
			}
			text, err := settings.Install(nil, r)
			if err != nil {
				return err
			}
			_, err = a.out.Write(escapeControls(text))
			return err
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

// recorder is what the hooks call, with the home of this command unless that is the default:
// Claude Code may be started where AG_HOME is not set.
func (a *app) recorder() (settings.Recorder, error) {
	binary, err := hookBinary()
	if err != nil {
		return settings.Recorder{}, err
	}
	r := settings.Recorder{Binary: binary, Args: []string{"claude"}, Events: claudeEvents()}
	home, err := a.ownHome()
	if err != nil {
		return settings.Recorder{}, err
	}
	if home != "" {
		r.Args = append(r.Args, "--home", home)
	}
	return r, nil
}

// ownHome is the home that --home or AG_HOME names; "" where AG_HOME names the default.
func (a *app) ownHome() (string, error) {
	switch home := os.Getenv("AG_HOME"); {
	case a.home != "":
		return filepath.Abs(a.home)
	case home == "":
		return "", nil
	default:
		home, err := filepath.Abs(home)
		if user, none := os.UserHomeDir(); none == nil && home == filepath.Join(user, ".actiongraph") {
			return "", err
		}
		return home, err
	}
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
		return "", errcode.With(errcode.InstallNoHook, fmt.Errorf("%s is neither beside this program nor in PATH: install it (make install) and run this again", name))
	}
	return found, nil
}
