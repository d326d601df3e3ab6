package service

import (
	"context"
	"encoding/xml"
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// launchd is macOS's, in the domain of the user's graphical login: launchctl(1),
// launchd.plist(5).
type launchd struct{ Host }

func (m launchd) unit(name, _ string) Unit {
	label := "com.actiongraph." + name
	return Unit{Manager: "launchd", Name: label, Path: filepath.Join(m.UserHome, "Library", "LaunchAgents", label+".plist")}
}

// text is an agent's property list. KeepAlive without success is what on-failure is for
// systemd: a stop stays one. 63 is 077: plists know no octal numbers.
func (m launchd) text(u Unit, d Daemon) string {
	var args strings.Builder
	for _, arg := range d.Command() {
		args.WriteString("\t\t<string>" + xmlText(arg) + "</string>\n")
	}
	environment := ""
	if d.ClaudeDir != "" {
		environment = "\t<key>EnvironmentVariables</key>\n\t<dict>\n\t\t<key>CLAUDE_CONFIG_DIR</key>\n\t\t<string>" + xmlText(d.ClaudeDir) + "</string>\n\t</dict>\n"
	}
	return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<!-- Written by ag-sessiond service install, which writes it anew. -->
<!-- ` + marked(d) + ` -->
<plist version="1.0">
<dict>
	<key>Label</key>
	<string>` + xmlText(u.Name) + `</string>
	<key>ProgramArguments</key>
	<array>
` + args.String() + `	</array>
` + environment + `	<key>RunAtLoad</key>
	<true/>
	<key>KeepAlive</key>
	<dict>
		<key>SuccessfulExit</key>
		<false/>
	</dict>
	<key>ExitTimeOut</key>
	<integer>10</integer>
	<key>Umask</key>
	<integer>63</integer>
</dict>
</plist>
`
}

func xmlText(s string) string {
	var b strings.Builder
	xml.EscapeText(&b, []byte(s)) // a strings.Builder takes everything
	return b.String()
}

func (m launchd) domain() string       { return "gui/" + strconv.Itoa(m.UID) }
func (m launchd) target(u Unit) string { return m.domain() + "/" + u.Name }

func (m launchd) check(Daemon) error { return nil }

func (m launchd) ready(ctx context.Context) error {
	if _, err := m.Run(ctx, "launchctl", "print", m.domain()); err != nil {
		return fmt.Errorf("%w: launchd has no graphical login of this user: %w", ErrNoManager, err)
	}
	return nil
}

func (m launchd) register(ctx context.Context, u Unit) error {
	m.Run(ctx, "launchctl", "bootout", m.target(u)) // fails where it is not loaded
	if _, err := m.Run(ctx, "launchctl", "enable", m.target(u)); err != nil {
		return err
	}
	return m.load(ctx, u)
}

// load tries for some seconds: a label that was just booted out is on its way for a moment,
// and launchd says "5: Input/output error" of it.
func (m launchd) load(ctx context.Context, u Unit) (err error) {
	for deadline := time.Now().Add(m.Patience / 4); ; {
		if _, err = m.Run(ctx, "launchctl", "bootstrap", m.domain(), u.Path); err == nil || !time.Now().Before(deadline) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (m launchd) forget(ctx context.Context, u Unit) error {
	if _, err := m.Run(ctx, "launchctl", "print", m.target(u)); err != nil {
		return nil // not loaded
	}
	_, err := m.Run(ctx, "launchctl", "bootout", m.target(u))
	return err
}

func (m launchd) gone(context.Context, Unit) error { return nil }

func (m launchd) start(ctx context.Context, u Unit) error {
	out, err := m.Run(ctx, "launchctl", "print", m.target(u))
	if err != nil {
		return m.load(ctx, u) // which starts it
	}
	if launchdPID(out) > 0 {
		return nil
	}
	_, err = m.Run(ctx, "launchctl", "kickstart", m.target(u))
	return err
}

func (m launchd) stop(ctx context.Context, u Unit) error {
	out, err := m.Run(ctx, "launchctl", "print", m.target(u))
	if err != nil || launchdPID(out) == 0 {
		return nil // it does not run
	}
	_, err = m.Run(ctx, "launchctl", "kill", "SIGTERM", m.target(u))
	return err
}

// state reads what launchctl print says for people, which is all that it says.
func (m launchd) state(ctx context.Context, u Unit, s *State) {
	out, err := m.Run(ctx, "launchctl", "print", m.target(u))
	if err != nil {
		s.Active = "not loaded"
		return
	}
	s.Enabled = true // RunAtLoad, and it is loaded
	s.PID = launchdPID(out)
	s.Active = launchdField(out, "state")
	if code := launchdField(out, "last exit code"); code != "" && code != "0" && !strings.HasPrefix(code, "(") {
		s.Detail = "the last one ended with " + code
	}
}

func launchdPID(out string) int {
	pid, _ := strconv.Atoi(launchdField(out, "pid"))
	return pid
}

// launchdField is the first field of that name: those of what is nested come later.
func launchdField(out, name string) string {
	found := regexp.MustCompile(`(?m)^\s*` + name + ` = (.+)$`).FindStringSubmatch(out)
	if found == nil {
		return ""
	}
	return strings.TrimSpace(found[1])
}
