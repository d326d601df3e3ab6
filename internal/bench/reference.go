package main

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// referenceScript feeds a journal to the reference. It is fetched and run here, and
// nothing of it is copied.
//
//go:embed reference.py
var referenceScript []byte

const (
	referencePackage = "actions-graph==0.7.1"
	referenceSeconds = 20
	referenceTimes   = 60 // as fast as the reference we must be
)

// reference measures us and then the reference on one server, each with its own indexes
// and after a warm-up of its own statements. The JVM has compiled the most by the time
// that it is the reference's turn.
func (b *bench) reference() error {
	name, reach := "journal → Neo4j, against "+referencePackage, fmt.Sprintf("≥ %d × its rate", referenceTimes)
	python, err := b.installReference()
	if err != nil {
		b.table.skip(name, reach, err.Error())
		return nil
	}
	d, err := b.database()
	if err != nil {
		b.table.skip(name, reach, err.Error())
		return nil
	}
	defer d.close()
	if err := d.empty(); err != nil {
		return err
	}
	if _, err := b.fill(d, "reference-warm", warmUp); err != nil {
		return err
	}
	home := filepath.Join(b.dir, "reference")
	total := 100_000 / b.scale
	made, err := b.generator.generate(home, total/eventsPerSession, eventsPerSession, firstSession())
	if err != nil {
		return err
	}
	ours, err := b.syncInto(d, home, made.events)
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "bench: ours: %s\n", ours)
	if err := d.empty(); err != nil {
		return err
	}
	theirs, err := b.runReference(python, d, home)
	if err != nil {
		return err
	}
	times := ours.perSecond() / theirs.perSecond()
	b.table.add(name, reach, fmt.Sprintf("%.0f × (%.0f and %.1f actions/s)", times, ours.perSecond(), theirs.perSecond()), times >= referenceTimes)
	return nil
}

// installReference makes a virtual environment with the reference in it and returns its
// Python. An error is on one line.
func (b *bench) installReference() (python string, err error) {
	python, err = exec.LookPath("python3")
	if err != nil {
		return "", errors.New("no python3 (3.11 or later)")
	}
	old := exec.Command(python, "-c", "import sys; sys.exit(sys.version_info < (3, 11))")
	if err := old.Run(); err != nil {
		return "", errors.New("python3 is older than 3.11")
	}
	env := filepath.Join(b.dir, "reference-python")
	if out, err := exec.Command(python, "-m", "venv", env).CombinedOutput(); err != nil {
		return "", fmt.Errorf("python3 -m venv: %s", lastLine(out))
	}
	python = filepath.Join(env, "bin", "python")
	if out, err := exec.Command(python, "-m", "pip", "install", "-q", referencePackage).CombinedOutput(); err != nil {
		return "", fmt.Errorf("pip install %s: %s", referencePackage, lastLine(out))
	}
	return python, nil
}

// theirRate is what the reference wrote.
type theirRate struct {
	Actions int64
	Seconds float64
}

func (r theirRate) perSecond() float64 { return float64(r.Actions) / r.Seconds }

func (b *bench) runReference(python string, d *database, home string) (theirRate, error) {
	var r theirRate
	script := filepath.Join(b.dir, "reference.py")
	if err := os.WriteFile(script, referenceScript, 0o600); err != nil {
		return r, err
	}
	warm := filepath.Join(b.dir, "reference-their-warm")
	if _, err := b.generator.generate(warm, 10, eventsPerSession, firstSession()); err != nil {
		return r, err
	}
	cmd := exec.Command(python, script, d.url, filepath.Join(warm, "journal"), filepath.Join(home, "journal"), strconv.Itoa(referenceSeconds))
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			return r, fmt.Errorf("the reference: %s", lastLine(exit.Stderr))
		}
		return r, err
	}
	return r, json.Unmarshal(out, &r)
}

// lastLine is where programs say what was wrong.
func lastLine(out []byte) string {
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return lines[len(lines)-1]
}
