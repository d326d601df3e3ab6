//go:build unix

package journal

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// rewriterEnv makes this test binary one that rewrites session s of the home that is its value,
// again and again; with rewriterRoom it may write that many bytes of a file.
const (
	rewriterEnv  = "JOURNAL_TEST_REWRITER"
	rewriterRoom = "JOURNAL_TEST_ROOM"
)

func rewriter(home string) {
	j, err := Open(home)
	var room uint64
	if n, _ := fmt.Sscan(os.Getenv(rewriterRoom), &room); err == nil && n == 1 {
		signal.Ignore(syscall.SIGXFSZ)
		err = syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: room, Max: room})
	}
	fmt.Println("begun")
	for err == nil {
		_, err = j.Rewrite("s", withoutSecret)
	}
	fmt.Println("error:", err)
}

func withoutSecret(line []byte) []byte {
	return bytes.ReplaceAll(line, []byte("hunter2"), []byte("[REDACTED:secret-of-the-test]"))
}

func textOf(t *testing.T, j *Journal) string {
	t.Helper()
	data, err := os.ReadFile(file(t, j, "s"))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func onlyTheSession(t *testing.T, j *Journal) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(Dir(j.Home()), "*"))
	if err != nil || len(names) != 1 {
		t.Errorf("the journal has %v, %v", names, err)
	}
	if info, err := os.Stat(names[0]); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%s has mode %v, %v", names[0], info.Mode(), err)
	}
}

func TestRewrite(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0))
	j := open(t)
	mustAppend(t, j, line("s", "1", "my hunter2"), line("s", "2", "x"))
	appendRaw(t, file(t, j, "s"), "\n{\"torn\":\"hunter2")
	mustAppend(t, j, line("s", "3", "y"))
	before, end, _ := read(t, j, "s", Position{})
	if n, err := j.Rewrite("s", withoutSecret); n != 2 || err != nil {
		t.Fatalf("Rewrite() = %d, %v, want 2 lines", n, err)
	}
	after, _, torn := read(t, j, "s", Position{})
	if fmt.Sprint(before) != fmt.Sprint(after) || torn != 1 || strings.Contains(textOf(t, j), "hunter2") {
		t.Errorf("events %v became %v, %d torn:\n%s", before, after, torn, textOf(t, j))
	}
	if _, err := j.Read("s", end); err == nil {
		t.Error("a position in the old file fits the new one")
	}
	onlyTheSession(t, j)
	info, _ := os.Stat(file(t, j, "s"))
	if n, err := j.Rewrite("s", withoutSecret); n != 0 || err != nil {
		t.Errorf("the second time: %d, %v", n, err)
	}
	if again, _ := os.Stat(file(t, j, "s")); !os.SameFile(info, again) {
		t.Error("a file in which nothing was to be changed was replaced")
	}
	appendRaw(t, file(t, j, "s"), "\n{\"tail\":\"hunter2")
	if n, err := j.Rewrite("s", withoutSecret); n != 1 || err != nil || strings.Contains(textOf(t, j), "hunter2") {
		t.Errorf("a torn tail: %d, %v, left: %s", n, err, textOf(t, j))
	}
	elsewhere := filepath.Join(t.TempDir(), "elsewhere")
	if err := os.Rename(file(t, j, "s"), elsewhere); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(elsewhere, file(t, j, "s")); err != nil {
		t.Fatal(err)
	}
	if _, err := j.Rewrite("s", withoutSecret); err == nil || !strings.Contains(err.Error(), "no regular file") {
		t.Errorf("a link was replaced: %v", err)
	}
}

// TestRewriteCarriesOver: what a writer of an older version, which does not look whether its
// file is still there, writes to the old file right after the rename is in the new one, once.
func TestRewriteCarriesOver(t *testing.T) {
	j := open(t)
	mustAppend(t, j, line("s", "1", "hunter2"))
	path := file(t, j, "s")
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for !lost(f) {
			time.Sleep(time.Millisecond)
		}
		if _, err := f.Write(frame(nil, line("s", "late", "also hunter2").Bytes())); err != nil {
			t.Error(err)
		}
	})
	if _, err := j.Rewrite("s", withoutSecret); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
	if ids, _, _ := read(t, j, "s", Position{}); fmt.Sprint(ids) != "[1 late]" || strings.Contains(textOf(t, j), "hunter2") {
		t.Errorf("%v:\n%s", ids, textOf(t, j))
	}
	onlyTheSession(t, j)
}

// TestFinishRewrite: each state that a kill can leave is completed or undone.
func TestFinishRewrite(t *testing.T) {
	for name, leave := range map[string]func(path string) error{
		"a new one that was not in force": func(path string) error { return os.WriteFile(path+newSuffix, []byte("\n{}"), 0o600) },
		"both names, one file":            func(path string) error { return os.Link(path, path+oldSuffix) },
		"renamed, late lines missing": func(path string) error {
			data, err := os.ReadFile(path)
			if err == nil {
				err = os.Rename(path, path+oldSuffix)
			}
			first := bytes.Index(data, []byte("}\n")) + 2
			if err == nil {
				err = os.WriteFile(path, withoutSecret(data[:first]), 0o600)
			}
			return err
		},
		"renamed, and the new one removed": func(path string) error { return os.Rename(path, path+oldSuffix) },
	} {
		t.Run(name, func(t *testing.T) {
			j := open(t)
			mustAppend(t, j, line("s", "1", "hunter2"), line("s", "2", "also hunter2"))
			if err := leave(file(t, j, "s")); err != nil {
				t.Fatal(err)
			}
			if left, err := j.Rewriting(); err != nil || fmt.Sprint(left) != "[s]" {
				t.Errorf("Rewriting() = %v, %v", left, err)
			}
			if _, err := j.Rewrite("s", withoutSecret); err != nil {
				t.Fatal(err)
			}
			if ids, _, _ := read(t, j, "s", Position{}); fmt.Sprint(ids) != "[1 2]" || strings.Contains(textOf(t, j), "hunter2") {
				t.Errorf("%v:\n%s", ids, textOf(t, j))
			}
			onlyTheSession(t, j)
		})
	}
}

// TestRewriteIsKilledAmongWriters kills a process that rewrites a session 50 times, while 16
// write to it: nothing that was acknowledged is lost, and in the end no secret is left.
func TestRewriteIsKilledAmongWriters(t *testing.T) {
	j := open(t)
	mustAppend(t, j, line("s", "first", strings.Repeat("x", 200_000)))
	var stop atomic.Bool
	var writers sync.WaitGroup
	acked := make([]int, 16)
	for w := range acked {
		writers.Go(func() {
			for ; !stop.Load() && acked[w] < 20_000; time.Sleep(time.Duration(rand.IntN(4)) * time.Millisecond) {
				if err := j.Append(line("s", fmt.Sprintf("%d-%d", w, acked[w]), "hunter2")); err != nil {
					t.Error(err)
					return
				}
				acked[w]++
			}
		})
	}
	states := map[string]int{}
	for range 50 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), rewriterEnv+"="+j.Home())
		out, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		out.Read(make([]byte, 1))
		time.Sleep(time.Duration(rand.IntN(30_000)) * time.Microsecond)
		cmd.Process.Kill()
		cmd.Wait()
		for _, suffix := range []string{newSuffix, oldSuffix} {
			if _, err := os.Stat(file(t, j, "s") + suffix); err == nil {
				states[suffix]++
			}
		}
	}
	stop.Store(true)
	writers.Wait()
	t.Logf("killed with %v there", states)
	if states[oldSuffix] == 0 {
		t.Error("nobody was killed between the rename and the end")
	}
	if _, err := j.Rewrite("s", withoutSecret); err != nil {
		t.Fatal(err)
	}
	there := map[string]bool{}
	ids, _, _ := read(t, j, "s", Position{})
	for _, id := range ids {
		there[id] = true
	}
	for w, n := range acked {
		for i := range n {
			if id := fmt.Sprintf("%d-%d", w, i); !there[id] {
				t.Errorf("%s was acknowledged and is lost", id)
			}
		}
	}
	if strings.Contains(textOf(t, j), "hunter2") {
		t.Error("a secret is left")
	}
	onlyTheSession(t, j)
}

// TestRewriteOnAFullDisk: wherever the room ends, the old file stands, or both do, and with
// room again nothing is lost.
func TestRewriteOnAFullDisk(t *testing.T) {
	for _, room := range []int{0, 100, 70_000, 150_000} {
		j := open(t)
		for i := range 10 {
			mustAppend(t, j, line("s", fmt.Sprint(i), strings.Repeat("hunter2 ", 2000)))
		}
		before := textOf(t, j)
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), rewriterEnv+"="+j.Home(), fmt.Sprint(rewriterRoom, "=", room))
		out, err := cmd.Output()
		if err != nil || !strings.Contains(string(out), "more bytes for a while") {
			t.Errorf("room %d: it says %q, %v", room, out, err)
		}
		if textOf(t, j) != before {
			t.Errorf("room %d: the old file does not stand", room)
		}
		onlyTheSession(t, j)
	}
}
