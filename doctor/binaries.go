package doctor

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// path asks whether a shell that is told "ag-sessiond" starts this program.
func path(_ context.Context, _ *exam) []Check {
	self, err := os.Executable()
	name := programName("ag-sessiond")
	if err != nil || filepath.Base(self) != name {
		return ok("asked by another program than %s", name)
	}
	return judgePath(self, name)
}

func programName(name string) string {
	if runtime.GOOS == "windows" {
		return name + ".exe"
	}
	return name
}

func judgePath(self, name string) []Check {
	found, err := exec.LookPath(name)
	if err != nil {
		return ok("%s, which PATH does not name: hooks do not need it to", self)
	}
	mine, err := os.Stat(self)
	other, otherErr := os.Stat(found)
	if err == nil && otherErr == nil && !os.SameFile(mine, other) {
		return warn("remove the one that is old, or put "+filepath.Dir(self)+" first in PATH", "PATH names another %s: %s, and this is %s", name, found, self)
	}
	return ok("%s", self)
}

// binaries asks each program that is registered for its version.
func binaries(ctx context.Context, e *exam) []Check {
	var found []Check
	var asked []string
	for _, r := range handlers(e.ours()) {
		program, err := newCommand(e, r).program(e)
		if err != nil {
			found = append(found, fail(install, "%s, which %s names: %v", r.entry.Command, r.where(), err)...)
			continue
		}
		if !slices.Contains(asked, program) {
			asked = append(asked, program)
			found = append(found, e.version(ctx, program)...)
		}
	}
	if found == nil {
		return ok("none is registered")
	}
	return found
}

// version compares what a program says it is with what asks.
func (e *exam) version(ctx context.Context, program string) []Check {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, "--version")
	cmd.WaitDelay = grace
	out, err := cmd.Output()
	if err != nil {
		return fail(install+" with a program that runs on this machine", "%s --version: %v", program, err)
	}
	words := strings.Fields(string(out))
	if len(words) != 2 || words[0] != "ag-hook" {
		return fail(install, "%s is no ag-hook: it says %.100q", program, out)
	}
	if version := words[1]; stamped(version) && stamped(e.Version) && version != e.Version {
		return warn("put both of one version side by side, as make install does, then "+install,
			"%s is version %s, and this is %s", program, version, e.Version)
	}
	return ok("%s, version %s", program, words[1])
}

// stamped reports whether a version says which: a program that go test or go run made has none.
func stamped(version string) bool {
	return !slices.Contains([]string{"", "devel", "(devel)", "unknown"}, version)
}
