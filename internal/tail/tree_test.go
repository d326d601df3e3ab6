package tail

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

func wanted(path string) bool  { return strings.HasSuffix(path, ".jsonl") }
func entered(path string) bool { return filepath.Base(path) != "tool-results" }

func fastTree() Tree {
	return Tree{Want: wanted, Enter: entered, Poll: 5 * time.Millisecond, Sweep: 50 * time.Millisecond,
		Settle: time.Millisecond, NoNotify: true}
}

// followTree reads what a Tree reports, and only that.
func followTree(t *testing.T, tree Tree, first ...Place) (*reader, chan<- []Place) {
	t.Helper()
	r := &reader{seen: map[string]string{}}
	places, out := make(chan []Place), make(chan []string)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- tree.Run(ctx, places, out) }()
	reading := make(chan struct{})
	go func() {
		defer close(reading)
		for paths := range out {
			for _, path := range paths {
				r.read(path, "")
			}
		}
	}()
	places <- first
	t.Cleanup(func() {
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("Run returned %v", err)
		}
		close(out)
		<-reading
	})
	return r, places
}

func makeFile(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, path, text)
	return path
}

func TestTreeNamesEverything(t *testing.T) {
	dir := t.TempDir()
	want := map[string]string{}
	for i := range 30 {
		for _, name := range []string{"s%d.jsonl", "s%d/subagents/agent-a.jsonl", "s%d/subagents/workflows/w/agent-b.jsonl"} {
			path := filepath.Join(dir, fmt.Sprintf("project%d", i%5), fmt.Sprintf(name, i))
			want[makeFile(t, path, path)] = path
		}
	}
	makeFile(t, filepath.Join(dir, "project0", "s0", "tool-results", "big.jsonl"), "not entered")
	makeFile(t, filepath.Join(dir, "project0", "notes.txt"), "not wanted")
	r, _ := followTree(t, fastTree(), Place{dir, true})
	r.await(t, want, 5*time.Second)
}

// Places are named before they exist, and while it runs; what lies beside a named
// file is nobody's business.
func TestTreePlacesAppear(t *testing.T) {
	dir := t.TempDir()
	r, places := followTree(t, fastTree(), Place{filepath.Join(dir, "a.jsonl"), false}, Place{filepath.Join(dir, "a", "subagents"), true})
	want := map[string]string{}
	want[makeFile(t, filepath.Join(dir, "a.jsonl"), "1")] = "1"
	makeFile(t, filepath.Join(dir, "b.jsonl"), "not named")
	want[makeFile(t, filepath.Join(dir, "a", "subagents", "agent-x.jsonl"), "2")] = "2"
	r.await(t, want, 5*time.Second)
	want[makeFile(t, filepath.Join(dir, "later", "c.txt"), "3")] = "3" // whatever its name
	places <- []Place{{filepath.Join(dir, "later", "c.txt"), false}}
	r.await(t, want, 5*time.Second)
}

// Property: whatever happens to files and folders, after the last report of each file
// the reader holds what is on disk.
func TestTreeNoChangeGoesUnreported(t *testing.T) {
	for _, mode := range []struct {
		name string
		with func(*Tree)
	}{
		{"poll", func(*Tree) {}},
		{"sweep only", func(w *Tree) { w.Open = time.Nanosecond }},
		{"notified", func(w *Tree) { w.NoNotify = false; w.Sweep = 200 * time.Millisecond }},
	} {
		t.Run(mode.name, func(t *testing.T) {
			seed := uint64(time.Now().UnixNano())
			t.Logf("seed %d", seed)
			rnd := rand.New(rand.NewPCG(seed, 1))
			dir := t.TempDir()
			tree := fastTree()
			mode.with(&tree)
			r, _ := followTree(t, tree, Place{dir, true})
			want := map[string]string{}
			for step := range 400 {
				mutateTree(t, rnd, dir, want, step)
				if step%100 == 99 {
					r.awaitPresent(t, want, 10*time.Second)
				} else if rnd.IntN(4) == 0 {
					time.Sleep(time.Duration(rnd.IntN(5000)) * time.Microsecond)
				}
			}
		})
	}
}

// mutateTree changes a file as mutate does, in one of some folders, or a whole folder.
func mutateTree(t *testing.T, rnd *rand.Rand, root string, want map[string]string, step int) {
	t.Helper()
	dir := filepath.Join(root, []string{"p", "q", "p/s1/subagents", "p/s2/subagents"}[rnd.IntN(4)])
	if rnd.IntN(12) == 0 {
		below := dir + string(filepath.Separator)
		if rnd.IntN(2) == 0 {
			os.RemoveAll(dir)
		} else if os.Rename(dir, filepath.Join(t.TempDir(), "away")) != nil {
			return
		}
		maps.DeleteFunc(want, func(path, _ string) bool { return strings.HasPrefix(path, below) })
		return
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	here := map[string]string{}
	for path, text := range want {
		if filepath.Dir(path) == dir {
			here[strings.TrimSuffix(filepath.Base(path), ".jsonl")] = text
			delete(want, path)
		}
	}
	mutate(t, rnd, dir, here, step)
	for name, text := range here {
		want[filepath.Join(dir, name+".jsonl")] = text
	}
}

// A poll an hour away shows that it is the notification that is fast, for a file that is
// named, in a folder that is new, and in one that was old.
func TestTreeNotificationIsFast(t *testing.T) {
	if !notifyIsCheap {
		t.Skip("no notifications on this system")
	}
	dir := t.TempDir()
	old := time.Now().Add(-30 * 24 * time.Hour)
	want := map[string]string{}
	aged := makeFile(t, filepath.Join(dir, "projects", "p", "old.jsonl"), "1")
	for _, path := range []string{aged, filepath.Dir(aged)} {
		if err := os.Chtimes(path, old, old); err != nil {
			t.Fatal(err)
		}
	}
	want[aged] = "1"
	named := makeFile(t, filepath.Join(dir, "elsewhere", "n.jsonl"), "1")
	want[named] = "1"
	r, _ := followTree(t, Tree{Want: wanted, Enter: entered, Poll: time.Hour}, Place{filepath.Join(dir, "projects"), true}, Place{named, false})
	r.await(t, want, 5*time.Second)
	for _, path := range []string{aged, named, filepath.Join(dir, "projects", "p", "new.jsonl"), filepath.Join(dir, "projects", "r", "s.jsonl")} {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		time.Sleep(50 * time.Millisecond) // for the folder to be known
		write(t, path, "12")
		want[path] = "12"
		r.await(t, want, 5*time.Second)
	}
}

// Without notifications what changes now is looked at five times a second.
func TestTreeHotFilesAreQuick(t *testing.T) {
	dir := t.TempDir()
	path := makeFile(t, filepath.Join(dir, "a.jsonl"), "1")
	tree := Tree{Want: wanted, Enter: entered, Poll: time.Hour, NoNotify: true}
	r, _ := followTree(t, tree, Place{path, false})
	r.await(t, map[string]string{path: "1"}, 5*time.Second)
	write(t, path, "12")
	r.await(t, map[string]string{path: "12"}, 2*time.Second)
}

// Links that lead in a circle, twice to one folder, or nowhere.
func TestTreeLinks(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("links need rights there")
	}
	dir := t.TempDir()
	file := makeFile(t, filepath.Join(dir, "p", "s.jsonl"), "1")
	outside := makeFile(t, filepath.Join(t.TempDir(), "o.jsonl"), "2")
	for link, to := range map[string]string{"p/up": dir, "p/self": filepath.Join(dir, "p"), "q": filepath.Dir(outside), "r": filepath.Dir(outside),
		"p/gone": filepath.Join(dir, "nowhere"), "p/linked.jsonl": outside} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	r, _ := followTree(t, fastTree(), Place{dir, true})
	want := map[string]string{file: "1", outside: "2", filepath.Join(dir, "p", "linked.jsonl"): "2"}
	r.await(t, want, 5*time.Second)
	time.Sleep(50 * time.Millisecond)
	r.await(t, want, time.Second)
}

// 15,000 old sessions with a folder each: a second costs at most 250 looks, no folder is
// read, a sweep looks at everything, and what is not there any more is forgotten.
func TestTreeIdle(t *testing.T) {
	const sessions = 5000
	dir := t.TempDir()
	old := time.Now().Add(-30 * 24 * time.Hour)
	for i := range sessions {
		project := filepath.Join(dir, fmt.Sprintf("p%d", i%50))
		agent := makeFile(t, filepath.Join(project, fmt.Sprintf("s%d", i), "subagents", "agent-1.jsonl"), "x")
		file := makeFile(t, filepath.Join(project, fmt.Sprintf("s%d.jsonl", i)), "x")
		for _, path := range []string{file, agent, filepath.Dir(agent), filepath.Dir(filepath.Dir(agent))} {
			if err := os.Chtimes(path, old, old); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, project := range append(glob(t, dir), dir) {
		os.Chtimes(project, old, old)
	}
	tree := fastTree()
	tree.Poll, tree.Sweep = 0, 0
	tree.setDefaults()
	w := &forest{Tree: tree, nodes: map[string]*node{}, pending: map[string]bool{}, watched: map[string]bool{}}
	start := time.Now()
	w.name([]Place{{dir, true}, {filepath.Join(dir, "never.jsonl"), false}}, start)
	if len(w.pending) != 2*sessions {
		t.Fatalf("found %d files", len(w.pending))
	}
	clear(w.pending)
	w.stats, w.reads = 0, 0
	seconds := 4*sessions/maxLooks + 2
	for s := range seconds {
		before := w.stats
		w.poll(start.Add(time.Duration(s) * time.Second))
		if n := w.stats - before; n > maxLooks+3 {
			t.Errorf("second %d: %d looks", s, n)
		}
	}
	if w.stats < 4*sessions || w.reads != 0 || len(w.pending) != 0 {
		t.Errorf("%d seconds: %d looks, %d folders read, %d files reported", seconds, w.stats, w.reads, len(w.pending))
	}
	os.RemoveAll(filepath.Join(dir, "p0"))
	for s := range 2 * seconds {
		w.poll(start.Add(2*time.Hour + time.Duration(s)*time.Second))
	}
	w.slice(start.Add(3 * time.Hour))
	if want := sessions * 2 / 50; len(w.pending) != want {
		t.Errorf("%d of %d files that are gone were reported", len(w.pending), want)
	}
	if n := w.nodes[filepath.Join(dir, "never.jsonl")]; n != nil {
		t.Error("a place that never was is still looked for after two hours")
	}
}

func glob(t *testing.T, dir string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	return paths
}
