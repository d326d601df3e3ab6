package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/actiongraph/actiongraph/api"
	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/graph"
)

// report is what ag-sessiond status says.
func (d *daemon) report() (s statusReport) {
	d.t.Helper()
	var out bytes.Buffer
	execute(d.t.Context(), []string{"status", "--json", "--home", d.home}, &out, &bytes.Buffer{})
	if err := json.Unmarshal(out.Bytes(), &s); err != nil {
		d.t.Fatalf("%v: %s", err, out.Bytes())
	}
	return s
}

// until waits until the daemon says so.
func (d *daemon) until(what string, ok func(statusReport) bool) statusReport {
	d.t.Helper()
	var s statusReport
	for deadline := time.Now().Add(60 * time.Second); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		if s = d.report(); ok(s) {
			return s
		}
	}
	text, _ := json.MarshalIndent(s, "", " ")
	d.t.Fatalf("not in a minute: %s\n%s\n%s", what, text, d.log.text())
	return s
}

func (l *lockedBuffer) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (l *lockedBuffer) count(s string) int { return strings.Count(l.text(), s) }

func keptNames(s statusReport) string {
	var names []string
	for _, h := range s.Stores {
		if h.Kept {
			names = append(names, h.Name)
		}
	}
	return strings.Join(names, " ")
}

// A daemon takes over what the configuration says now: sources, databases, the address, one
// at a time. What did not change goes on: the store, and what it counted. A broken file
// keeps what was, is said once, and in status, until it is mended.
func TestReload(t *testing.T) {
	leaks := goleak.IgnoreCurrent()
	home, dir := filepath.Join(t.TempDir(), "home"), t.TempDir()
	record(t, home, 3, 0)
	d := startDaemon(t, home)
	d.until("the store is up", func(s statusReport) bool { return keptNames(s) == embedded && s.Stores[0].State == connector.Up })
	const line = `{"event_type":"message","session_id":"posted","timestamp":"2026-01-01T00:00:0%dZ","role":"user","content":"n%d","v":1}` + "\n"
	lines := ""
	say := func(n int) {
		t.Helper()
		lines += fmt.Sprintf(line, n, n)
		if err := os.WriteFile(filepath.Join(dir, "a.jsonl"), []byte(lines), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	say(1)
	source := fmt.Sprintf("[[source]]\npath = %q\nformat = \"events\"\n", dir)
	writeConfig(t, home, source)
	d.until("the source is read", func(s statusReport) bool { return s.Sources != nil && s.Sources.Events == 1 })

	// Nobody listens there: each is tried by itself.
	unreachable := func(name string) string {
		return fmt.Sprintf("[[graph]]\nname = %q\nurl = \"bolt://127.0.0.1:1\"\n", name)
	}
	writeConfig(t, home, source+unreachable("one")+unreachable("two"))
	d.until("two databases are tried", func(s statusReport) bool {
		return keptNames(s) == "sqlite one two" && s.Stores[1].State == connector.Down && s.Stores[2].State == connector.Down
	})
	writeConfig(t, home, source+unreachable("two")+"[transcripts]\nfollow = []\n")
	s := d.until("one is gone, and transcripts", func(s statusReport) bool { return keptNames(s) == "sqlite two" && s.Transcripts == nil })
	if s.Sources == nil || s.Sources.Events != 1 {
		t.Errorf("the source, which did not change, was begun anew: %+v", s.Sources)
	}
	if n := len(d.log.of("two")); n != 1 {
		t.Errorf("the database that stayed was begun anew: %d lines", n)
	}

	writeConfig(t, home, source+unreachable("two")+"[api]\nlisten = '127.0.0.1:0'\nsokcet = 1\n")
	s = d.until("a broken file is said", func(s statusReport) bool { return s.Config != nil && s.Config.Error != "" })
	if !strings.Contains(s.Config.Error, "config.toml:9: unknown key api.sokcet: did you mean socket?") || s.API == nil || s.API.Address != "" || keptNames(s) != "sqlite two" {
		t.Errorf("while it is broken: %+v, %+v, %s", s.Config, s.API, keptNames(s))
	}
	say(2)
	d.until("what was in force goes on", func(s statusReport) bool { return s.Sources != nil && s.Sources.Events == 2 })
	record(t, home, 1, 10*time.Second)
	if n := d.log.count(`"reason":"config.broken"`); n != 1 {
		t.Errorf("it is said %d times:\n%s", n, d.log.text())
	}
	var out bytes.Buffer
	execute(t.Context(), []string{"status", "--home", home}, &out, &bytes.Buffer{})
	if !strings.Contains(out.String(), "is in force: "+filepath.Join(home, "config.toml:9")+": unknown key api.sokcet") {
		t.Errorf("status: %s", &out)
	}
	writeConfig(t, home, source+"[api]\nlisten = '127.0.0.1:0'\n")
	s = d.until("the mended file is in force", func(s statusReport) bool {
		return s.Config != nil && s.Config.Error == "" && s.API != nil && s.API.Address != "" && keptNames(s) == embedded
	})
	if c, err := net.Dial("tcp", s.API.Address); err != nil {
		t.Error(err)
	} else {
		c.Close()
	}
	if c, err := net.Dial("unix", filepath.Join(home, api.SocketFile)); err != nil {
		t.Error(err)
	} else {
		c.Close()
	}
	// A port that somebody has leaves the old one.
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	writeConfig(t, home, source+fmt.Sprintf("[api]\nlisten = '%s'\n", taken.Addr()))
	s = d.until("the port is taken", func(s statusReport) bool { return s.Config != nil && s.Config.Error != "" })
	if s.API == nil || s.API.Address == "" || s.API.Address == taken.Addr().String() {
		t.Errorf("without the old address: %+v", s.API)
	}
	if err := os.Remove(filepath.Join(home, "config.toml")); err != nil {
		t.Fatal(err)
	}
	d.until("without a file the defaults", func(s statusReport) bool {
		return s.Config != nil && s.Config.Error == "" && s.Sources == nil && s.Transcripts != nil && s.API != nil && s.API.Address == ""
	})
	if code := d.stop(); code != exitDone {
		t.Errorf("exit code %d", code)
	}
	verifyHome(t, home)
	goleak.VerifyNone(t, leaks)
}

func verifyHome(t *testing.T, home string) {
	t.Helper()
	var out, errs bytes.Buffer
	if code := execute(t.Context(), []string{"sync", "--home", home}, &out, &errs); code != exitDone {
		t.Fatalf("sync: exit code %d\n%s", code, &errs)
	}
	if code := execute(t.Context(), []string{"verify", "--home", home}, &out, &errs); code != exitDone {
		t.Errorf("verify: exit code %d\n%s%s", code, &out, &errs)
	}
}

// Configurations that come while a daemon catches up and reads, and kills, lose and double
// nothing: each line of each source is there once in the end.
func TestReloadWhileCatchingUp(t *testing.T) {
	home, dir := filepath.Join(t.TempDir(), "home"), t.TempDir()
	record(t, home, 300, 0)
	const files, each = 4, 400
	for f := range files {
		var b strings.Builder
		for i := range each {
			fmt.Fprintf(&b, `{"event_type":"message","session_id":"s%d","timestamp":"2026-01-01T00:%02d:%02dZ","role":"user","content":"n%d","v":1}`+"\n", f, i/60, i%60, i)
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d.jsonl", f)), []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	source := func(f int) string {
		return fmt.Sprintf("[[source]]\npath = %q\nformat = \"events\"\n", filepath.Join(dir, fmt.Sprintf("%d.jsonl", f)))
	}
	for kill := range files {
		writeConfig(t, home, source(0))
		cmd := exec.Command("ag-sessiond", "run", "--home", home, "--log", "json") // this binary: TestMain
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		// Before it has the lock a SIGHUP may end it, as it ends any program.
		for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
			if by, held, _ := connector.HeldBy(home, connector.RunLock); held && by.PID == cmd.Process.Pid || time.Now().After(deadline) {
				break
			}
		}
		for change := range 3 {
			time.Sleep(time.Duration(50+150*kill) * time.Millisecond)
			text := strings.Repeat("[[graph]]\nurl = \"bolt://127.0.0.1:1\"\n", change%2)
			for f := range files {
				if (f+change+kill)%3 != 0 {
					text += source(f)
				}
			}
			writeConfig(t, home, text)
			if runtime.GOOS != "windows" {
				cmd.Process.Signal(syscall.SIGHUP)
			}
		}
		time.Sleep(time.Duration(100*kill) * time.Millisecond)
		cmd.Process.Kill()
		if err := cmd.Wait(); err == nil || !strings.Contains(err.Error(), "killed") && runtime.GOOS != "windows" {
			t.Fatalf("the daemon ended by itself: %v", err)
		}
	}
	text := ""
	for f := range files {
		text += source(f)
	}
	writeConfig(t, home, text)
	d := startDaemon(t, home)
	d.until("all is read", func(s statusReport) bool {
		return s.Sources != nil && s.Sources.Files == files && s.Sources.Behind == 0 && s.Store.LagBytes == 0 && s.Store.Sessions == files+3
	})
	d.stop()
	verifyHome(t, home)
	for session, want := range map[string]int64{"s0": each, "s1": each, "s2": each, "s3": each, "session-0": 100, "session-1": 100, "session-2": 100} {
		var out bytes.Buffer
		execute(t.Context(), []string{"summary", session, "--json", "--home", home}, &out, &bytes.Buffer{})
		var sum graph.Summary
		if err := json.Unmarshal(out.Bytes(), &sum); err != nil || sum.ActionCount != want {
			t.Errorf("%s: %d actions, want %d, %v", session, sum.ActionCount, want, err)
		}
	}
}
