package service

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// systemd is a user's instance of systemd: systemctl --user.
type systemd struct{ Host }

func (m systemd) unit(name, _ string) Unit {
	return Unit{Manager: "systemd", Name: name + ".service", Path: filepath.Join(m.folder(), name+".service")}
}

func (m systemd) folder() string { return filepath.Join(m.ConfigHome, "systemd", "user") }

// text is a unit file, as systemd.unit(5) and systemd.service(5) have it. A daemon that
// failed, or was killed, is started again for ever: a full disk is free again some day. Ten
// seconds are twice what it takes to stop.
func (m systemd) text(u Unit, d Daemon) string {
	var exec []string
	for i, arg := range d.Command() {
		exec = append(exec, systemdQuote(arg, i > 0)) // no variable is looked for in the program itself
	}
	environment := ""
	if d.ClaudeDir != "" {
		environment = "Environment=" + systemdQuote("CLAUDE_CONFIG_DIR="+d.ClaudeDir, false) + "\n"
	}
	return `# Written by ag-sessiond service install, which writes it anew. For changes of your own:
# systemctl --user edit ` + u.Name + `
# ` + marked(d) + `
[Unit]
Description=ActionGraph: follows the journal of agent sessions
StartLimitIntervalSec=0

[Service]
ExecStart=` + strings.Join(exec, " ") + `
ExecReload=/bin/kill -HUP $MAINPID
` + environment + `Restart=on-failure
RestartSec=5
TimeoutStopSec=10
UMask=0077

[Install]
WantedBy=default.target
`
}

// systemdQuote is one word of a unit file: % begins a specifier, and in commands $ a variable.
func systemdQuote(word string, command bool) string {
	word = strings.NewReplacer(`\`, `\\`, `"`, `\"`, `%`, `%%`).Replace(word)
	if command {
		word = strings.ReplaceAll(word, `$`, `$$`)
	}
	return `"` + word + `"`
}

// check knows what systemd refuses in the path of a program, quoted or not.
func (m systemd) check(d Daemon) error {
	if strings.ContainsAny(d.Binary, `"'\`) {
		return fmt.Errorf("systemd runs no program with a quote or a backslash in its path: move %s", d.Binary)
	}
	return nil
}

func (m systemd) ready(ctx context.Context) error {
	// show-environment needs the manager itself; --version, or is-enabled, would not.
	if _, err := m.systemctl(ctx, "show-environment"); err != nil {
		return fmt.Errorf("%w: systemd does not answer this user: %w", ErrNoManager, err)
	}
	return nil
}

func (m systemd) systemctl(ctx context.Context, args ...string) (string, error) {
	return m.Run(ctx, "systemctl", append([]string{"--user", "--no-pager"}, args...)...)
}

func (m systemd) register(ctx context.Context, u Unit) error {
	if _, err := m.systemctl(ctx, "daemon-reload"); err != nil {
		return err
	}
	_, err := m.systemctl(ctx, "enable", "--quiet", u.Name)
	return err
}

func (m systemd) forget(ctx context.Context, u Unit) error {
	_, err := m.systemctl(ctx, "disable", "--quiet", "--now", u.Name)
	return err
}

func (m systemd) gone(ctx context.Context, u Unit) error {
	link := filepath.Join(m.folder(), "default.target.wants", u.Name) // where disable could not
	if err := os.Remove(link); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	_, err := m.systemctl(ctx, "daemon-reload")
	m.systemctl(ctx, "reset-failed", u.Name) // fails where it did not fail
	return err
}

func (m systemd) start(ctx context.Context, u Unit) error {
	_, err := m.systemctl(ctx, "start", u.Name)
	return err
}

func (m systemd) stop(ctx context.Context, u Unit) error {
	_, err := m.systemctl(ctx, "stop", u.Name)
	return err
}

func (m systemd) state(ctx context.Context, u Unit, s *State) {
	out, err := m.systemctl(ctx, "show", u.Name, "--property=LoadState,ActiveState,MainPID,UnitFileState,Result,NRestarts,NeedDaemonReload")
	if err != nil {
		s.Detail = err.Error()
		return
	}
	said := map[string]string{}
	for line := range strings.Lines(out) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok {
			said[name] = value
		}
	}
	s.Active, s.Enabled = said["ActiveState"], said["UnitFileState"] == "enabled"
	s.PID, _ = strconv.Atoi(said["MainPID"])
	var detail []string
	if load := said["LoadState"]; load != "loaded" && load != "" {
		detail = append(detail, load)
	}
	if result := said["Result"]; result != "success" && result != "" {
		detail = append(detail, "the last one ended with "+result)
	}
	if n := said["NRestarts"]; n != "0" && n != "" {
		detail = append(detail, "restarts: "+n)
	}
	if said["NeedDaemonReload"] == "yes" {
		detail = append(detail, "systemd has an older version of the file: systemctl --user daemon-reload")
	}
	s.Detail = strings.Join(detail, ", ")
}

// Lingers reports whether this user's services go on after the last logout, and begin with
// the machine. known is false where that is no question, or has no answer.
func (h Host) Lingers(ctx context.Context) (lingers, known bool) {
	if h.GOOS != "linux" {
		return false, false
	}
	out, err := h.Run(ctx, "loginctl", "show-user", strconv.Itoa(h.UID), "--property=Linger", "--value")
	switch strings.TrimSpace(out) {
	case "yes":
		return true, err == nil
	case "no":
		return false, err == nil
	}
	return false, false
}
