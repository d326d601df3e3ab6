// Command bench measures what actiongraph promises about speed and memory, on the
// real binaries and generated journals of real lines, and prints one table:
//
//	go run ./internal/bench                  # a million events: minutes, 5 GB of disk
//	go run ./internal/bench -quick           # a tenth
//	go run ./internal/bench -only reference  # against the reference, which pip installs
//	go run ./internal/bench -only growth     # Neo4j with a million actions
//
// Neo4j is a real one that internal/neo4jtest starts, or the one at $AG_BENCH_BOLT_URL,
// without a password: everything in it is deleted.
//
// Times depend on the machine and on what else runs on it; ratios less. Nothing
// here is a test: the exit status says only whether everything could be measured.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"
)

func main() {
	quick := flag.Bool("quick", false, "a tenth of the events and runs")
	dir := flag.String("dir", "", "where the data goes: a local `directory` with 5 GB free (default: a temporary one)")
	only := flag.String("only", "", "measure this `part` alone: binaries, hook, store, million, import, dump, idle, usage, recall, diff, follow, http, pack, seal, migrate, neo4j, reference or growth")
	home := flag.String("generate", "", "measure nothing: write a journal of 100,000 events into this `home`, to try things on")
	isSpawn := flag.Bool("spawn", false, "internal: run the commands on stdin")
	flag.Parse()
	run := func() error { return measure(*dir, *quick, *only) }
	if *home != "" {
		run = func() error { return generateOnly(*dir, *home, *quick) }
	}
	if *isSpawn {
		run = spawnHere
	}
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// bench is one run.
type bench struct {
	dir            string
	hook, sessiond string
	scale          int // 1, or 10 for a tenth
	generator      *generator
	table          table
}

// newBench builds the binaries in a folder of its own, which remove removes.
func newBench(dir string, quick bool) (b *bench, remove func(), err error) {
	tmp, err := os.MkdirTemp(dir, "actiongraph-bench-")
	if err != nil {
		return nil, nil, err
	}
	b = &bench{dir: tmp, scale: 1}
	if quick {
		b.scale = 10
	}
	return b, func() { os.RemoveAll(tmp) }, b.build()
}

func generateOnly(dir, home string, quick bool) error {
	b, remove, err := newBench(dir, quick)
	if err != nil {
		return err
	}
	defer remove()
	if err := b.prepare(); err != nil {
		return err
	}
	_, err = b.generator.generate(home, 100_000/b.scale/eventsPerSession, eventsPerSession, firstSession())
	return err
}

func measure(dir string, quick bool, only string) error {
	b, remove, err := newBench(dir, quick)
	if err != nil {
		return err
	}
	defer remove()
	fmt.Printf("%s/%s, %s, %d CPUs, %s\n", runtime.GOOS, runtime.GOARCH, runtime.Version(), runtime.NumCPU(),
		time.Now().Format(time.DateOnly))
	var errs []error
	for _, part := range []struct {
		name  string
		run   func() error
		asked bool // only when named: it takes long, or the network
	}{
		{name: "binaries", run: b.binaries}, {name: "hook", run: b.hooks}, {name: "generator", run: b.prepare},
		{name: "store", run: b.throughput}, {name: "million", run: b.million}, {name: "import", run: b.imports}, {name: "dump", run: b.dumps}, {name: "idle", run: b.idle},
		{name: "usage", run: b.usageReports},
		{name: "recall", run: b.recall},
		{name: "diff", run: b.diffs},
		{name: "http", run: b.post},
		{name: "pack", run: b.packs}, {name: "seal", run: b.seals},
		{name: "migrate", run: b.migrations},
		{name: "follow", run: b.follow},
		{name: "neo4j", run: b.neo4j}, {name: "reference", run: b.reference, asked: true},
		{name: "growth", run: b.growth, asked: true},
	} {
		if only != part.name && (only != "" || part.asked) && part.name != "generator" {
			continue
		}
		start := time.Now()
		if err := part.run(); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", part.name, err))
		}
		fmt.Fprintf(os.Stderr, "bench: %s took %.1fs\n", part.name, time.Since(start).Seconds())
	}
	b.table.print(os.Stdout)
	return errors.Join(errs...)
}

// build compiles both commands as they are installed.
func (b *bench) build() error {
	exe := ""
	if runtime.GOOS == "windows" {
		exe = ".exe"
	}
	b.hook, b.sessiond = filepath.Join(b.dir, "ag-hook"+exe), filepath.Join(b.dir, "ag-sessiond"+exe)
	const module = "github.com/actiongraph/actiongraph/cmd/"
	for name, pkg := range map[string]string{b.hook: module + "ag-hook", b.sessiond: module + "ag-sessiond"} {
		out, err := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", name, pkg).CombinedOutput()
		if err != nil {
			return fmt.Errorf("go build %s: %w\n%s", pkg, err, out)
		}
	}
	return nil
}

func (b *bench) binaries() error {
	for name, most := range map[string]float64{b.hook: 4, b.sessiond: 0} {
		info, err := os.Stat(name)
		if err != nil {
			return err
		}
		mb := float64(info.Size()) / 1e6
		if most == 0 {
			fmt.Printf("%s, stripped: %.1f MB\n", filepath.Base(name), mb)
			continue
		}
		b.table.add(filepath.Base(name)+" stripped", "≤ 4 MB", fmt.Sprintf("%.1f MB", mb), mb <= most)
	}
	return nil
}

func (b *bench) prepare() (err error) {
	b.generator, err = newGenerator(b.hook, b.dir)
	return err
}
