package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"time"
)

// spawnSpec asks for commands to be run in turn, runs times each.
type spawnSpec struct {
	Runs     int
	Commands []command
}

type command struct {
	Args  []string
	Stdin string // a file whose bytes come through a pipe, as from an agent; "" is none
	Exit  int    // the exit code that is none of an error, beside 0
}

// usage is what one process took.
type usage struct {
	Wall   time.Duration
	CPU    time.Duration // user and system, all cores: what noise on the machine changes least
	MaxRSS int64         // bytes; 0 where the system does not say
	Stdout string
}

// spawn runs the spec in a process of its own: on Linux a child's peak memory
// counts that of the process that started it (exec keeps the old address space's
// high-water mark), so the one that starts children must be small.
func spawn(spec spawnSpec) ([][]usage, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	in, err := json.Marshal(spec)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self, "-spawn")
	cmd.Stdin = bytes.NewReader(in)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, err
	}
	var all [][]usage
	return all, json.Unmarshal(out, &all)
}

// spawnOne runs one command once.
func spawnOne(args ...string) (usage, error) {
	all, err := spawn(spawnSpec{Runs: 1, Commands: []command{{Args: args}}})
	if err != nil {
		return usage{}, err
	}
	return all[0][0], nil
}

// spawnHere is the other end of spawn: a spec on stdin, usages on stdout.
func spawnHere() error {
	var spec spawnSpec
	if err := json.NewDecoder(os.Stdin).Decode(&spec); err != nil {
		return err
	}
	stdin := make([][]byte, len(spec.Commands))
	for i, c := range spec.Commands {
		if c.Stdin == "" {
			continue
		}
		var err error
		if stdin[i], err = os.ReadFile(c.Stdin); err != nil {
			return err
		}
	}
	all := make([][]usage, len(spec.Commands))
	for range spec.Runs {
		for i, c := range spec.Commands {
			u, err := timed(c, stdin[i])
			if err != nil {
				return err
			}
			all[i] = append(all[i], u)
		}
	}
	return json.NewEncoder(os.Stdout).Encode(all)
}

func timed(c command, stdin []byte) (usage, error) {
	cmd := exec.Command(c.Args[0], c.Args[1:]...)
	if stdin != nil {
		cmd.Stdin = bytes.NewReader(stdin)
	}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	start := time.Now()
	err := cmd.Run()
	wall := time.Since(start)
	if err != nil && (c.Exit == 0 || cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != c.Exit) {
		return usage{}, fmt.Errorf("%s: %w\n%s", c.Args, err, stderr.Bytes())
	}
	cpu := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	return usage{Wall: wall, CPU: cpu, MaxRSS: maxRSS(cmd.ProcessState), Stdout: stdout.String()}, nil
}

// quantile returns the wall time that q of all are not above.
func quantile(all []usage, q float64) time.Duration {
	walls := make([]time.Duration, len(all))
	for i, u := range all {
		walls[i] = u.Wall
	}
	slices.Sort(walls)
	return walls[min(int(q*float64(len(walls))), len(walls)-1)]
}

func peak(all []usage) (most int64) {
	for _, u := range all {
		most = max(most, u.MaxRSS)
	}
	return most
}
