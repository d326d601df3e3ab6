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
	referenceRounds  = 3  // that count; the one before them is the warm-up
)

// reference measures us and the reference on one server, each with its own indexes and
// alone in the database. Both are warmed alike, by writing for as long as one round of
// theirs, and then take turns, so that neither has the better part of the run: a JVM
// compiles for minutes. What we reach before that, after the warm-up of the other
// measurements, is a row of its own.
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
	var ours, theirs []float64
	for round := range referenceRounds + 1 {
		our, err := b.syncInto(d, home, made.events)
		if err != nil {
			return err
		}
		if err := d.empty(); err != nil {
			return err
		}
		their, err := b.runReference(python, d, home)
		if err != nil {
			return err
		}
		if err := d.empty(); err != nil {
			return err
		}
		fmt.Fprintf(os.Stderr, "bench: round %d: ours %s, theirs %.1f actions/s\n", round, our, their.perSecond())
		ours, theirs = append(ours, our.perSecond()), append(theirs, their.perSecond())
	}
	first, our, their := ours[0], median(ours[1:]), median(theirs[1:])
	seen := func(our float64) string {
		return fmt.Sprintf("%.0f × (%.0f and %.1f actions/s)", our/their, our, their)
	}
	b.table.add(fmt.Sprintf("%s, both warm, medians of %d rounds", name, referenceRounds), reach, seen(our), our/their >= referenceTimes)
	b.table.add(fmt.Sprintf("%s, ours right after %d warm-up events", name, warmUp), reach, seen(first), first/their >= referenceTimes)
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
	warm, err := os.MkdirTemp(b.dir, "reference-their-warm")
	if err != nil {
		return r, err
	}
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
