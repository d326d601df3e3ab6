package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/internal/render"
	"github.com/actiongraph/actiongraph/service"
)

func (a *app) serviceCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "service",
		Short: "Have the daemon run by itself, from login on",
		Long: `Have the session manager of your user run the daemon: systemd, launchd, or the Task
Scheduler of Windows. No other rights are needed than yours. Each home has a service of its
own; what the daemon does is in config.toml.`,
		Example: `  ag-sessiond service install
  ag-sessiond service status
  ag-sessiond service logs -f`,
		Args: a.noSuchVerb,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	a.add(cmd, "", a.serviceInstallCmd(), a.serviceUninstallCmd(), a.serviceStatusCmd(), a.serviceLogsCmd(),
		a.serviceVerb("start", "Start the daemon", "started", service.Host.Start),
		a.serviceVerb("stop", "Stop the daemon until the next login, or start", "stopped", service.Host.Stop),
		a.serviceVerb("restart", "Stop the daemon and start it again, as after an update", "running again", service.Host.Restart))
	return cmd
}

// ofService is the service of the home, with the machine that has it.
type ofService struct {
	*app
	service.Host
	home string
}

func (a *app) service() (ofService, error) {
	home, err := a.homeDir()
	if err != nil {
		return ofService{}, err
	}
	h, err := service.Here()
	return ofService{a, h, home}, unavailable(err)
}

func (a *app) serviceInstallCmd() *cobra.Command {
	var dryRun bool
	cmd := &cobra.Command{
		Use:   "install",
		Short: "Have the daemon run now and at each login",
		Long: `Write a unit for this program and this home, have it start now and at each login, and wait
until the daemon runs. It says what was written where. The second time it changes what is
not as it should be: after an update that moved the program, run it again.

The unit is a systemd user unit on Linux, a launchd agent on macOS, a task of the Task
Scheduler on Windows. Where there is none of these, as in a container or in WSL 1, nothing is
written, and the line that runs the daemon without is printed. Services of a user end with
the last logout, unless that user lingers, which systemd is told by: loginctl enable-linger

The daemon logs to ag-sessiond.log in the home: ag-sessiond service logs. What the daemon
does beside following the journal is said in config.toml. A service has none of your shell's
environment variables, but for CLAUDE_CONFIG_DIR, which is taken over as it is now.`,
		Example: `  ag-sessiond service install
  ag-sessiond service install --dry-run`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := a.service()
			if err != nil {
				return err
			}
			return s.install(cmd.Context(), dryRun)
		},
	}
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "print the unit, and write nothing")
	return cmd
}

// sessiondBinary is the absolute path of this program: that in PATH, where it leads here,
// as a link that a package manager keeps outlives the file of one version.
func sessiondBinary() (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", unavailable(err)
	}
	name := "ag-sessiond"
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	if path, err := exec.LookPath(name); err == nil && filepath.IsAbs(path) && sameFile(path, self) {
		return path, nil
	}
	return self, nil
}

func (s ofService) install(ctx context.Context, dryRun bool) error {
	binary, err := sessiondBinary()
	if err != nil {
		return err
	}
	d := service.Daemon{Binary: binary, Home: s.home, ClaudeDir: s.env("CLAUDE_CONFIG_DIR")}
	if dryRun {
		u, text, err := s.Preview(d)
		if err != nil {
			return unavailable(err)
		}
		s.note("%s would be:", u.Path)
		s.printf("%s", text)
		return nil
	}
	c, err := s.Host.Install(ctx, d)
	if errors.Is(err, service.ErrNoManager) {
		return unavailable(fmt.Errorf("%w\nnothing was written. Run the daemon without it, at each login:\n  %s\n%s", err, s.byHand(d), s.cureNoManager()))
	}
	if err != nil {
		return unavailable(err)
	}
	if s.json {
		return s.printJSON(c)
	}
	switch {
	case c.Changed:
		s.printf("written: %s\n", render.OneLine(c.Path))
	case !c.Started:
		s.printf("nothing to do: %s is as it should be, and the daemon runs\n", render.OneLine(c.Path))
	}
	if c.Started {
		by, _, _ := connector.Held(s.home, connector.RunLock)
		s.printf("the daemon runs (%s), and begins at each login: %s has %s\n", render.OneLine(by), c.Manager, c.Name)
	}
	s.printf("it logs to %s: ag-sessiond service logs\n", render.OneLine(s.logPath()))
	s.notes(ctx)
	return nil
}

// notes says what a person may not expect of a service.
func (s ofService) notes(ctx context.Context) {
	if lingers, known := s.Lingers(ctx); known && !lingers {
		s.note("it ends with your last logout, and begins at the next login; to have it run on, and from the start of the machine: loginctl enable-linger")
	}
	c, err := s.config()
	if err != nil {
		return
	}
	for _, g := range c.Graph {
		if g.PasswordEnv != "" {
			s.note("[[graph]] %s has its password in the environment variable %s, which a service does not have: give it a password_file", g.Name, g.PasswordEnv)
		}
	}
}

// byHand is a line for a shell.
func (s ofService) byHand(d service.Daemon) string {
	var line []string
	if s.GOOS == "windows" {
		for _, arg := range d.Command() {
			line = append(line, `"`+arg+`"`)
		}
		return `start "" /b ` + strings.Join(line, " ")
	}
	plain := regexp.MustCompile(`^[A-Za-z0-9_./:@%+=-]+$`)
	for _, arg := range d.Command() {
		if !plain.MatchString(arg) {
			arg = "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
		}
		line = append(line, arg)
	}
	return "nohup " + strings.Join(line, " ") + " > /dev/null 2>&1 &"
}

func (s ofService) cureNoManager() string {
	switch s.GOOS {
	case "linux":
		return "Where this machine runs systemd, as WSL 2 does with systemd=true in /etc/wsl.conf, log in as this user\n" +
			"itself (not by su or sudo), or: sudo loginctl enable-linger " + cmp.Or(s.env("USER"), "$USER") + ", and log in again"
	case "darwin":
		return "An agent needs a graphical login of this user: log in at the screen once"
	}
	return "No verb needs the daemon: those that read catch up by themselves"
}

func (s ofService) logPath() string { return filepath.Join(s.home, service.LogFile) }

func (a *app) serviceUninstallCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "uninstall",
		Short: "Stop the daemon and take its service out again",
		Long: `Stop the daemon and take out all that service install made. What is recorded stays, and so
does the log, in the home.`,
		Example: `  ag-sessiond service uninstall`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := a.service()
			if err != nil {
				return err
			}
			c, err := s.Host.Uninstall(cmd.Context(), s.home)
			switch {
			case err != nil:
				return unavailable(err)
			case a.json:
				return a.printJSON(c)
			case !c.Changed:
				a.printf("nothing to do: there is no service for %s\n", render.OneLine(s.home))
			default:
				a.printf("%s is gone, and the daemon with it\n", render.OneLine(c.Path))
			}
			return nil
		},
	}
}

// serviceVerb is a verb that has the manager do one thing.
func (a *app) serviceVerb(name, short, done string, do func(service.Host, context.Context, string) error) *cobra.Command {
	return &cobra.Command{
		Use:     name,
		Short:   short,
		Example: "  ag-sessiond service " + name,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := a.service()
			if err != nil {
				return err
			}
			if err := do(s.Host, cmd.Context(), s.home); err != nil {
				return unavailable(err)
			}
			if a.json {
				return a.serviceStatus(cmd.Context())
			}
			a.printf("the daemon is %s\n", done)
			return nil
		},
	}
}
