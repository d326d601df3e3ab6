package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// event is one line of go test -json (go doc cmd/test2json).
type event struct {
	Action  string
	Package string
	Test    string
	Output  string
}

// report prints what go test prints without -v: the output of tests that fail and a
// line a package; and a SKIP line for each test that skips.
func (t *tests) report(r io.Reader) error {
	held := map[string]map[string]string{} // package → test → its output so far
	scan := bufio.NewScanner(r)
	scan.Buffer(nil, 16<<20)
	for scan.Scan() {
		var e event
		if err := json.Unmarshal(scan.Bytes(), &e); err != nil {
			// Not an event: what go itself has to say.
			fmt.Fprintln(t.out, scan.Text())
			continue
		}
		tests := held[e.Package]
		if tests == nil {
			tests = map[string]string{}
			held[e.Package] = tests
		}
		switch e.Action {
		case "output", "build-output":
			if e.Test != "" {
				tests[e.Test] += e.Output
			} else if e.Output != "PASS\n" {
				io.WriteString(t.out, e.Output)
			}
		case "skip":
			if e.Test != "" {
				t.skip(short(e.Package)+"."+e.Test, reason(tests[e.Test]))
			}
			delete(tests, e.Test)
		case "pass":
			delete(tests, e.Test)
		case "fail":
			t.printFailure(tests, e.Test)
		}
	}
	return scan.Err()
}

// printFailure prints the output of one failed test, or, when a package failed, of
// the tests that it took down with it.
func (t *tests) printFailure(tests map[string]string, name string) {
	for test, output := range tests {
		if name != "" && test != name {
			continue
		}
		for line := range strings.Lines(output) {
			if !strings.HasPrefix(line, "=== ") {
				io.WriteString(t.out, line)
			}
		}
		delete(tests, test)
	}
}

// reason finds what a test said when it skipped: `    file_test.go:12: why`.
func reason(output string) string {
	for line := range strings.Lines(output) {
		if line, ok := strings.CutPrefix(line, "    "); ok && !strings.HasPrefix(line, "--- ") {
			if _, why, ok := strings.Cut(line, ": "); ok {
				return strings.TrimSpace(why)
			}
		}
	}
	return "no reason given"
}

func short(pkg string) string {
	return strings.TrimPrefix(pkg, "github.com/actiongraph/actiongraph/")
}
