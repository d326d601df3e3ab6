package doctor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/service"
)

// The service that is installed, and the daemon that runs or does not: each with its cure.
func TestService(t *testing.T) {
	dir := t.TempDir()
	home, binary := filepath.Join(dir, "home"), filepath.Join(dir, "ag-sessiond")
	if err := errors.Join(os.Mkdir(home, 0o700), os.WriteFile(binary, nil, 0o700)); err != nil {
		t.Fatal(err)
	}
	active, pid, enabled, answers := "inactive", 0, "enabled", true
	var lock *connector.Lock
	unlock := func() {
		if lock != nil {
			lock.Unlock()
			lock = nil
		}
	}
	start := func() error {
		var err error
		lock, err = connector.LockHome(home, connector.RunLock, 0)
		active, pid = "active", os.Getpid()
		return err
	}
	t.Cleanup(unlock)
	h := service.Host{GOOS: "linux", UserHome: dir, ConfigHome: filepath.Join(dir, "config"),
		Run: func(_ context.Context, _ string, args ...string) (string, error) {
			switch {
			case !answers:
				return "", errors.New("no bus")
			case args[2] == "show":
				return fmt.Sprintf("LoadState=loaded\nActiveState=%s\nMainPID=%d\nUnitFileState=%s\nResult=success\nNRestarts=3\n", active, pid, enabled), nil
			case args[2] == "start":
				return "", start()
			}
			return "", nil
		}}
	check := func(what string, status Status, text, cure string) {
		t.Helper()
		got := serviceOf(t.Context(), h, home)
		if len(got) != 1 || got[0].Status != status || !strings.Contains(got[0].Detail, text) || !strings.Contains(got[0].Cure, cure) {
			t.Errorf("%s: %+v", what, got)
		}
	}
	check("none", OK, "none is installed", "")
	c, err := h.Install(t.Context(), service.Daemon{Binary: binary, Home: home})
	if err != nil {
		t.Fatal(err)
	}
	check("runs", OK, "is installed and runs: process", "")
	enabled = "disabled"
	check("not enabled", Warn, "does not begin at the next login", "service install")
	enabled, pid = "enabled", 1
	check("another one", Warn, "runs in its place", "stop that one")
	pid = os.Getpid()
	answers = false
	check("no answer", OK, "is installed and runs", "")
	answers = true
	unit, err := os.ReadFile(c.Path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(c.Path, append(unit, "# mine\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	check("edited", Warn, "is not as this version writes it", "service install")
	unlock()
	active, pid = "failed", 0
	check("failed", Warn, "does not run (failed, restarts: 3)", "service logs")
	os.Remove(binary)
	check("gone", Fail, binary+" is gone", "service install")
	if err := os.WriteFile(c.Path, []byte("[Unit]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	check("foreign", Warn, "was not written by", "look at")
	h.GOOS = "plan9"
	check("no manager", OK, "no session manager", "")
}
