package source

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// rewrite writes a file anew in its place: the same inode.
func rewrite(t testing.TB, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err == nil {
		_, err = f.WriteString(text)
	}
	if err == nil {
		err = f.Truncate(int64(len(text)))
	}
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestRepairedWhileFollowed: a line in the middle that somebody repairs in its place is read
// then, and what is appended meanwhile, too, whatever the length of the repair.
func TestRepairedWhileFollowed(t *testing.T) {
	for name, c := range map[string]struct{ from, to string }{
		"as long": {`"text 250 `, `"TEXT 250 `}, "longer": {`"text 250 `, `"a longer text `}, "shorter": {`"text 250 `, `"t `},
		"a bad line": {`"origin":"api","role":"user","content":"text 250`, `"origin":"api","role":"user","content"="text 250`},
	} {
		t.Run(name, func(t *testing.T) {
			dir := realDir(t)
			text := events(0, 500) // more than is at both ends
			other := strings.Replace(text, c.from, c.to, 1)
			more := 1
			if name == "a bad line" {
				text, other, more = other, text, 1
			}
			path := write(t, text, dir, "in", "app.jsonl")
			r := newReader(t, filepath.Join(dir, "home"))
			f := start(t, r, Spec{Path: filepath.Join(dir, "in")})
			first := strings.Count(text, "\n")
			if name == "a bad line" {
				first--
			}
			f.awaitFacts(first)
			f.await("it is at rest", func() bool { return f.Health().Behind == 0 })
			time.Sleep(20 * time.Millisecond)
			rewrite(t, path, other)
			f.awaitFacts(first + more)
			appendTo(t, path, events(500, 5))
			f.awaitFacts(first + more + 5)
			f.stop()
			if report := clean(t, r, Options{}, path); report.Lines != 0 {
				t.Errorf("%+v", report)
			}
		})
	}
}

// TestTouched: a file that is touched is not read again, though it was looked at.
func TestTouched(t *testing.T) {
	dir := realDir(t)
	path := write(t, events(0, 200), dir, "in", "app.jsonl")
	doc := write(t, grainBatch(t, 0, 20), dir, "in", "a.json")
	r := newReader(t, filepath.Join(dir, "home"))
	f := start(t, r, Spec{Path: filepath.Join(dir, "in")})
	f.awaitFacts(240)
	for i := range 30 {
		then := time.Now().Add(time.Duration(i) * time.Second)
		if err := os.Chtimes(path, then, then); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(doc, then, then); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Millisecond)
	}
	rewrite(t, path, strings.Replace(events(0, 200), `"text 100 `, `"TEXT 100 `, 1)) // noticed nevertheless
	f.awaitFacts(241)
	f.stop()
	if h := f.Health(); h.Lines != 200+1+200 {
		t.Errorf("%d lines were read", h.Lines)
	}
}

// TestRecheck: what is looked at in vain is looked at ever more seldom, and what takes long
// never takes more than its share.
func TestRecheck(t *testing.T) {
	var c recheck
	var all, in time.Duration
	for n := 0; all < time.Hour; n++ {
		c.took(100*time.Millisecond, time.Second, true)
		all += time.Until(c.next)
		in += 100 * time.Millisecond
		if n > 3 && time.Until(c.next) < 2*time.Second-time.Millisecond {
			t.Fatalf("again after %s", time.Until(c.next))
		}
	}
	if in > 7*time.Second {
		t.Errorf("an hour of touches takes %s", in)
	}
	if c.took(time.Millisecond, time.Second, false); time.Until(c.next) > time.Second {
		t.Errorf("what changed is looked at again after %s", time.Until(c.next))
	}
	if c.took(time.Minute, time.Second, false); time.Until(c.next) < noteShare*time.Minute-time.Second {
		t.Errorf("what takes a minute is looked at again after %s", time.Until(c.next))
	}
}

// TestDoubtfulAfterGrowth: a repair that is looked at only after more was appended counts, too.
func TestDoubtfulAfterGrowth(t *testing.T) {
	dir := realDir(t)
	path := write(t, events(0, 500), dir, "app.jsonl")
	s := &following{Follower: &Follower{Reader: newReader(t, filepath.Join(dir, "home")), quick: true}, files: map[fileID]*followed{}, alike: map[uint64]*alikeFiles{}}
	f := &followed{spec: &watched{}}
	f.stream = s.stream(path, Options{})
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	f.file = file
	look := func() {
		t.Helper()
		if f.info, err = file.Stat(); err == nil {
			err = s.identify(f)
		}
		if err == nil {
			err = s.slice(context.Background(), f)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	look()
	if err := f.note(); err != nil {
		t.Fatal(err)
	}
	f.again.next = time.Now().Add(time.Hour)
	rewrite(t, path, strings.Replace(events(0, 500), `"text 250 `, `"TEXT 250 `, 1))
	look()
	appendTo(t, path, events(500, 1))
	look()
	if n := len(facts(t, s.Reader.Journal)); n != 501 {
		t.Fatalf("%d facts before its turn", n)
	}
	f.again.next = time.Time{}
	look()
	if n := len(facts(t, s.Reader.Journal)); n != 502 {
		t.Errorf("%d facts, want the repaired one, too", n)
	}
}
