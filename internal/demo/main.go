// Command demo plays a recording of real Claude Code sessions through the real
// ag-hook, one process a hook as the agent would start them, into a fresh home, and
// then asks ag-sessiond about it. It needs Go and nothing else:
//
//	go run ./internal/demo
//
// It prints the same on every machine and every day: the clock is the recording's
// (ag-hook --at), times are UTC, and colours and widths do not depend on a terminal.
package main

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// recording is three sessions as captured from Claude Code, payloads byte for byte:
// MCP tools of which one fails, two calls that are denied, and two subagents that
// run in parallel, one with a failing call. Only the receive times were moved, so
// that the sessions follow one another.
//
//go:embed testdata/hooks.jsonl
var recording []byte

func main() {
	home := flag.String("home", "", "record into this empty `directory` and keep it (default: a temporary one)")
	bin := flag.String("bin", "bin", "build the binaries into this `directory`")
	flag.Parse()
	if err := run(os.Stdout, *bin, *home); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func run(w io.Writer, bin, home string) error {
	if home == "" {
		dir, err := os.MkdirTemp("", "actiongraph-demo-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		home = dir
	}
	d := demo{out: w, home: home}
	if err := d.build(bin); err != nil {
		return err
	}
	n, err := d.play()
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "%d hook calls of three recorded Claude Code sessions, each its own ag-hook process.\n", n)
	for _, verb := range verbs() {
		if err := d.ask(verb); err != nil {
			return err
		}
	}
	return nil
}

// verbs are the questions that the demo asks.
func verbs() [][]string {
	return [][]string{
		{"sessions"},
		{"show", "latest"},
		{"tools"},
		{"search", "needs approval"},
	}
}

type demo struct {
	out            io.Writer
	home           string
	hook, sessiond string
}

// build compiles both commands into dir.
func (d *demo) build(dir string) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	exe := ""
	if runtime.GOOS == "windows" {
		exe = ".exe"
	}
	d.hook = filepath.Join(dir, "ag-hook"+exe)
	d.sessiond = filepath.Join(dir, "ag-sessiond"+exe)
	const module = "github.com/actiongraph/actiongraph/cmd/"
	for name, pkg := range map[string]string{d.hook: module + "ag-hook", d.sessiond: module + "ag-sessiond"} {
		if out, err := exec.Command("go", "build", "-o", name, pkg).CombinedOutput(); err != nil {
			return fmt.Errorf("go build %s: %w\n%s", pkg, err, out)
		}
	}
	return nil
}

// play gives every recorded payload to a hook process of its own and returns how
// many there were.
func (d *demo) play() (n int, err error) {
	for line := range bytes.Lines(recording) {
		var call struct {
			RecvNS int64  `json:"recv_ns"`
			Event  string `json:"event"`
			Stdin  string `json:"stdin"`
		}
		if err := json.Unmarshal(line, &call); err != nil {
			return n, fmt.Errorf("recording, line %d: %w", n+1, err)
		}
		at := time.Unix(0, call.RecvNS).UTC().Format(time.RFC3339Nano)
		cmd := exec.Command(d.hook, "claude", "--home", d.home, "--at", at)
		cmd.Env = environment()
		cmd.Stdin = strings.NewReader(call.Stdin)
		out, err := cmd.CombinedOutput()
		if err != nil || len(out) > 0 {
			// What a hook prints becomes the model's context.
			return n, fmt.Errorf("ag-hook at %s: %v, printed %q", call.Event, err, out)
		}
		n++
	}
	if log, err := os.ReadFile(filepath.Join(d.home, "hook.log")); err == nil && len(log) > 0 {
		return n, fmt.Errorf("ag-hook reports:\n%s", log)
	} else if err != nil && !errors.Is(err, os.ErrNotExist) {
		return n, err
	}
	return n, nil
}

// ask shows one ag-sessiond command and what it answers.
func (d *demo) ask(verb []string) error {
	fmt.Fprintf(d.out, "\n$ ag-sessiond %s\n", shown(verb))
	cmd := exec.Command(d.sessiond, append(verb, "--home", d.home)...)
	cmd.Env = environment()
	var stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = d.out, &stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("ag-sessiond %s: %w\n%s", strings.Join(verb, " "), err, stderr.Bytes())
	}
	return nil
}

// environment is the same everywhere but for what a process needs to start: an
// agent, a terminal or a locale around the demo must not show in its output.
func environment() []string {
	env := []string{"TZ=UTC", "NO_COLOR=1"}
	for _, name := range []string{"PATH", "HOME", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR", "USERPROFILE"} {
		if v, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+v)
		}
	}
	return env
}

// shown is the command as a person types it.
func shown(verb []string) string {
	words := make([]string, len(verb))
	for i, w := range verb {
		if words[i] = w; strings.Contains(w, " ") {
			words[i] = "'" + w + "'"
		}
	}
	return strings.Join(words, " ")
}
