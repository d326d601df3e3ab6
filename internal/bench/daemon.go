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
	"slices"
	"strconv"
	"time"
)

// daemon measures `run --graph`: memory while it catches up, and how long an event
// takes to be seen.
func (b *bench) daemon(d *database, events int) error {
	home := filepath.Join(b.dir, "neo4j-daemon")
	made, err := b.generator.generate(home, events/eventsPerSession, eventsPerSession, firstSession())
	if err != nil {
		return err
	}
	before, err := d.positions()
	if err != nil {
		return err
	}
	cmd := exec.Command(b.sessiond, "run", "--home", home, "--graph", d.url)
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		return err
	}
	err = b.watchDaemon(d, home, cmd.Process.Pid, made, before+int64(events/eventsPerSession))
	if stopErr := stop(cmd); stopErr != nil || err != nil {
		return errors.Join(err, stopErr, fmt.Errorf("run: %s", log.Bytes()))
	}
	return nil
}

// positions is how many sessions are in the database up to some place.
func (d *database) positions() (int64, error) {
	return d.number("MATCH (p:JournalPosition) WHERE p.offset > 0 RETURN count(p)", nil)
}

const catchUpLimit = 5 * time.Minute

func (b *bench) watchDaemon(d *database, home string, pid int, made made, sessions int64) error {
	start := time.Now()
	for {
		n, err := d.positions()
		if err != nil {
			return err
		}
		if n >= sessions {
			break
		}
		if time.Since(start) > catchUpLimit {
			return fmt.Errorf("%d of %d sessions are in Neo4j after %s", n, sessions, catchUpLimit)
		}
		time.Sleep(100 * time.Millisecond)
	}
	name := fmt.Sprintf("run --graph, catch-up of %d events, peak RSS", made.events)
	if runtime.GOOS == "linux" {
		peak, err := peakBytes(pid)
		if err != nil {
			return err
		}
		b.rss(name, 120, peak)
	} else {
		b.table.skip(name, "≤ 120 MB", "needs /proc")
	}
	return b.visible(d, home)
}

// peakBytes is the most memory that a running process had since its exec.
func peakBytes(pid int) (int64, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	m := regexp.MustCompile(`VmHWM:\s*(\d+) kB`).FindSubmatch(raw)
	if m == nil {
		return 0, fmt.Errorf("/proc/%d/status: no VmHWM", pid)
	}
	kb, err := strconv.ParseInt(string(m[1]), 10, 64)
	return kb * 1024, err
}

const (
	visibleSamples = 200
	visiblePause   = 50 * time.Millisecond // between one event and the next
	visibleLimit   = 10 * time.Second
)

// visible measures how long after its hook has returned an event is in Neo4j.
func (b *bench) visible(d *database, home string) error {
	var took []time.Duration
	for i := range visibleSamples + 10 {
		id := fmt.Sprintf("toolu_visible_%d", i)
		cmd := exec.Command(b.hook, "claude", "--home", home)
		cmd.Stdin = bytes.NewReader(bytes.ReplaceAll(hookPayload(2<<10), []byte(hookCall), []byte(id)))
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("ag-hook: %w\n%s", err, out)
		}
		each, err := d.see(id)
		if err != nil {
			return err
		}
		if i >= 10 { // the first ones make plans and a session
			took = append(took, each)
		}
		time.Sleep(visiblePause)
	}
	slices.Sort(took)
	p50, p99 := took[len(took)/2], took[len(took)*99/100]
	b.table.add("event appended → visible in Neo4j, p50", "≤ 100 ms", ms(p50), p50 <= 100*time.Millisecond)
	b.table.add("event appended → visible in Neo4j, p99", "≤ 500 ms",
		fmt.Sprintf("%s (most %s)", ms(p99), ms(took[len(took)-1])), p99 <= 500*time.Millisecond)
	return nil
}

// see waits until the call is in the graph.
func (d *database) see(toolUseID string) (time.Duration, error) {
	start := time.Now()
	for time.Since(start) < visibleLimit {
		n, err := d.number("MATCH (:Session {session_id: $session})-[:HAS_ACTION]->(a:ToolCall {tool_use_id: $id}) RETURN count(a)",
			map[string]any{"session": hookSession, "id": toolUseID})
		if err != nil {
			return 0, err
		}
		if n > 0 {
			return time.Since(start), nil
		}
		time.Sleep(2 * time.Millisecond)
	}
	return 0, fmt.Errorf("%s is not in Neo4j after %s", toolUseID, visibleLimit)
}
