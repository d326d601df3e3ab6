package service

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph/connector"
)

// fake is a session manager of each kind, as far as they differ here. Its daemon is the
// lock that one holds; its process is this one.
type fake struct {
	t    *testing.T
	home string
	path string // of the unit

	absent  bool
	known   string // the text that it read last; "" is none
	enabled bool
	daemon  *connector.Lock
	starts  int
	failAt  int // which call fails, from 1; 0 is none
	calls   int
	killAt  int  // which call is the last one of the process that makes it
	dies    bool // the daemon ends as soon as it begins
	log     []string
}

func newFake(t *testing.T, goos string) (*fake, Host, Daemon) {
	t.Helper()
	dir := real(t.TempDir())
	f := &fake{t: t, home: filepath.Join(dir, "home")}
	d := Daemon{Binary: filepath.Join(dir, "ag-sessiond"), Home: f.home}
	for _, path := range []string{d.Binary, d.Binary + "-2"} {
		if err := os.WriteFile(path, nil, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(f.home, 0o700); err != nil {
		t.Fatal(err)
	}
	h := Host{GOOS: goos, UserHome: dir, ConfigHome: filepath.Join(dir, ".config"), UserName: `PC\dev`, UID: 1000, Run: f.run, Patience: 200 * time.Millisecond}
	_, u, err := h.unit(f.home)
	if err != nil {
		t.Fatal(err)
	}
	f.path = u.Path
	t.Cleanup(f.end)
	return f, h, d
}

func (f *fake) run(_ context.Context, name string, args ...string) (string, error) {
	f.calls++
	f.log = append(f.log, name+" "+strings.Join(args, " "))
	if f.absent {
		return "", errors.New("no bus")
	}
	if f.killAt == f.calls {
		panic("killed")
	}
	if f.failAt == f.calls {
		return "", errors.New("it fails")
	}
	switch name {
	case "systemctl":
		return f.systemctl(args[2:])
	case "launchctl":
		return f.launchctl(args)
	case "schtasks":
		return "", f.schtasks(args)
	case "loginctl":
		return "no\n", nil
	}
	return "", fmt.Errorf("no program %s", name)
}

// killed reports whether fn was killed at killAt.
func (f *fake) killed(fn func()) (killed bool) {
	defer func() { killed = recover() != nil }()
	fn()
	return false
}

func (f *fake) systemctl(args []string) (string, error) {
	switch args[0] {
	case "daemon-reload":
		f.load()
	case "enable":
		if f.load(); f.known == "" {
			return "", errors.New("no such unit")
		}
		f.enabled = true
	case "disable":
		f.enabled = false
		f.end()
	case "start":
		return "", f.begin()
	case "stop":
		f.end()
	case "show":
		enabled := "disabled"
		if f.enabled {
			enabled = "enabled"
		}
		return fmt.Sprintf("LoadState=loaded\nActiveState=%s\nMainPID=%d\nUnitFileState=%s\nResult=success\nNRestarts=0\n", f.active(), f.pid(), enabled), nil
	}
	return "", nil
}

func (f *fake) launchctl(args []string) (string, error) {
	target := args[0] == "print" && strings.Contains(args[1], "com.actiongraph")
	switch {
	case args[0] == "print" && !target:
		return "", nil
	case args[0] == "bootstrap":
		if f.load(); f.known == "" || f.enabled {
			return "", errors.New("5: Input/output error")
		}
		f.enabled = true
		f.begin() // RunAtLoad
		return "", nil
	case args[0] == "enable":
		return "", nil
	case !f.enabled:
		return "", errors.New("113: Could not find service")
	case args[0] == "bootout":
		f.enabled, f.known = false, ""
		f.end()
	case args[0] == "kickstart":
		return "", f.begin()
	case args[0] == "kill":
		f.end()
	case target:
		out := "x = {\n\tstate = " + f.active() + "\n"
		if f.daemon != nil {
			out += fmt.Sprintf("\tpid = %d\n", f.pid())
		}
		return out + "\tlast exit code = (never exited)\n\tsub = {\n\t\tstate = other\n\t}\n}\n", nil
	}
	return "", nil
}

func (f *fake) schtasks(args []string) error {
	switch named := slices.Contains(args, "/TN"); {
	case args[0] == "/Query" && !named:
		return nil
	case args[0] == "/Create":
		f.load()
		f.enabled = f.known != ""
	case !f.enabled:
		return errors.New("The system cannot find the file specified")
	case args[0] == "/Delete":
		f.enabled, f.known = false, ""
	case args[0] == "/Run":
		return f.begin()
	case args[0] == "/End":
		f.end()
	}
	return nil
}

// load reads the file as a manager does.
func (f *fake) load() {
	f.known, _, _ = read(f.path)
}

func (f *fake) begin() error {
	if f.known == "" {
		return errors.New("not loaded")
	}
	if f.daemon != nil || f.dies {
		return nil
	}
	lock, err := connector.LockHome(f.home, connector.RunLock, 0)
	if err != nil {
		return nil // its exit code nobody sees
	}
	f.daemon = lock
	f.starts++
	return nil
}

func (f *fake) end() {
	if f.daemon != nil {
		f.daemon.Unlock()
		f.daemon = nil
	}
}

func (f *fake) active() string {
	if f.daemon != nil {
		return "active"
	}
	return "inactive"
}

func (f *fake) pid() int {
	if f.daemon != nil {
		return os.Getpid()
	}
	return 0
}

// whole wants the service to be there altogether, or not at all.
func (f *fake) whole(what string) (there bool) {
	f.t.Helper()
	_, err := os.Stat(f.path)
	if there = err == nil; there != f.enabled {
		f.t.Errorf("%s: half installed: file %v, enabled %v\n%s", what, there, f.enabled, strings.Join(f.log, "\n"))
	}
	if left, _ := os.ReadDir(filepath.Dir(f.path)); !there {
		for _, e := range left {
			if strings.Contains(e.Name(), "ag-sessiond") || strings.Contains(e.Name(), "service.xml") {
				f.t.Errorf("%s: left: %s", what, e.Name())
			}
		}
	}
	return there
}
