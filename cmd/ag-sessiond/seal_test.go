package main

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/errcode"
	"github.com/actiongraph/actiongraph/seal"
)

// proofOf is what verify --seal says, and its exit code.
func proofOf(t *testing.T, home string) (p seal.Proof, code int) {
	t.Helper()
	var out, errs bytes.Buffer
	code = execute(t.Context(), []string{"verify", "--seal", "--json", "--home", home}, &out, &errs)
	if strings.Contains(errs.String(), string(errcode.SealNothing)) {
		return p, exitDone // killed before the first entry: what is not sealed is not broken
	}
	if err := json.Unmarshal(out.Bytes(), &p); err != nil {
		t.Fatalf("verify --seal: %d, %v, %s", code, err, errs.Bytes())
	}
	return p, code
}

// TestKilledWhileItSeals: a daemon that seals is killed at any moment while events arrive. What it sealed is
// proved each time, with the copy in its store, and in the end all is sealed.
func TestKilledWhileItSeals(t *testing.T) {
	home := filepath.Join(t.TempDir(), "home")
	record(t, home, 3, 0)
	writeConfig(t, home, "[seal]\nenabled = true\n")
	for kill := range 30 {
		cmd := exec.Command("ag-sessiond", "run", "--home", home, "--log", "json") // this binary: TestMain
		cmd.Env = append(os.Environ(), "HOME="+t.TempDir())
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
			if by, held, _ := connector.HeldBy(home, connector.RunLock); held && by.PID == cmd.Process.Pid {
				break
			}
		}
		for until := time.Now().Add(time.Duration(rand.IntN(100)) * time.Millisecond); time.Now().Before(until); {
			record(t, home, 1, 0)
		}
		cmd.Process.Kill()
		if err := cmd.Wait(); err == nil {
			t.Fatal("the daemon ended by itself")
		}
		if p, code := proofOf(t, home); code != exitDone || p.Last.Number > 0 && !p.Proved {
			t.Fatalf("kill %d: exit code %d, %v", kill, code, p.Breaks)
		}
	}
	d := startDaemon(t, home)
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		p, code := proofOf(t, home)
		if code != exitDone {
			t.Fatalf("exit code %d, %v", code, p.Breaks)
		}
		if p.Unsealed == 0 && p.Sessions == 3 && len(p.Copies) == 1 && p.Copies[0].Entry == p.Last.Number {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("not all is sealed, and in the store: %+v", p)
		}
	}
	d.stop()
}
