package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/actiongraph/actiongraph/connector/sqlite"
	"github.com/actiongraph/actiongraph/graph"
)

// follow measures `run` beside transcripts: how soon a line is in the graph, and what
// years of old sessions cost while nothing happens.
func (b *bench) follow() error {
	return errors.Join(b.followLive(), b.followIdle())
}

const followedSession = "5f0c0000-0000-4000-8000-000000000001"

// followLive appends to the transcript of a session that a hook has announced.
func (b *bench) followLive() error {
	home, projects := filepath.Join(b.dir, "follow"), filepath.Join(b.dir, "follow-projects")
	path := filepath.Join(projects, followedSession+".jsonl")
	if err := os.MkdirAll(projects, 0o700); err != nil {
		return err
	}
	hook := exec.Command(b.hook, "claude", "--home", home)
	hook.Stdin = strings.NewReader(fmt.Sprintf(`{"session_id":%q,"transcript_path":%q,"cwd":%q,"hook_event_name":"SessionStart","source":"startup"}`,
		followedSession, path, projects))
	if out, err := hook.CombinedOutput(); err != nil {
		return fmt.Errorf("ag-hook: %w\n%s", err, out)
	}
	cmd := exec.Command(b.sessiond, "run", "--home", home)
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		return err
	}
	err := b.appendLines(home, path)
	if stopErr := stop(cmd); stopErr != nil || err != nil {
		return errors.Join(err, stopErr, fmt.Errorf("run: %s", log.Bytes()))
	}
	return nil
}

func (b *bench) appendLines(home, path string) error {
	var store *sqlite.Store
	var err error
	for start := time.Now(); store == nil && time.Since(start) < visibleLimit; time.Sleep(10 * time.Millisecond) {
		store, err = sqlite.Open(filepath.Join(home, sqlite.FileName), sqlite.Options{ReadOnly: true})
	}
	if err != nil {
		return err
	}
	defer store.Close()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	var took []time.Duration
	for i := range visibleSamples + 10 {
		start := time.Now()
		if _, err := f.WriteString(answerLine(followedSession, i)); err != nil {
			return err
		}
		if err := seeAnswers(store, i+1); err != nil {
			return err
		}
		if i >= 10 {
			took = append(took, time.Since(start))
		}
		time.Sleep(visiblePause)
	}
	slices.Sort(took)
	p50, p99 := took[len(took)/2], took[len(took)*99/100]
	b.table.add("line appended to a transcript → in the graph, p50", "≤ 300 ms", ms(p50), p50 <= 300*time.Millisecond)
	b.table.add("line appended to a transcript → in the graph, p99", "", fmt.Sprintf("%s (most %s)", ms(p99), ms(took[len(took)-1])), true)
	return nil
}

// answerLine is what Claude Code writes for a block of text, in its order and of its size.
func answerLine(session string, i int) string {
	return fmt.Sprintf(`{"parentUuid":null,"isSidechain":false,"message":{"model":"claude-sonnet-4-5","id":"msg_%024d","type":"message","role":"assistant",`+
		`"content":[{"type":"text","text":"answer %d %s"}],"stop_reason":"end_turn","usage":{"input_tokens":7,"cache_creation_input_tokens":101,`+
		`"cache_read_input_tokens":1000,"output_tokens":%d}},"requestId":"req_%024d","type":"assistant","uuid":"00000000-0000-4000-8000-%012d",`+
		`"timestamp":%q,"userType":"external","entrypoint":"cli","cwd":"/home/dev/repo","sessionId":%q,"version":"2.1.330","gitBranch":"main"}`+"\n",
		i, i, strings.Repeat("word ", 200), 1+i, i, i, time.Now().UTC().Format("2006-01-02T15:04:05.000Z"), session)
}

// seeAnswers waits until n answers are in the graph.
func seeAnswers(store *sqlite.Store, n int) error {
	for start := time.Now(); time.Since(start) < visibleLimit; time.Sleep(2 * time.Millisecond) {
		rows, err := store.Actions(context.Background(), graph.ActionFilter{Session: followedSession, Type: graph.AssistantMessage})
		if err != nil {
			return err
		}
		if len(rows) >= n {
			return nil
		}
	}
	return fmt.Errorf("answer %d is not in the graph after %s", n, visibleLimit)
}

const oldTranscripts = 15_000

// followIdle lets a daemon follow a whole tree of sessions that ended long ago.
func (b *bench) followIdle() error {
	n := oldTranscripts / b.scale
	name := fmt.Sprintf("run --transcripts, idle, %d old sessions, ", n)
	if runtime.GOOS != "linux" {
		b.table.skip(name+"CPU, RSS, bytes read", "≤ 0.5 %, ≤ 40 MB more than without, none", "needs /proc")
		return nil
	}
	home, projects := filepath.Join(b.dir, "follow-idle"), filepath.Join(b.dir, "follow-idle-projects")
	if err := writeOld(projects, n); err != nil {
		return err
	}
	if out, err := exec.Command(b.sessiond, "import", "--home", home, projects).CombinedOutput(); err != nil {
		return fmt.Errorf("import: %w\n%s", err, out)
	}
	without, err := b.idleRun(home, "--no-transcripts")
	if err != nil {
		return err
	}
	with, err := b.idleRun(home, "--transcripts", projects)
	if err != nil {
		return err
	}
	b.table.add(name+"CPU", "≤ 0.5 % of a core", fmt.Sprintf("%.2f %% (%.2f %% without)", with.share, without.share), with.share <= 0.5)
	more := float64(with.rss-without.rss) / 1e6
	b.table.add(name+"RSS", "≤ 40 MB more than without", fmt.Sprintf("%.0f MB more (%.0f MB)", more, float64(with.rss)/1e6), more <= 40)
	b.table.add(name+"read from files", "nothing", fmt.Sprintf("%d bytes; %.1f MB at its start (%.1f MB without)", with.read, float64(with.readAtStart)/1e6, float64(without.readAtStart)/1e6), with.read < 1<<20)
	return nil
}

// writeOld writes sessions of a month ago, each with two lines and every third with a
// subagent, in 100 projects.
func writeOld(projects string, n int) error {
	then := time.Now().Add(-30 * 24 * time.Hour)
	for i := range n {
		session := fmt.Sprintf("01d00000-0000-4000-8000-%012d", i)
		dir := filepath.Join(projects, fmt.Sprintf("-home-dev-project-%d", i%100))
		paths := []string{filepath.Join(dir, session+".jsonl")}
		if i%3 == 0 {
			paths = append(paths, filepath.Join(dir, session, "subagents", "agent-a0000000000000001.jsonl"))
		}
		for _, path := range paths {
			text := answerLine(session, 2*i) + answerLine(session, 2*i+1)
			err := os.MkdirAll(filepath.Dir(path), 0o700)
			if err = errors.Join(err, os.WriteFile(path, []byte(text), 0o600)); err != nil {
				return err
			}
		}
	}
	return filepath.WalkDir(projects, func(path string, _ fs.DirEntry, err error) error {
		return errors.Join(err, os.Chtimes(path, then, then)) // of folders, too
	})
}

type idleUse struct {
	share             float64 // of a core, in percent
	rss               int64
	read, readAtStart int64
}

// idleRun measures a daemon that has nothing to do.
func (b *bench) idleRun(home string, args ...string) (u idleUse, err error) {
	cmd := exec.Command(b.sessiond, append([]string{"run", "--home", home}, args...)...)
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		return u, err
	}
	pid := cmd.Process.Pid
	time.Sleep(idleSettle)
	window := idleWindow / time.Duration(min(b.scale, 4))
	before, err := cpuTime(pid)
	if err == nil {
		u.readAtStart, err = readBytes(pid)
	}
	time.Sleep(window)
	if err == nil {
		var after time.Duration
		after, err = cpuTime(pid)
		u.share = 100 * float64(after-before) / float64(window)
	}
	if err == nil {
		u.read, err = readBytes(pid)
		u.read -= u.readAtStart
	}
	if err == nil {
		u.rss, err = residentBytes(pid)
	}
	if stopErr := stop(cmd); stopErr != nil || err != nil {
		return u, errors.Join(err, stopErr, fmt.Errorf("run: %s", log.Bytes()))
	}
	return u, nil
}

// readBytes is what a process has read, from files and else.
func readBytes(pid int) (int64, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/io", pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(raw), "rchar: ")
	n, _, _ := strings.Cut(rest, "\n")
	return strconv.ParseInt(n, 10, 64)
}
