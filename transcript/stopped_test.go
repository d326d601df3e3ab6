package transcript

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph/internal/intake"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/schema"
)

// prompts writes a session file of n prompts that is an hour old.
func prompts(t *testing.T, n int, name ...string) string {
	t.Helper()
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `{"type":"user","uuid":"%08d-0000-4000-8000-000000000000","sessionId":%q,"timestamp":"2026-01-01T00:%02d:%02d.%03dZ","message":{"role":"user","content":"prompt %d"}}`+"\n",
			i, uuidA, i/60000%60, i/1000%60, i%1000, i)
	}
	write(t, b.String(), name...)
	path := filepath.Join(name...)
	old(t, path)
	return path
}

// An import that is stopped in the middle of a file goes on there the next time, however
// old the file is.
func TestImportStoppedInAFile(t *testing.T) {
	dir, home := realDir(t), filepath.Join(realDir(t), "home")
	const lines = 5000
	prompts(t, lines, dir, uuidA+".jsonl")
	ctx, stop := context.WithCancel(t.Context())
	r := newReader(t, home)
	first, err := r.Import(ctx, []string{dir}, Options{}, func(p Progress) {
		if p.Lines > 0 {
			stop()
		}
	})
	if err == nil || first.Lines == 0 || first.Lines == lines || first.Waiting != 0 {
		t.Fatalf("the import was not stopped in the file: %d lines, %d bytes waiting, %v", first.Lines, first.Waiting, err)
	}
	second, err := newReader(t, home).Import(t.Context(), []string{dir}, Options{}, nil)
	if err != nil || first.Lines+second.Lines != lines {
		t.Errorf("%d lines, then %d of %d: %v", first.Lines, second.Lines, lines, err)
	}
}

// The same for a daemon that is stopped.
func TestFollowerStoppedInAFile(t *testing.T) {
	dir, home := realDir(t), filepath.Join(realDir(t), "home")
	path := prompts(t, 5000, dir, uuidA+".jsonl")
	s := &following{Follower: &Follower{Reader: newReader(t, home)}, queue: newQueue(), own: map[string]int64{},
		index: map[string]entry{}, dirty: map[string]bool{}, lives: map[string]*live{}, foreign: map[string]int64{}, retries: map[string]time.Duration{}}
	s.known = knowledge{Reader: s.Reader, found: map[string]map[string]Position{}}
	ctx, stop := context.WithCancel(t.Context())
	stop() // noticed after the first batch
	s.read(ctx, s.job(path))
	s.writeIndex()
	if e, ok := readIndex(home, s.Reader.Host)[path]; !ok || e.Lines == 0 || e.Lines == 5000 || e.modTime != 0 {
		t.Errorf("in the index: %+v, %v", e, ok)
	}
}

// What the index says of a journal that is not the one it was is not believed.
func TestImportWithAnotherJournal(t *testing.T) {
	dir, home := realDir(t), filepath.Join(realDir(t), "home")
	prompts(t, 10, dir, uuidA+".jsonl")
	r := newReader(t, home)
	clean(t, r, Options{}, dir)
	if again := clean(t, r, Options{}, dir); again.Unchanged != 1 {
		t.Fatalf("%+v", again)
	}
	file := filepath.Join(journal.Dir(home), uuidA+journal.Suffix)
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	s := &following{Follower: &Follower{Reader: r}, index: readIndex(home, r.Host)}
	if s.job(filepath.Join(dir, uuidA+".jsonl")) == nil {
		t.Error("a daemon takes a file for read whose journal has gone")
	}
	// Hooks have begun a new one, which is longer than the old one was.
	if err := os.WriteFile(file, []byte(strings.Repeat("\n{}\n", 10_000)), 0o600); err != nil {
		t.Fatal(err)
	}
	if s.job(filepath.Join(dir, uuidA+".jsonl")) == nil {
		t.Error("a daemon takes a file for read whose journal is another one")
	}
	if again, err := r.Import(t.Context(), []string{dir}, Options{}, nil); err != nil || again.Lines != 10 {
		t.Errorf("%d lines read again, want 10: %v", again.Lines, err)
	}
}

// Files without a fact, as old versions leave them, are not read again each time.
func TestImportOfFilesWithoutFacts(t *testing.T) {
	dir := realDir(t)
	write(t, `{"type":"file-history-snapshot"}`+"\n", dir, uuidA+".jsonl")
	old(t, filepath.Join(dir, uuidA+".jsonl"))
	r := newReader(t, filepath.Join(realDir(t), "home"))
	clean(t, r, Options{}, dir)
	if again := clean(t, r, Options{}, dir); again.Lines != 0 || again.Unchanged != 1 {
		t.Errorf("%+v", again)
	}
}

// Names of types come from the file: they may be secrets, and there may be millions.
func TestUnknownTypesAreBounded(t *testing.T) {
	dir := realDir(t)
	var b strings.Builder
	key := "sk-ant-api03-" + strings.Repeat("aB3", 31) + "-AAAAAAAA"
	fmt.Fprintf(&b, "{\"type\":%q}\n{\"type\":\"\\u001b[31mred\"}\n{\"type\":\"new-type\"}\n", key)
	for i := range 1000 {
		fmt.Fprintf(&b, "{\"type\":\"t%d\"}\n", i)
	}
	write(t, b.String(), dir, uuidA+".jsonl")
	for _, o := range []Options{{}, {DryRun: true}} {
		report := clean(t, newReader(t, filepath.Join(realDir(t), "home")), o, dir)
		if len(report.Unknown) > intake.MaxUnknown+1 || report.Unknown["new-type"] != 1 || report.Unknown[otherTypes] < 900 {
			t.Errorf("%d names, %d other types", len(report.Unknown), report.Unknown[otherTypes])
		}
		for name := range report.Kinds {
			if strings.Contains(name, "sk-ant") || strings.Contains(name, "\x1b") {
				t.Errorf("a report has %q", name)
			}
		}
	}
}

// A daemon whose home lies in a tree that it follows does not follow itself.
func TestFollowerEntersNoHome(t *testing.T) {
	home := filepath.Join(realDir(t), "home")
	f := &Follower{Reader: newReader(t, home)}
	if f.enters(home) {
		t.Error("it enters its home")
	}
	if !f.enters(filepath.Dir(home)) {
		t.Error("it does not enter the folder of its home")
	}
}

// Who follows a folder alone has not agreed to what hooks name elsewhere.
func TestFollowerOfATreeAlone(t *testing.T) {
	const session = "86f58e49-65d1-4e9d-862a-93d73e9c8e13"
	dir, tree := realDir(t), realDir(t)
	r := newReader(t, filepath.Join(realDir(t), "home"))
	live := start(t, &Follower{Reader: r, Trees: []string{tree}})
	path := prompts(t, 3, dir, session+suffix)
	hookEvent(t, r, schema.Event{SessionID: session, Host: "host", SourceSDK: "claude-code"}, path)
	live.changes <- []string{session}
	prompts(t, 3, tree, uuidA+suffix)
	live.await("the tree is read", func() bool { return live.Health().Lines >= 3 })
	time.Sleep(200 * time.Millisecond)
	if h := live.Health(); h.Lines != 3 || h.Files != 1 {
		t.Errorf("%d files with %d lines, want the tree's alone", h.Files, h.Lines)
	}
	live.stop()
}

// Lines without a time are told with that of the file, once it is old.
func TestImportOfLinesWithoutTime(t *testing.T) {
	dir := realDir(t)
	path := write(t, `{"type":"user","uuid":"00000001-0000-4000-8000-000000000000","sessionId":"`+uuidA+`","message":{"role":"user","content":"hello"}}`+"\n", dir, uuidA+suffix)
	when := time.Now().Add(-48 * time.Hour).Truncate(time.Second)
	if err := os.Chtimes(path, when, when); err != nil {
		t.Fatal(err)
	}
	r := newReader(t, filepath.Join(realDir(t), "home"))
	if report := clean(t, r, Options{}, dir); report.Events == 0 {
		t.Fatalf("%+v", report)
	}
	eachRecord(t, r.Journal, func(_ string, line []byte, e *schema.Event) {
		if !e.Timestamp.Equal(when) {
			t.Errorf("%v, want %v: %s", e.Timestamp, when, line)
		}
	})
	if again := clean(t, r, Options{}, dir); again.Unchanged != 1 {
		t.Errorf("%+v", again)
	}
}
