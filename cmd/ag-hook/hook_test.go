package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/schema"
	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain makes this test binary ag-hook where it is called so.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"ag-hook": main})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Setenv("GORACE", os.Getenv("GORACE")) // see internal/maketest
			return nil
		},
		Condition: func(cond string) (bool, error) {
			_, err := os.Stat("/dev/full")
			return err == nil, nil // [devfull] is the only one
		},
	})
}

// command returns an ag-hook process to be started.
func command(home string, args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Args = append([]string{"ag-hook", "claude"}, args...)
	cmd.Env = append(os.Environ(), "AG_HOME="+home)
	return cmd
}

// runQuietly runs cmd and fails unless it exits 0 and prints nothing.
func runQuietly(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil || out.Len() > 0 {
		t.Errorf("%v, printed %q", err, out.String())
	}
}

// events returns what the journals of home hold, all of it valid.
func events(t testing.TB, home string) []schema.Event {
	t.Helper()
	all, torn := recorded(t, home)
	if torn > 0 {
		t.Errorf("%d torn lines", torn)
	}
	return all
}

// recorded returns the events in the journals of home, and how many lines are torn.
func recorded(t testing.TB, home string) (all []schema.Event, torn int) {
	t.Helper()
	j, err := journal.Open(home)
	if err != nil {
		t.Fatal(err)
	}
	files, err := j.Files()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		c, err := j.Read(f.Session, journal.Position{})
		if err != nil {
			t.Fatal(err)
		}
		for {
			line, err := c.Next()
			if err == io.EOF {
				break
			}
			e, decodeErr := schema.Decode(line)
			if err != nil || decodeErr != nil {
				t.Fatal(err, decodeErr)
			}
			if err := e.Validate(); err != nil {
				t.Errorf("%s: %v", line, err)
			}
			if e.SessionID != f.Session {
				t.Errorf("session %s is in the file of %s", e.SessionID, f.Session)
			}
			all = append(all, e)
		}
		torn += c.Torn()
		c.Close()
	}
	return all, torn
}

// hookLogText returns hook.log, "" where there is none, and checks that its lines
// are JSON.
func hookLogText(t testing.TB, home string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(home, "hook.log"))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	for line := range bytes.Lines(text) {
		if !json.Valid(line) {
			t.Errorf("hook.log: %q is not JSON", line)
		}
	}
	return string(text)
}

// payload returns a PostToolUse of about size bytes.
func payload(session string, size int) []byte {
	output := strings.Repeat("output with \"quotes\" and\ttabs\n", size/30+1)[:size]
	b, err := json.Marshal(map[string]any{
		"session_id": session, "transcript_path": "/nowhere/" + session + ".jsonl", "cwd": "/nowhere",
		"hook_event_name": "PostToolUse", "tool_name": "Bash", "tool_use_id": "toolu_01" + session,
		"tool_input": map[string]any{"command": "make"}, "tool_response": map[string]any{"stdout": output},
	})
	if err != nil {
		panic(err)
	}
	return append(b, '\n')
}

func TestHostilePayloads(t *testing.T) {
	deep := strings.Repeat(`{"a":[`, 300_000)
	for name, text := range map[string]string{
		"broken JSON":      `{"session_id":"s","hook_event_name":`,
		"text":             "not JSON at all",
		"null":             "null",
		"array":            `[{"session_id":"s"}]`,
		"wrong types":      `{"session_id":5,"hook_event_name":["PreToolUse"],"cwd":{},"tool_input":"x","transcript_path":7,"agent_id":9}`,
		"bytes":            "\x00\xff\xfe{\x01",
		"bytes in strings": "{\"session_id\":\"\xff\x00\",\"cwd\":\"\xff\"}",
		"traversal":        `{"session_id":"../../etc/passwd","hook_event_name":"Stop","cwd":"/nowhere/../../..","agent_id":"../../../x","transcript_path":"../../x"}`,
		"absolute":         `{"session_id":"/tmp/x","hook_event_name":"Stop"}`,
		"long id":          `{"session_id":"` + strings.Repeat("x", 5000) + `","hook_event_name":"Stop"}`,
		"no event name":    `{"session_id":"s"}`,
		"empty object":     `{}`,
		"pretty":           "{\n  \"session_id\": \"s\",\n  \"hook_event_name\": \"Stop\",\n \"x\": [\n1,\n2]\n}\n",
		"deep, broken":     deep,
		"deep, whole":      deep + strings.Repeat("]}", 300_000),
		"doubled":          `{"session_id":"s","hook_event_name":"Stop"}{"session_id":"s"}`,
		"devices":          `{"session_id":"s","hook_event_name":"PreToolUse","cwd":"/dev/zero","agent_id":"a","transcript_path":"/dev/stdin"}`,
	} {
		check := func(t *testing.T, command func(home string, args ...string) *exec.Cmd) {
			t.Parallel()
			dir := t.TempDir()
			home := filepath.Join(dir, "work", "home")
			cmd := command(home)
			cmd.Stdin = strings.NewReader(text)
			runQuietly(t, cmd)
			if got := events(t, home); len(got) == 0 {
				t.Errorf("nothing recorded; hook.log: %s", hookLogText(t, home))
			}
			filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
				if err != nil || !d.IsDir() && !strings.HasPrefix(path, home+string(filepath.Separator)) {
					t.Errorf("%s is outside the home: %v", path, err)
				}
				return nil
			})
		}
		t.Run(name, func(t *testing.T) { check(t, command) })
		t.Run("events "+name, func(t *testing.T) { check(t, eventsCommand) })
	}
}

func TestPayloadOfAnySizeIsRecordedWhole(t *testing.T) {
	for _, size := range []int{0, 1, 2 << 10, firstRead - 400, firstRead, 4 * firstRead, 2_000_000, 9_000_000} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			t.Parallel()
			home := t.TempDir()
			cmd := command(home)
			text := payload("s", size)
			cmd.Stdin = bytes.NewReader(text)
			runQuietly(t, cmd)
			got := events(t, home)
			if len(got) == 0 || hookLogText(t, home) != "" {
				t.Fatalf("%d events, hook.log: %s", len(got), hookLogText(t, home))
			}
			if e := got[0]; e.ToolUseID != "toolu_01s" || size <= 1<<20 && len(e.Result) < size {
				t.Errorf("call %q, a result of %d bytes", e.ToolUseID, len(e.Result))
			}
		})
	}
}

// start starts cmd with a pipe for its stdin.
func start(t *testing.T, cmd *exec.Cmd) io.WriteCloser {
	t.Helper()
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return stdin
}

func TestDoesNotWaitForTheEndOfStdin(t *testing.T) {
	for _, size := range []int{100, 500_000} {
		home := t.TempDir()
		cmd := command(home)
		stdin := start(t, cmd)
		defer stdin.Close()
		if _, err := stdin.Write(payload("s", size)); err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
		if took := time.Since(begin); took > patience/2 {
			t.Errorf("took %v with stdin left open", took)
		}
		if got := events(t, home); len(got) != 1 || hookLogText(t, home) != "" {
			t.Errorf("%d events, hook.log: %s", len(got), hookLogText(t, home))
		}
	}
}

// TestDrainsStdin: a runtime whose write fails because its hook went away may report
// the hook as failed.
func TestDrainsStdin(t *testing.T) {
	home := t.TempDir()
	cmd := command(home)
	stdin := start(t, cmd)
	text := append(payload("s", 100), bytes.Repeat([]byte(" "), 3<<20)...)
	if _, err := stdin.Write(text); err != nil {
		t.Error(err)
	}
	stdin.Close()
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	if got := events(t, home); len(got) != 1 {
		t.Errorf("%d events", len(got))
	}
}

// TestGivesUpOnStdin runs in this process, to be less patient.
func TestGivesUpOnStdin(t *testing.T) {
	for name, text := range map[string]string{"half a payload": `{"session_id":"s","hook_event_na`, "nothing": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			home := t.TempDir()
			h := newHook(options{runtime: "claude", home: home, now: time.Now(), at: time.Now()})
			h.patience = 50 * time.Millisecond
			exited := make(chan bool)
			h.exit = func() { exited <- true }
			r, w := io.Pipe()
			go h.run(r)
			w.Write([]byte(text))
			<-exited
			if text != "" { // too late: this process would be gone
				w.Write([]byte("me\":\"Stop\"}"))
				time.Sleep(2 * h.patience / 5)
			}
			if text == "" {
				if log := hookLogText(t, home); !strings.Contains(log, "stdin was empty") {
					t.Errorf("hook.log: %q", log)
				}
				return
			}
			got := events(t, home)
			if len(got) != 1 || got[0].EventType != schema.Unknown || !strings.Contains(string(got[0].AppendJSON(nil)), "hook_event_na") {
				t.Errorf("%+v", got)
			}
			if log := hookLogText(t, home); !strings.Contains(log, "stdin stopped") {
				t.Errorf("hook.log: %q", log)
			}
		})
	}
}

// slowly is a stdin that never pauses as long as the hook is patient, and in all
// takes longer.
type slowly struct{ rest string }

func (s *slowly) Read(p []byte) (int, error) {
	time.Sleep(20 * time.Millisecond)
	if s.rest == "" {
		return 0, io.EOF
	}
	n := copy(p, s.rest[:min(10, len(s.rest))])
	s.rest = s.rest[n:]
	return n, nil
}

func TestWaitsForASlowStdin(t *testing.T) {
	home := t.TempDir()
	h := newHook(options{runtime: "claude", home: home, now: time.Now(), at: time.Now()})
	h.patience = 200 * time.Millisecond
	done := make(chan string, 2)
	h.exit = func() { done <- "it gave up" }
	go func() {
		h.run(&slowly{string(payload("s", 10))})
		done <- ""
	}()
	if problem := <-done; problem != "" {
		t.Fatal(problem)
	}
	h.watchdog.Stop()
	if got := events(t, home); len(got) != 1 || got[0].EventType == schema.Unknown {
		t.Errorf("%+v", got)
	}
}

func TestTimeIsTheOneGiven(t *testing.T) {
	home := t.TempDir()
	cmd := command(home, "--at", "2026-02-03T04:05:06.789012345+01:00")
	cmd.Stdin = bytes.NewReader(payload("s", 10))
	runQuietly(t, cmd)
	got := events(t, home)
	if len(got) == 0 || schema.FormatTime(got[0].Timestamp) != "2026-02-03T03:05:06.789012345Z" {
		t.Errorf("%+v", got)
	}
}

func FuzzHook(f *testing.F) {
	for _, seed := range []string{
		"", " \n", "{", "{}", "null", `"x"`, `{"session_id":"../../x"}`, `{"hook_event_name":"SessionStart","cwd":"/"}`,
		`{"session_id":"s","hook_event_name":"PreToolUse","tool_input":{"a":[1,2,{}]},"agent_id":"a","transcript_path":"/x/y.jsonl"}`,
		"{\"session_id\":\"s\"}\n{", "{\"a\":\"\\u0000\xff\"}", string(payload("s", 50)),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		home := t.TempDir()
		h := newHook(options{runtime: "claude", home: home, now: time.Unix(1, 0), at: time.Unix(1, 0)})
		h.exit = func() { t.Error("exited") }
		h.run(bytes.NewReader(data))
		h.watchdog.Stop()
		got, log := events(t, home), hookLogText(t, home)
		empty := len(bytes.TrimSpace(data)) == 0
		if empty != (len(got) == 0) || empty != strings.Contains(log, "stdin was empty") || !empty && log != "" {
			t.Errorf("%d events of %q, hook.log: %s", len(got), data, log)
		}
	})
}
