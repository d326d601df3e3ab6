package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph/schema"
)

func TestLogLine(t *testing.T) {
	p := problem{level: "ERROR", message: "event \"lost\"", err: errors.New(strings.Repeat("x", 9999)), cure: "c",
		event: &schema.Event{EventType: schema.ToolEnd, SessionID: "../x", Content: "secret", ToolName: "secret"}}
	line := string(p.line(time.Unix(0, 5)))
	var m map[string]string
	if err := json.Unmarshal([]byte(line), &m); err != nil || !strings.HasSuffix(line, "}\n") {
		t.Fatalf("%v in %q", err, line)
	}
	if m["timestamp"] != "1970-01-01T00:00:00.000000005Z" || m["level"] != "ERROR" || m["logger"] != "ag-hook" ||
		m["message"] != `event "lost"` || len(m["error_message"]) != 2000 || m["cure"] != "c" ||
		m["event_type"] != "tool_end" || !schema.ValidID(m["session_id"]) || strings.Contains(line, "secret") {
		t.Error(line)
	}
}

func TestLogIsBoundedAndRotated(t *testing.T) {
	home := t.TempDir()
	l := hookLog{home: home}
	path := filepath.Join(home, "hook.log")
	big := problem{level: "ERROR", message: strings.Repeat("x", 100_000)}
	var wg sync.WaitGroup
	for range 4 { // processes, as far as files can tell
		wg.Go(func() {
			for range 10 {
				l.add(big)
			}
		})
	}
	wg.Wait()
	l.add(problem{level: "ERROR", message: "the last one"})
	for _, name := range []string{path, path + ".1"} {
		info, err := os.Stat(name)
		if err != nil || info.Size() > maxLog+5*100_100 {
			t.Fatal(info, err)
		}
		if runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v", name, info.Mode())
		}
	}
	if text := hookLogText(t, home); !strings.Contains(text, "the last one") {
		t.Error("the last line is not there")
	}
}

func TestLogWithoutAHomeWritesNowhere(t *testing.T) {
	t.Chdir(t.TempDir())
	hookLog{}.add(problem{level: "ERROR", message: "x"})
	if entries, err := os.ReadDir("."); err != nil || len(entries) != 0 {
		t.Error(entries, err)
	}
}

func TestPanicIsLoggedWithoutItsValue(t *testing.T) {
	home := t.TempDir()
	h := newHook(options{home: home, now: time.Unix(1, 0)})
	func() {
		defer h.recovered()
		panic("the payload's secret")
	}()
	func() {
		defer h.recovered()
		var list []int
		_ = list[len(home)]
	}()
	log := hookLogText(t, home)
	if strings.Contains(log, "secret") || !strings.Contains(log, "TestPanicIsLogged") || !strings.Contains(log, "index out of range") {
		t.Error(log)
	}
}
