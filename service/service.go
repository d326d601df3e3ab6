// Package service has the daemon of a home run by the user's own session manager: a systemd
// user unit, a launchd agent, or a task of Windows' Task Scheduler.
//
// Nothing here needs more rights than the user has, and nothing asks for them: a service of
// the whole machine would run as another user, who must not read this one's home. What is
// written is one file, which says in a comment for which binary and home it was written
// (see mark); a file without that is somebody else's, and is left alone. Changes of one's
// own belong into what the manager has for them, as systemctl --user edit.
//
// Whether a daemon runs is asked of the lock that it holds (connector.RunLock), not of the
// manager: that is true of daemons that were begun by hand, too.
package service

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/errcode"
)

// ErrNoManager is wrapped where no session manager answers, as in a container, in WSL 1,
// or in a login without one.
var ErrNoManager = errcode.New(errcode.ServiceNoManager, "no session manager")

// Host is a machine as its user has it.
type Host struct {
	GOOS       string
	UserHome   string
	ConfigHome string // $XDG_CONFIG_HOME, else ~/.config
	UserName   string // of Windows: DOMAIN\user
	UID        int
	// Run runs a program of the manager and returns what it printed. Where it fails the
	// error has what it said.
	Run func(ctx context.Context, name string, args ...string) (string, error)
	// Patience is how long a daemon may take to begin, and to end.
	Patience time.Duration
}

// Here is this machine.
func Here() (Host, error) {
	home, err := os.UserHomeDir()
	if err != nil {
		return Host{}, err
	}
	config := os.Getenv("XDG_CONFIG_HOME")
	if !filepath.IsAbs(config) {
		config = filepath.Join(home, ".config")
	}
	user := os.Getenv("USERNAME")
	if domain := os.Getenv("USERDOMAIN"); domain != "" {
		user = domain + `\` + user
	}
	return Host{GOOS: runtime.GOOS, UserHome: home, ConfigHome: config, UserName: user, UID: os.Getuid(),
		Run: run, Patience: 20 * time.Second}, nil
}

func run(ctx context.Context, name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.WaitDelay = time.Second
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	err := cmd.Run()
	if err != nil {
		text := strings.TrimSpace(said.String())
		if text == "" {
			text = strings.TrimSpace(out.String())
		}
		err = fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, text)
	}
	return out.String(), err
}

// Daemon is what a service runs.
type Daemon struct {
	Binary string `json:"binary"` // of ag-sessiond, absolute
	Home   string `json:"home"`   // absolute
	// ClaudeDir is $CLAUDE_CONFIG_DIR, which a session manager does not have by itself.
	ClaudeDir string `json:"claude_dir,omitempty"`
}

// Command is the daemon's command line.
func (d Daemon) Command() []string {
	return []string{d.Binary, "run", "--home", d.Home, "--log", "json", "--log-file", filepath.Join(d.Home, LogFile)}
}

// Unit is what a manager knows a service by.
type Unit struct {
	Manager string `json:"manager"` // systemd, launchd or Task Scheduler
	Name    string `json:"name"`
	Path    string `json:"path"` // of the file that describes it
}

// manager is one kind of session manager.
type manager interface {
	unit(name, home string) Unit
	check(d Daemon) error // beside what no manager takes
	text(u Unit, d Daemon) string
	// ready returns an error where the manager does not answer.
	ready(ctx context.Context) error
	// register has a new or changed file take effect, at each login and for start.
	register(ctx context.Context, u Unit) error
	// forget ends the daemon and takes the unit out, before its file goes; gone follows, also
	// where the manager does not answer.
	forget(ctx context.Context, u Unit) error
	gone(ctx context.Context, u Unit) error
	start(ctx context.Context, u Unit) error
	stop(ctx context.Context, u Unit) error
	state(ctx context.Context, u Unit, s *State)
}

func (h Host) manager() (manager, error) {
	switch h.GOOS {
	case "linux":
		return systemd{h}, nil
	case "darwin":
		return launchd{h}, nil
	case "windows":
		return tasks{h}, nil
	}
	return nil, fmt.Errorf("%w of %s is known here", ErrNoManager, h.GOOS)
}

// unit is the service of a home: that of the default home has a plain name, and any other
// a part of its path's hash, so that each may have one.
func (h Host) unit(home string) (manager, Unit, error) {
	m, err := h.manager()
	if err != nil {
		return nil, Unit{}, err
	}
	home, own := real(home), real(filepath.Join(h.UserHome, ".actiongraph"))
	name := "ag-sessiond"
	// Tasks of all users of a Windows have one folder.
	if home != own || h.GOOS == "windows" {
		sum := sha256.Sum256([]byte(home))
		name += "-" + hex.EncodeToString(sum[:4])
	}
	return m, m.unit(name, home), nil
}

// real follows links: a home that is reached by two paths is one.
func real(path string) string {
	if to, err := filepath.EvalSymlinks(path); err == nil {
		return to
	}
	return path
}

// State is how a service is.
type State struct {
	Unit
	Installed bool `json:"installed"`
	// Current says that the file is what Install would write for the same binary and home.
	Current bool   `json:"current"`
	Enabled bool   `json:"enabled"`          // at the next login it begins
	Active  string `json:"active,omitempty"` // in the manager's words; "" where it does not say
	PID     int    `json:"pid,omitempty"`
	Detail  string `json:"detail,omitempty"` // what else the manager says, or why it says nothing
	Daemon  Daemon `json:"daemon,omitzero"`  // what it was installed for
	// BinaryGone says that what it was installed for is not there any more.
	BinaryGone bool `json:"binary_gone"`
}

// State asks how the service of a home is. That the manager does not answer is in Detail.
func (h Host) State(ctx context.Context, home string) (State, error) {
	m, u, err := h.unit(home)
	if err != nil {
		return State{}, err
	}
	s := State{Unit: u}
	text, d, err := read(u.Path)
	if err != nil || text == "" {
		return s, err
	}
	s.Installed, s.Daemon, s.Current = true, d, text == m.text(u, d)
	if _, err := os.Stat(d.Binary); err != nil {
		s.BinaryGone = true
	}
	if err := m.ready(ctx); err != nil {
		s.Detail = err.Error()
		return s, nil
	}
	m.state(ctx, u, &s)
	return s, nil
}

// Preview returns the file that Install would write.
func (h Host) Preview(d Daemon) (Unit, string, error) {
	m, u, err := h.unit(d.Home)
	if err == nil {
		err = check(m, d)
	}
	if err != nil {
		return u, "", err
	}
	return u, m.text(u, d), nil
}

// check refuses what a unit file cannot say.
func check(m manager, d Daemon) error {
	for _, path := range []string{d.Binary, d.Home, d.ClaudeDir} {
		if strings.ContainsFunc(path, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\ufffd' }) {
			return fmt.Errorf("%q has characters that no service can have in a path: move it", path)
		}
	}
	if !filepath.IsAbs(d.Binary) || !filepath.IsAbs(d.Home) {
		return fmt.Errorf("%s and %s: a service needs absolute paths", d.Binary, d.Home)
	}
	if info, err := os.Stat(d.Binary); err != nil || !info.Mode().IsRegular() {
		return fmt.Errorf("%s is no program", d.Binary)
	}
	return m.check(d)
}

// Start has the manager start the daemon, and waits until it holds the home's lock.
func (h Host) Start(ctx context.Context, home string) error {
	m, u, err := h.installed(ctx, home)
	if err != nil {
		return err
	}
	return h.begin(ctx, m, u, home)
}

func (h Host) begin(ctx context.Context, m manager, u Unit, home string) error {
	if err := h.free(ctx, m, u, home); err != nil {
		return err
	}
	if err := m.start(ctx, u); err != nil {
		return err
	}
	if h.await(ctx, home, true) {
		return nil
	}
	var s State
	m.state(ctx, u, &s)
	return fmt.Errorf("%s does not hold %s after %v (%s): ag-sessiond service logs says why", u.Name, filepath.Join(home, connector.RunLock), h.Patience, strings.TrimSpace(s.Active+" "+s.Detail))
}

// free refuses to start beside a daemon that somebody began by hand.
func (h Host) free(ctx context.Context, m manager, u Unit, home string) error {
	by, held, err := connector.HeldBy(home, connector.RunLock)
	if err != nil || !held {
		return err
	}
	var s State
	if m.state(ctx, u, &s); h.GOOS == "windows" || s.PID == by.PID {
		return nil
	}
	h.Patience = min(h.Patience, time.Second) // one that was killed has it until the kernel is done
	if h.await(ctx, home, false) {
		return nil
	}
	return fmt.Errorf("%s runs for %s already, and not by this service: stop it first, and run this again", by, home)
}

// Stop has the manager end the daemon, and waits until it let go of the home's lock.
func (h Host) Stop(ctx context.Context, home string) error {
	m, u, err := h.installed(ctx, home)
	if err != nil {
		return err
	}
	if err := m.stop(ctx, u); err != nil {
		return err
	}
	return h.ended(ctx, home)
}

// ended waits until no daemon has the home.
func (h Host) ended(ctx context.Context, home string) error {
	if h.await(ctx, home, false) {
		return nil
	}
	by, _, _ := connector.HeldBy(home, connector.RunLock)
	return fmt.Errorf("%s still runs for %s: it was begun by hand, or does not end; stop it by hand", by, home)
}

// Restart is Stop and Start.
func (h Host) Restart(ctx context.Context, home string) error {
	if err := h.Stop(ctx, home); err != nil {
		return err
	}
	return h.Start(ctx, home)
}

// installed is a service that is there, with a manager that answers.
func (h Host) installed(ctx context.Context, home string) (manager, Unit, error) {
	m, u, err := h.unit(home)
	if err != nil {
		return nil, u, err
	}
	text, _, err := read(u.Path)
	if err == nil && text == "" {
		err = errcode.With(errcode.ServiceMissing, fmt.Errorf("there is no service for %s: ag-sessiond service install", home))
	}
	if err == nil {
		err = m.ready(ctx)
	}
	return m, u, err
}

// await waits until a daemon has the home's lock, or none has.
func (h Host) await(ctx context.Context, home string, want bool) bool {
	for deadline := time.Now().Add(h.Patience); ; {
		_, held, err := connector.HeldBy(home, connector.RunLock)
		if err == nil && held == want {
			return true
		}
		if !time.Now().Before(deadline) {
			return false
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(20 * time.Millisecond):
		}
	}
}
