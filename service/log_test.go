package service

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

func openLog(t *testing.T, path string, limit int64) *Log {
	t.Helper()
	l, err := OpenLog(path)
	if err != nil {
		t.Fatal(err)
	}
	l.max = limit
	t.Cleanup(func() { l.Close() })
	return l
}

func writeLine(t *testing.T, l *Log, line string) {
	t.Helper()
	if n, err := l.Write([]byte(line + "\n")); n != len(line)+1 || err != nil {
		t.Fatalf("wrote %d, %v", n, err)
	}
}

func tailed(t *testing.T, path string, n int) (lines []string) {
	t.Helper()
	err := TailLog(t.Context(), path, n, false, func(l []byte) error { lines = append(lines, string(l)); return nil })
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

// Two files at most, of these names, of no more than the limit each (or one line), and no
// line is lost but the oldest ones.
func TestLogIsBounded(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, LogFile)
	random := rand.New(rand.NewPCG(1, 2))
	l := openLog(t, path, 1000)
	var all []string
	for i := range 2000 {
		line := fmt.Sprintf("%d %s", i, strings.Repeat("x", random.IntN(200)))
		if i%500 == 77 {
			line = fmt.Sprintf("%d %s", i, strings.Repeat("y", 3000))
		}
		all = append(all, line)
		writeLine(t, l, line)
		if i%700 == 5 { // another daemon goes on with it
			l.Close()
			l = openLog(t, path, 1000)
		}
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			info, err := e.Info()
			if err != nil {
				t.Fatal(err)
			}
			if e.Name() != LogFile && e.Name() != LogFile+OldLog || info.Size() > 1000 && info.Size() != int64(3002+len(fmt.Sprint(i/500*500+77))) {
				t.Fatalf("after line %d: %s of %d bytes", i, e.Name(), info.Size())
			}
		}
		got := tailed(t, path, -1)
		if want := all[len(all)-len(got):]; len(got) == 0 || !slices.Equal(got, want) {
			t.Fatalf("after line %d: %d lines, not the last ones that were written", i, len(got))
		}
	}
	if got := tailed(t, path, 7); !slices.Equal(got, all[len(all)-7:]) {
		t.Errorf("the last 7: %q", got)
	}
	if got := tailed(t, path, 0); len(got) != 0 {
		t.Errorf("the last 0: %q", got)
	}
}

func TestLogIsPrivate(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("modes of files")
	}
	path := filepath.Join(t.TempDir(), LogFile)
	if err := os.WriteFile(path, []byte("by hand\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o666); err != nil {
		t.Fatal(err)
	}
	l := openLog(t, path, 50)
	for range 10 {
		writeLine(t, l, strings.Repeat("z", 30))
	}
	for _, p := range []string{path, path + OldLog} {
		if info, err := os.Stat(p); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", p, info.Mode(), err)
		}
	}
}

// Whoever removes the log, or has it renamed, finds a new one.
func TestLogIsMadeAnew(t *testing.T) {
	path := filepath.Join(t.TempDir(), LogFile)
	l := openLog(t, path, 1000)
	writeLine(t, l, "one")
	if runtime.GOOS == "windows" {
		t.Skip("an open file is neither removed nor renamed there")
	}
	os.Remove(path)
	writeLine(t, l, "two")
	os.Rename(path, path+".mine")
	writeLine(t, l, "three")
	if got := tailed(t, path, -1); !slices.Equal(got, []string{"three"}) {
		t.Errorf("%q", got)
	}
	if b, _ := os.ReadFile(path + ".mine"); string(b) != "two\n" {
		t.Errorf("the renamed one: %q", b)
	}
	// Without its folder nothing can be logged, until it is back.
	os.RemoveAll(filepath.Dir(path))
	if _, err := l.Write([]byte("lost\n")); err == nil {
		t.Error("a line that is nowhere was written")
	}
	os.Mkdir(filepath.Dir(path), 0o700)
	writeLine(t, l, "four")
	if got := tailed(t, path, -1); !slices.Equal(got, []string{"four"}) {
		t.Errorf("%q", got)
	}
	l.Close()
	if _, err := l.Write([]byte("x\n")); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("after the end: %v", err)
	}
}

func TestTailWithoutLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), LogFile)
	if err := TailLog(t.Context(), path, 5, false, nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
	// A daemon was killed between two files.
	if err := os.WriteFile(path+OldLog, []byte("a\nb"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := tailed(t, path, -1); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("%q", got)
	}
}

// A follower sees each line once, in order, across new files, one that was emptied, and
// lines that arrive in parts.
func TestFollowLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), LogFile)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var mu sync.Mutex
	var got []string
	ended := make(chan error, 1)
	go func() {
		ended <- TailLog(ctx, path, 10, true, func(l []byte) error {
			mu.Lock()
			defer mu.Unlock()
			got = append(got, string(l))
			return nil
		})
	}()
	seen := func(n int) []string {
		t.Helper()
		for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
			mu.Lock()
			lines := slices.Clone(got)
			mu.Unlock()
			if len(lines) >= n {
				return lines
			}
			if time.Now().After(deadline) {
				t.Fatalf("%d lines of %d: %q", len(lines), n, lines)
			}
		}
	}
	l := openLog(t, path, 200)
	var want []string
	for i := range 12 { // each may fill a file
		line := fmt.Sprintf("%d %s", i, strings.Repeat("x", 120))
		writeLine(t, l, line)
		want = append(want, line)
		seen(len(want))
	}
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
	time.Sleep(300 * time.Millisecond) // until a follower has seen it: what is as long again at once, it cannot tell
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	f.WriteString("half ")
	time.Sleep(300 * time.Millisecond)
	f.WriteString("a line\n")
	want = append(want, "half a line")
	if lines := seen(len(want)); !slices.Equal(lines, want) {
		t.Errorf("got %q\nwant %q", lines, want)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestLogTakesManyWriters(t *testing.T) {
	path := filepath.Join(t.TempDir(), LogFile)
	l := openLog(t, path, 1<<20)
	var all sync.WaitGroup
	for w := range 8 {
		all.Go(func() {
			for range 200 {
				l.Write(bytes.Repeat([]byte{byte('a' + w)}, 50+w))
				l.Write([]byte("\n")) // a line may be cut by another's; bytes may not be lost
			}
		})
	}
	all.Wait()
	info, err := os.Stat(path)
	if want := int64(200 * (8*51 + 28)); err != nil || info.Size() != want {
		t.Errorf("%d bytes of %d, %v", info.Size(), want, err)
	}
}
