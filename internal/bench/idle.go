package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"time"
)

const (
	idleSessions = 5000
	idleSettle   = 15 * time.Second // after the daemon has caught up
	idleWindow   = 60 * time.Second
)

// idle measures the daemon when there is nothing to do.
func (b *bench) idle() error {
	sessions := idleSessions / b.scale
	name := fmt.Sprintf("run, idle, %d finished sessions, ", sessions)
	if runtime.GOOS != "linux" {
		b.table.skip(name+"RSS, CPU, stats", "≤ 40 MB, ≤ 0.5 %, < 1 a second a session", "needs /proc")
		return nil
	}
	home := filepath.Join(b.dir, "idle")
	if _, err := b.generator.generate(home, sessions, 20, firstSession()); err != nil {
		return err
	}
	if _, err := b.sync(home); err != nil {
		return err
	}
	cmd := exec.Command(b.sessiond, "run", "--home", home)
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		return err
	}
	err := b.watchIdle(cmd.Process.Pid, name, sessions)
	if stopErr := stop(cmd); stopErr != nil {
		return errors.Join(err, fmt.Errorf("run: %w\n%s", stopErr, log.Bytes()))
	}
	return err
}

func stop(cmd *exec.Cmd) error {
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	select {
	case err := <-done:
		return err
	case <-time.After(10 * time.Second):
		cmd.Process.Kill()
		return errors.New("still running 10 s after the interrupt")
	}
}

func (b *bench) watchIdle(pid int, name string, sessions int) error {
	time.Sleep(idleSettle)
	window := idleWindow / time.Duration(min(b.scale, 2))
	before, err := cpuTime(pid)
	if err != nil {
		return fmt.Errorf("it has ended already: %w", err)
	}
	time.Sleep(window)
	after, err := cpuTime(pid)
	if err != nil {
		return err
	}
	rss, err := residentBytes(pid)
	if err != nil {
		return err
	}
	share := 100 * float64(after-before) / float64(window)
	b.rss(name+"RSS", 40, rss)
	b.table.add(name+"CPU over "+window.String(), "≤ 0.5 % of a core", fmt.Sprintf("%.2f %%", share), share <= 0.5)
	stats, err := countStats(pid, window)
	if err != nil {
		b.table.skip(name+"stats", "< 1 a second a session", err.Error())
		return nil
	}
	each := stats / window.Seconds() / float64(sessions)
	b.table.add(name+"stats", "< 1 a second a session", fmt.Sprintf("%.3f (%.0f in %s)", each, stats, window), each < 1)
	return nil
}

// cpuTime is what a process has used of the cores, user and system.
func cpuTime(pid int) (time.Duration, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	// The second field, the command's name, is in parentheses and may hold blanks.
	_, rest, _ := strings.Cut(string(raw), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0, fmt.Errorf("/proc/%d/stat: %q", pid, raw)
	}
	user, err := strconv.ParseInt(fields[11], 10, 64)
	if err != nil {
		return 0, err
	}
	system, err := strconv.ParseInt(fields[12], 10, 64)
	const tick = time.Second / 100 // USER_HZ, the same on every Linux
	return time.Duration(user+system) * tick, err
}

func residentBytes(pid int) (int64, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	m := regexp.MustCompile(`VmRSS:\s*(\d+) kB`).FindSubmatch(raw)
	if m == nil {
		return 0, fmt.Errorf("/proc/%d/status: no VmRSS", pid)
	}
	kb, err := strconv.ParseInt(string(m[1]), 10, 64)
	return kb * 1024, err
}

// countStats counts the calls of the stat family that a process makes in a while.
func countStats(pid int, window time.Duration) (float64, error) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		return 0, errors.New("no strace")
	}
	cmd := exec.Command(strace, "-f", "-c", "-e", "trace=%%stat", "-p", strconv.Itoa(pid))
	var out bytes.Buffer
	cmd.Stderr = &out
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	time.Sleep(window)
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		return 0, errors.New("strace may not attach here")
	}
	cmd.Wait() // ends by the interrupt
	if strings.Contains(out.String(), "Operation not permitted") {
		return 0, errors.New("strace may not attach here")
	}
	var calls float64
	for _, m := range regexp.MustCompile(`(?m)^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?\w*stat\w*$`).FindAllStringSubmatch(out.String(), -1) {
		n, _ := strconv.ParseFloat(m[1], 64)
		calls += n
	}
	return calls, nil
}
