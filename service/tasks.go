package service

import (
	"context"
	"encoding/binary"
	"fmt"
	"path/filepath"
	"strings"
	"unicode/utf16"
)

// tasks is the Task Scheduler of Windows, by schtasks.exe. A service of Windows would need
// an administrator to install it, and would run as another user.
type tasks struct{ Host }

func (m tasks) unit(name, home string) Unit {
	return Unit{Manager: "Task Scheduler", Name: name, Path: filepath.Join(home, TaskFile)}
}

// TaskFile is where a home on Windows keeps its task, below the home: the Task Scheduler
// has a copy in words of its own.
const TaskFile = "service.xml"

// text is a task: without an end (PT0S), on battery, too, started again when it fails; one at
// a time. conhost --headless keeps it from showing a console window at each login; before
// Windows 11 24H2 it hides the exit code, too, and then what crashed begins at the next
// login (microsoft/terminal#17178).
func (m tasks) text(_ Unit, d Daemon) string {
	var args []string
	for _, arg := range d.Command() {
		args = append(args, windowsQuote(arg))
	}
	return utf16Head + `
<!-- Written by ag-sessiond service install, which writes it anew. -->
<!-- ` + marked(d) + ` -->
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo>
    <Description>ActionGraph: follows the journal of agent sessions</Description>
  </RegistrationInfo>
  <Triggers>
    <LogonTrigger>
      <UserId>` + xmlText(m.UserName) + `</UserId>
    </LogonTrigger>
  </Triggers>
  <Principals>
    <Principal id="Author">
      <UserId>` + xmlText(m.UserName) + `</UserId>
      <LogonType>InteractiveToken</LogonType>
      <RunLevel>LeastPrivilege</RunLevel>
    </Principal>
  </Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
    <RestartOnFailure>
      <Interval>PT1M</Interval>
      <Count>999</Count>
    </RestartOnFailure>
  </Settings>
  <Actions Context="Author">
    <Exec>
      <Command>conhost.exe</Command>
      <Arguments>--headless ` + xmlText(strings.Join(args, " ")) + `</Arguments>
    </Exec>
  </Actions>
</Task>
`
}

// windowsQuote is one argument of a command line of Windows, as CommandLineToArgvW takes it
// apart: backslashes count before a quote alone.
func windowsQuote(arg string) string {
	if arg != "" && !strings.ContainsAny(arg, " \t\"") {
		return arg
	}
	var b strings.Builder
	b.WriteByte('"')
	slashes := 0
	for _, r := range arg {
		switch r {
		case '\\':
			slashes++
			continue
		case '"':
			slashes = 2*slashes + 1
		}
		b.WriteString(strings.Repeat(`\`, slashes))
		slashes = 0
		b.WriteRune(r)
	}
	b.WriteString(strings.Repeat(`\`, 2*slashes) + `"`)
	return b.String()
}

// utf16Head begins a file that schtasks reads as UTF-16; others it takes for the code page.
const utf16Head = `<?xml version="1.0" encoding="UTF-16"?>`

func encode(text string) []byte {
	if !strings.HasPrefix(text, utf16Head) {
		return []byte(text)
	}
	b := []byte{0xff, 0xfe}
	for _, unit := range utf16.Encode([]rune(text)) {
		b = binary.LittleEndian.AppendUint16(b, unit)
	}
	return b
}

func decode(b []byte) string {
	if len(b) < 2 || b[0] != 0xff || b[1] != 0xfe {
		return string(b)
	}
	var units []uint16
	for b = b[2:]; len(b) > 1; b = b[2:] {
		units = append(units, binary.LittleEndian.Uint16(b))
	}
	return string(utf16.Decode(units))
}

func (m tasks) schtasks(ctx context.Context, args ...string) error {
	_, err := m.Run(ctx, "schtasks", args...)
	return err
}

func (m tasks) check(Daemon) error { return nil }

func (m tasks) ready(ctx context.Context) error {
	if err := m.schtasks(ctx, "/Query", "/FO", "CSV", "/NH"); err != nil {
		return fmt.Errorf("%w: the Task Scheduler does not answer: %w", ErrNoManager, err)
	}
	return nil
}

func (m tasks) register(ctx context.Context, u Unit) error {
	return m.schtasks(ctx, "/Create", "/F", "/TN", u.Name, "/XML", u.Path)
}

func (m tasks) forget(ctx context.Context, u Unit) error {
	if m.schtasks(ctx, "/Query", "/TN", u.Name) != nil {
		return nil // not there
	}
	m.stop(ctx, u) // fails where it does not run
	return m.schtasks(ctx, "/Delete", "/F", "/TN", u.Name)
}

func (m tasks) gone(context.Context, Unit) error { return nil }

func (m tasks) start(ctx context.Context, u Unit) error {
	return m.schtasks(ctx, "/Run", "/TN", u.Name)
}

// stop kills, as there are no signals. Nothing is lost by that: the journal is written by
// others, and a store holds its position in the transaction.
func (m tasks) stop(ctx context.Context, u Unit) error {
	return m.schtasks(ctx, "/End", "/TN", u.Name)
}

// state says whether the task is there; whether it runs schtasks says in the language of
// the machine alone.
func (m tasks) state(ctx context.Context, u Unit, s *State) {
	if err := m.schtasks(ctx, "/Query", "/TN", u.Name); err != nil {
		s.Active, s.Detail = "not registered", err.Error()
		return
	}
	s.Enabled, s.Active = true, "registered"
}
