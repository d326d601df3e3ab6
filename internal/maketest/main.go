// Command maketest is what `make test` runs: go test over this module and the
// nested ones, with the race detector. It prints what go test prints, and one line
//
//	SKIP: what (why)
//
// for each test that skipped itself and each part that cannot run here, which go
// test would keep to itself. With CI=true a skip is a failure: a check that has
// silently stopped running is the one that will be missed.
package main

import (
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

func main() {
	timeout := flag.String("timeout", "20m", "of one package's tests, as of go test")
	flag.Parse()
	packages := flag.Args()
	if len(packages) == 0 {
		packages = []string{"./..."}
	}
	t := tests{out: os.Stdout, flags: []string{"-timeout", *timeout}}
	if why := noRace(); why != "" {
		t.skip("race detector", why)
	} else {
		t.flags = append(t.flags, "-race")
	}
	err := t.run(packages)
	if os.Getenv("AG_TEST_MEMGRAPH_URL") == "" {
		fmt.Println("not run: anything on Memgraph (set AG_TEST_MEMGRAPH_URL to one that may be emptied)")
	}
	if err == nil && t.skipped > 0 && os.Getenv("CI") == "true" {
		err = fmt.Errorf("%d skipped, and CI=true", t.skipped)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "maketest:", err)
		os.Exit(1)
	}
}

type tests struct {
	out     io.Writer
	flags   []string // of go test
	skipped int
}

// run tests the nested modules, then this one, so that the last lines are those of
// the module itself. It tests all of them whatever fails.
func (t *tests) run(packages []string) error {
	nested, err := nestedModules(".")
	if err != nil {
		return err
	}
	var failed []string
	for _, dir := range nested {
		download := exec.Command("go", "mod", "download")
		download.Dir = dir
		if out, err := download.CombinedOutput(); err != nil {
			t.skip(dir, "its modules cannot be downloaded: "+firstLine(string(out)))
			continue
		}
		if err := t.goTest(dir, []string{"./..."}); err != nil {
			failed = append(failed, dir)
		}
	}
	if err := t.goTest(".", packages); err != nil {
		failed = append(failed, strings.Join(packages, " "))
	}
	if len(failed) > 0 {
		return fmt.Errorf("failed: %s", strings.Join(failed, ", "))
	}
	return nil
}

func (t *tests) skip(what, why string) {
	t.skipped++
	fmt.Fprintf(t.out, "SKIP: %s (%s)\n", what, why)
}

// quickExit keeps programs with the race detector from sleeping 1 s before they end, its default
// (https://go.dev/doc/articles/race_detector#Options): the tests start thousands of them.
const quickExit = "GORACE=atexit_sleep_ms=10"

// goTest runs go test in a module and reports as its events come in.
func (t *tests) goTest(dir string, packages []string) error {
	args := append([]string{"test", "-json"}, t.flags...)
	cmd := exec.Command("go", append(args, packages...)...)
	cmd.Dir = dir
	if os.Getenv("GORACE") == "" {
		cmd.Env = append(os.Environ(), quickExit)
	}
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	readErr := t.report(stdout)
	if err := cmd.Wait(); err != nil {
		return err
	}
	return readErr
}

// noRace says why the race detector cannot run, or nothing: on Linux it needs a C
// compiler, and a fresh machine with Go alone has none.
func noRace() string {
	out, err := exec.Command("go", "env", "CC").Output()
	if err != nil {
		return err.Error()
	}
	cc := strings.Fields(string(out))
	if len(cc) == 0 {
		return "no C compiler"
	}
	if _, err := exec.LookPath(cc[0]); err != nil {
		return "no C compiler " + cc[0]
	}
	// The default of CGO_ENABLED is 0 where there is no compiler, so ask go itself.
	if out, err := exec.Command("go", "list", "-race", "runtime/race").CombinedOutput(); err != nil {
		return firstLine(string(out))
	}
	return ""
}

// nestedModules lists the folders below root that hold a module of their own.
func nestedModules(root string) (dirs []string, err error) {
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata") {
			return fs.SkipDir
		}
		if d.Name() == "go.mod" && filepath.Dir(path) != root {
			dirs = append(dirs, filepath.Dir(path))
		}
		return nil
	})
	return dirs, err
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return line
}
