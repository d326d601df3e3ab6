package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/actiongraph/actiongraph/errcode"
)

// noOverride is the variable by which a script asks for withoutOverride.
const noOverride = "AG_TEST_NO_OVERRIDE"

var update = flag.Bool("update", false, "write the scripts' expectations anew")

// TestMain makes ag-sessiond, which is this binary, and ag-hook, which is built, the
// commands of the scripts.
func TestMain(m *testing.M) {
	if os.Getenv(blockedChild) != "" {
		blockAfterSignal()
	}
	testscript.Main(withHook{m}, map[string]func(){
		"ag-sessiond": func() {
			if err := withoutOverride(); err != nil {
				fmt.Fprintln(os.Stderr, "drop root's rights:", err)
				os.Exit(100)
			}
			if terminalWidth(os.Stderr) > 0 { // it draws on it
				os.Exit(execute(untilSignal(), os.Args[1:], os.Stdout, os.Stderr))
			}
			stderr := &tailWriter{to: os.Stderr}
			code := execute(untilSignal(), os.Args[1:], os.Stdout, stderr)
			noteUncoded(code, stderr.last)
			os.Exit(code)
		},
	})
}

// tailWriter keeps the end of what goes through it.
type tailWriter struct {
	to   *os.File
	last []byte
}

func (w *tailWriter) Write(p []byte) (int, error) {
	w.last = append(w.last, p...)
	w.last = w.last[max(0, len(w.last)-64<<10):]
	return w.to.Write(p)
}

// uncodedFile is the variable that names the file where noteUncoded writes; its script fails.
const uncodedFile = "AG_TEST_UNCODED"

// noteUncoded takes down that ag-sessiond failed and told a person no code, or that it knows
// none. A silent exit code tells no message, and so needs none.
func noteUncoded(exit int, stderr []byte) {
	path := os.Getenv(uncodedFile)
	_, message, told := strings.Cut("\n"+string(stderr), "\nag-sessiond: ")
	if path == "" || exit == exitDone || !told {
		return
	}
	line := regexp.MustCompile(`(?m)^  ([a-z_.]+): https://\S+/docs/errors\.md#[a-z_]+\n\z`).FindStringSubmatch(message)
	if line != nil && errcode.Known(errcode.Code(line[1])) && line[1] != string(errcode.Internal) {
		return
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err == nil {
		fmt.Fprintf(f, "ag-sessiond %q: exit %d without a code: %s\n", os.Args[1:], exit, message)
		f.Close()
	}
}

// coded fails a script in which ag-sessiond told of an error without a code.
func coded(env *testscript.Env) {
	path := filepath.Join(env.WorkDir, ".uncoded")
	env.Setenv(uncodedFile, path)
	env.Defer(func() {
		if text, err := os.ReadFile(path); err == nil {
			env.T().Log(string(text))
			env.T().FailNow()
		}
	})
}

type withHook struct{ m *testing.M }

func (w withHook) Run() int {
	dir, err := os.MkdirTemp("", "ag-hook-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	bin := filepath.Join(dir, "ag-hook")
	if runtime.GOOS == "windows" {
		bin += ".exe"
	}
	if out, err := exec.Command("go", "build", "-o", bin, "../ag-hook").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build ag-hook: %v\n%s", err, out)
		return 1
	}
	os.Setenv("PATH", dir+string(filepath.ListSeparator)+os.Getenv("PATH"))
	return w.m.Run()
}

func TestScripts(t *testing.T) {
	testscript.Run(t, scripts(t, "testdata/script", func(*testscript.Env) error { return nil }))
}

// scripts are those of a folder; more sets up what they need beside a home.
func scripts(t *testing.T, dir string, more func(*testscript.Env) error) testscript.Params {
	recordings, err := filepath.Abs("testdata/recordings")
	if err != nil {
		t.Fatal(err)
	}
	locks := &held{}
	return testscript.Params{
		Dir:                 dir,
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		Condition: func(cond string) (bool, error) {
			return cond == "root" && os.Geteuid() == 0 && runtime.GOOS != "linux", nil
		},
		Setup: func(env *testscript.Env) error {
			coded(env)
			env.Setenv("TZ", "UTC")
			env.Setenv("GORACE", os.Getenv("GORACE")) // see internal/maketest
			env.Setenv("COLUMNS", "100")
			env.Setenv("LANG", "C.UTF-8")
			env.Setenv("HOME", filepath.Join(env.WorkDir, "user"))
			env.Setenv("AG_HOME", filepath.Join(env.WorkDir, "home"))
			env.Setenv("RECORDINGS", recordings)
			env.Setenv("LF", "\n")
			self, err := exec.LookPath("ag-sessiond")
			env.Setenv("AG_SESSIOND", self)
			return errors.Join(err, more(env))
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"play":       play,
			"json":       checkJSON,
			"append":     appendText,
			"clean":      clean,
			"code":       code,
			"help":       help,
			"lock":       locks.lock,
			"unlock":     locks.unlock,
			"nothing-in": nothingIn,
			"nowhere":    nowhere,
			"running":    running,
			"same":       same,
			"cypher":     runCypher,
			"tamper":     tamper,
			"until":      until,
			"shows":      shows,
			"untiljson":  untilJSON,
		},
	}
}

// play runs a recording through ag-hook as the agent did, one process a hook, into
// the home of the script: play a_tools.jsonl. With a second argument, now, it is as if it
// happened now.
func play(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 && (len(args) != 2 || args[1] != "now") {
		ts.Fatalf("usage: play RECORDING [now]")
	}
	path := args[0]
	if !strings.ContainsAny(path, `/\`) {
		path = filepath.Join(ts.Getenv("RECORDINGS"), path)
	}
	lines := bufio.NewScanner(strings.NewReader(ts.ReadFile(path)))
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		var line struct {
			RecvNS int64  `json:"recv_ns"`
			Stdin  string `json:"stdin"`
		}
		ts.Check(json.Unmarshal(lines.Bytes(), &line))
		at := time.Unix(0, line.RecvNS)
		if len(args) == 2 {
			at = time.Now()
		}
		cmd := exec.Command("ag-hook", "claude", "--home", ts.Getenv("AG_HOME"), "--at", at.UTC().Format(time.RFC3339Nano))
		cmd.Stdin = strings.NewReader(line.Stdin)
		// A path of the recording must not name anything of this machine.
		cmd.Env = []string{"PATH=" + ts.Getenv("PATH"), "HOME=" + ts.Getenv("HOME"), "USER=dev", "TZ=UTC"}
		if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
			ts.Fatalf("ag-hook: %v, printed %q", err, out)
		}
	}
	ts.Check(lines.Err())
}

// code runs a command and wants an exit code, with the reason on stderr: code 2
// ag-sessiond sessions --limt. Of exit code 3, an answer, stdout may have it.
func code(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code N COMMAND")
	}
	got := 0
	err := ts.Exec(args[1], args[2:]...)
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if strconv.Itoa(got) != args[0] {
		ts.Fatalf("exit code %d, want %s", got, args[0])
	}
	if told := ts.ReadFile("stderr") != "" || got == exitDiffers && ts.ReadFile("stdout") != ""; got != 0 && !told {
		ts.Fatalf("exit code %d without a word on stderr", got)
	}
}

// help wants a verb's help to be on stdout, with an example that names the verb.
func help(ts *testscript.TestScript, neg bool, args []string) {
	verb := strings.Join(args, " ")
	ts.Check(ts.Exec("ag-sessiond", append(strings.Fields(verb), "--help")...))
	out := ts.ReadFile("stdout")
	_, examples, _ := strings.Cut(out, "Examples:\n")
	if !strings.HasPrefix(strings.TrimSpace(examples), "ag-sessiond "+verb) {
		ts.Fatalf("the help of %s has no example:\n%s", verb, out)
	}
}

// nothingIn wants a folder to be empty: nothing-in FOLDER
func nothingIn(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: nothing-in FOLDER")
	}
	entries, err := os.ReadDir(ts.MkAbs(args[0]))
	ts.Check(err)
	for _, e := range entries {
		ts.Fatalf("%s has %s", args[0], e.Name())
	}
}

// checkJSON looks at the JSON on stdout: json PATH WANT, where PATH is made of
// members, indexes and len for a length, and WANT is JSON.
func checkJSON(ts *testscript.TestScript, neg bool, args []string) {
	var v any
	dec := json.NewDecoder(strings.NewReader(ts.ReadFile("stdout")))
	dec.UseNumber()
	if err := dec.Decode(&v); err != nil {
		ts.Fatalf("stdout is no JSON: %v", err)
	}
	if dec.More() {
		ts.Fatalf("stdout holds more than one JSON value")
	}
	if len(args) != 2 {
		ts.Fatalf("usage: json PATH WANT")
	}
	got, err := lookup(v, args[0])
	ts.Check(err)
	var want any
	dec = json.NewDecoder(strings.NewReader(args[1]))
	dec.UseNumber()
	if err := dec.Decode(&want); err != nil {
		ts.Fatalf("%s: %v", args[1], err)
	}
	if n, ok := got.(int); ok {
		got = json.Number(strconv.Itoa(n))
	}
	if same := reflect.DeepEqual(got, want); same == neg {
		ts.Fatalf("%s is %.500v, want %s (negated: %v)", args[0], got, args[1], neg)
	}
}

// appendText adds text as a line, with a newline of its own or without: append FILE
// TEXT
func appendText(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: append FILE TEXT")
	}
	f, err := os.OpenFile(ts.MkAbs(args[0]), os.O_APPEND|os.O_WRONLY, 0)
	ts.Check(err)
	_, err = f.WriteString(args[1])
	ts.Check(err)
	ts.Check(f.Close())
}

func lookup(v any, path string) (any, error) {
	for part := range strings.FieldsFuncSeq(path, func(r rune) bool { return r == '/' }) {
		switch node := v.(type) {
		case map[string]any:
			if part == "len" {
				v = len(node)
				continue
			}
			v = node[part]
		case []any:
			if part == "len" {
				v = len(node)
				continue
			}
			var i int
			if _, err := fmt.Sscan(part, &i); err != nil || i < 0 || i >= len(node) {
				return nil, fmt.Errorf("%s: no element %q of %d", path, part, len(node))
			}
			v = node[i]
		default:
			return nil, fmt.Errorf("%s: %q of %v", path, part, v)
		}
	}
	return v, nil
}
