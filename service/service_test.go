package service

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/actiongraph/actiongraph/connector"
)

func systems() []string { return []string{"linux", "darwin", "windows"} }

func TestLifeOfAService(t *testing.T) {
	for _, goos := range systems() {
		f, h, d := newFake(t, goos)
		ctx := t.Context()
		state := func(what string, installed, runs bool) State {
			t.Helper()
			s, err := h.State(ctx, f.home)
			if err != nil || s.Installed != installed || (f.daemon != nil) != runs || s.PID != f.pid() && goos != "windows" {
				t.Errorf("%s, %s: %+v, %v; daemon %v", goos, what, s, err, f.daemon != nil)
			}
			return s
		}
		state("before", false, false)
		if c, err := h.Uninstall(ctx, f.home); err != nil || c.Changed {
			t.Errorf("%s: uninstall of none: %+v, %v", goos, c, err)
		}
		for _, do := range []func(Host, context.Context, string) error{Host.Start, Host.Stop, Host.Restart} {
			if err := do(h, ctx, f.home); err == nil || !strings.Contains(err.Error(), "service install") {
				t.Errorf("%s: without a service: %v", goos, err)
			}
		}
		c, err := h.Install(ctx, d)
		if err != nil || !c.Changed || !c.Started || c.Path != f.path || f.starts != 1 || !f.whole("install") {
			t.Errorf("%s: install: %+v, %v, %d starts", goos, c, err, f.starts)
		}
		if info, err := os.Stat(f.path); err != nil || info.Mode().Perm() != 0o644 && runtime.GOOS != "windows" {
			t.Errorf("%s: %v %v", goos, info.Mode(), err)
		}
		if s := state("installed", true, true); !s.Enabled || !s.Current || s.BinaryGone || s.Daemon != d {
			t.Errorf("%s: installed: %+v", goos, s)
		}
		if c, err := h.Install(ctx, d); err != nil || c.Changed || c.Started || f.starts != 1 {
			t.Errorf("%s: the second time: %+v, %v, %d starts", goos, c, err, f.starts)
		}
		moved := d
		moved.Binary += "-2"
		if c, err := h.Install(ctx, moved); err != nil || !c.Changed || !c.Started || f.starts < 2 || !strings.Contains(f.known, "ag-sessiond-2") {
			t.Errorf("%s: moved: %+v, %v, %d starts of %s", goos, c, err, f.starts, f.known)
		}
		for range 2 {
			if err := h.Stop(ctx, f.home); err != nil {
				t.Errorf("%s: stop: %v", goos, err)
			}
		}
		state("stopped", true, false)
		if c, err := h.Install(ctx, moved); err != nil || c.Changed || !c.Started {
			t.Errorf("%s: install starts what is stopped: %+v, %v", goos, c, err)
		}
		before := f.starts
		if err := h.Restart(ctx, f.home); err != nil || f.starts != before+1 {
			t.Errorf("%s: restart: %v, %d starts", goos, err, f.starts-before)
		}
		for range 2 {
			if err := h.Start(ctx, f.home); err != nil || f.starts != before+1 {
				t.Errorf("%s: start: %v", goos, err)
			}
		}
		os.Remove(moved.Binary)
		if s := state("gone", true, true); !s.BinaryGone {
			t.Errorf("%s: the binary is gone: %+v", goos, s)
		}
		if c, err := h.Uninstall(ctx, f.home); err != nil || !c.Changed || f.whole("uninstall") {
			t.Errorf("%s: uninstall: %+v, %v", goos, c, err)
		}
		state("uninstalled", false, false)
	}
}

// Whichever call of the manager fails: the service is there altogether or not at all, what
// was there before is there again, and the next install makes it right.
func TestInstallIsNeverHalf(t *testing.T) {
	for _, goos := range systems() {
		for _, update := range []bool{false, true} {
			for failAt := 1; ; failAt++ {
				f, h, d := newFake(t, goos)
				if update {
					if _, err := h.Install(t.Context(), d); err != nil {
						t.Fatal(err)
					}
					d.Binary += "-2"
				}
				f.calls, f.failAt = 0, failAt
				_, err := h.Install(t.Context(), d)
				if f.calls < failAt {
					break // all calls were made to fail once
				}
				f.failAt = 0
				there := f.whole("failed")
				if there && err != nil && !update && f.daemon == nil && !strings.Contains(err.Error(), "it fails") {
					t.Errorf("%s: call %d: %v", goos, failAt, err)
				}
				if update && !there {
					t.Errorf("%s: call %d: the one of before is gone: %v", goos, failAt, err)
				}
				if _, err := h.Install(t.Context(), d); err != nil || !f.whole("again") || f.daemon == nil {
					t.Errorf("%s: after call %d failed, the next install: %v, runs %v\n%s", goos, failAt, err, f.daemon != nil, strings.Join(f.log, "\n"))
				}
				if failAt > 30 {
					t.Fatalf("%s: install makes more than 30 calls", goos)
				}
			}
		}
	}
}

func TestUninstallFails(t *testing.T) {
	for _, goos := range systems() {
		for failAt := 1; ; failAt++ {
			f, h, d := newFake(t, goos)
			if _, err := h.Install(t.Context(), d); err != nil {
				t.Fatal(err)
			}
			f.calls, f.failAt = 0, failAt
			h.Uninstall(t.Context(), f.home)
			if f.calls < failAt {
				break
			}
			f.failAt = 0
			f.end() // what the manager did not end is ended by hand
			if _, err := h.Uninstall(t.Context(), f.home); err != nil {
				t.Errorf("%s: after call %d failed, the next uninstall: %v", goos, failAt, err)
			}
			if _, err := os.Stat(f.path); err == nil {
				t.Errorf("%s: after call %d failed, twice: the file is there", goos, failAt)
			}
		}
	}
}

func TestWithoutManager(t *testing.T) {
	for _, goos := range systems() {
		f, h, d := newFake(t, goos)
		f.absent = true
		if _, err := h.Install(t.Context(), d); !errors.Is(err, ErrNoManager) || f.whole("absent") {
			t.Errorf("%s: %v", goos, err)
		}
		f.absent = false
		if _, err := h.Install(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		f.absent = true
		if s, err := h.State(t.Context(), f.home); err != nil || !s.Installed || s.Active != "" || s.Detail == "" {
			t.Errorf("%s: state: %+v, %v", goos, s, err)
		}
		// Its file goes, so that it does not come back; the daemon that nobody can end is said.
		link := filepath.Join(filepath.Dir(f.path), "default.target.wants", filepath.Base(f.path))
		if goos == "linux" {
			if err := errors.Join(os.Mkdir(filepath.Dir(link), 0o700), os.WriteFile(link, nil, 0o600)); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := h.Uninstall(t.Context(), f.home); err == nil || !strings.Contains(err.Error(), "still runs") {
			t.Errorf("%s: uninstall: %v", goos, err)
		}
		for _, path := range []string{f.path, link} {
			if _, err := os.Lstat(path); err == nil {
				t.Errorf("%s: %s is there", goos, path)
			}
		}
	}
}

// Beside a daemon that somebody began by hand none is installed: it would fail for ever.
func TestBesideADaemonByHand(t *testing.T) {
	for _, goos := range []string{"linux", "darwin"} {
		f, h, d := newFake(t, goos)
		lock, err := connector.LockHome(f.home, connector.RunLock, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.Install(t.Context(), d); err == nil || !strings.Contains(err.Error(), "not by this service") || f.whole("by hand") {
			t.Errorf("%s: %v", goos, err)
		}
		lock.Unlock()
	}
}

// A file that we did not write is nobody's to overwrite or remove.
func TestForeignUnit(t *testing.T) {
	f, h, d := newFake(t, "linux")
	if err := errors.Join(os.MkdirAll(filepath.Dir(f.path), 0o700), os.WriteFile(f.path, []byte("[Unit]\n"), 0o600)); err != nil {
		t.Fatal(err)
	}
	_, installed := h.Install(t.Context(), d)
	_, uninstalled := h.Uninstall(t.Context(), f.home)
	_, asked := h.State(t.Context(), f.home)
	for _, err := range []error{installed, uninstalled, asked} {
		if err == nil || !strings.Contains(err.Error(), "was not written by") {
			t.Errorf("%v", err)
		}
	}
	if b, _ := os.ReadFile(f.path); string(b) != "[Unit]\n" {
		t.Errorf("it is now %q", b)
	}
}

// A daemon that ends at once is an error, and the service stays: its log says why.
func TestDaemonThatDies(t *testing.T) {
	for _, goos := range systems() {
		f, h, d := newFake(t, goos)
		f.dies = true
		if _, err := h.Install(t.Context(), d); err == nil || !strings.Contains(err.Error(), "service logs") || !f.whole("dies") {
			t.Errorf("%s: %v", goos, err)
		}
		f.dies = false
		if c, err := h.Install(t.Context(), d); err != nil || !c.Started || c.Changed {
			t.Errorf("%s: the next one: %+v, %v", goos, c, err)
		}
	}
}

// A kill at any moment: the next install completes it, and so does an uninstall.
func TestKilledWhileInstalling(t *testing.T) {
	for _, goos := range systems() {
		for killAt := 1; ; killAt++ {
			f, h, d := newFake(t, goos)
			f.killAt = killAt
			if !f.killed(func() { h.Install(t.Context(), d) }) {
				break
			}
			f.killAt = 0
			if killAt%2 == 0 {
				if _, err := h.Uninstall(t.Context(), f.home); err != nil || f.whole("uninstall") {
					t.Errorf("%s: uninstall after a kill at call %d: %v", goos, killAt, err)
				}
			}
			if _, err := h.Install(t.Context(), d); err != nil || !f.whole("again") || f.daemon == nil {
				t.Errorf("%s: install after a kill at call %d: %v", goos, killAt, err)
			}
		}
	}
}
