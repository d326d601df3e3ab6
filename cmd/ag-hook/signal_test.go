//go:build unix

package main

import (
	"os"
	"syscall"
	"testing"
)

func TestSignalsDoNotStopIt(t *testing.T) {
	home := t.TempDir()
	cmd := command(home)
	stdin := start(t, cmd)
	text := payload("s", 400_000)
	// More than a pipe holds: when this write returns, the hook is reading.
	if _, err := stdin.Write(text[:200_000]); err != nil {
		t.Fatal(err)
	}
	for _, sig := range []os.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGTERM} {
		if err := cmd.Process.Signal(sig); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := stdin.Write(text[200_000:]); err != nil {
		t.Error(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	if got := events(t, home); len(got) != 1 || len(got[0].Result) < 400_000 {
		t.Errorf("%d events", len(got))
	}
}
