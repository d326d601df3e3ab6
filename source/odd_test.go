//go:build unix

package source

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"unicode/utf16"
)

// TestZeros: zeros that a power cut left, wherever they are, divide lines: what is whole on either side
// is read, what is not is one bad line.
func TestZeros(t *testing.T) {
	line := func(i int) string { return strings.TrimSuffix(events(i, 1), "\n") }
	zeros := strings.Repeat("\x00", 300)
	for name, c := range map[string]struct {
		text         string
		good, broken int
	}{
		"behind a line":              {events(0, 2) + zeros + events(2, 2), 4, 0},
		"behind a line without end":  {events(0, 2) + line(2) + zeros + events(3, 2), 5, 0},
		"behind a torn line":         {events(0, 2) + line(2)[:40] + zeros + events(3, 2), 4, 1},
		"in a line":                  {events(0, 2) + line(2)[:40] + zeros + line(2)[40:] + "\n" + events(3, 1), 3, 1},
		"at the end":                 {events(0, 2) + line(2) + "\n" + zeros, 3, 0},
		"in front of all":            {zeros + events(0, 2), 2, 0},
		"in front of a mark":         {zeros + byteOrderMark + events(0, 2), 2, 0},
		"between files of one write": {byteOrderMark + events(0, 2) + byteOrderMark + events(2, 2), 4, 0},
	} {
		for _, follow := range []bool{false, true} {
			dir := realDir(t)
			r := newReader(t, filepath.Join(dir, "home"))
			path := write(t, c.text, dir, "in", "a.jsonl")
			if follow {
				f := start(t, r, Spec{Path: filepath.Dir(path)})
				f.awaitFacts(c.good)
				f.stop()
				if h := f.Health(); h.Broken != int64(c.broken) {
					t.Errorf("%s: %+v", name, h)
				}
			} else if report, err := r.Import(t.Context(), []string{path}, nil, Options{}, nil); (err != nil) != (c.broken > 0) || report.Broken != int64(c.broken) {
				t.Errorf("%s: %v, %+v", name, err, report)
			}
			if got := facts(t, r.Journal); len(got) != c.good {
				t.Errorf("%s: %d facts, want %d", name, len(got), c.good)
			}
		}
	}
}

// TestAllocated: a writer that allocates its file with zeros, and fills it, is read as it does.
func TestAllocated(t *testing.T) {
	dir := realDir(t)
	path := write(t, strings.Repeat("\x00", 64<<10), dir, "in", "a.jsonl")
	r := newReader(t, filepath.Join(dir, "home"))
	f := start(t, r, Spec{Path: filepath.Dir(path)})
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for i := range 20 {
		if _, err := file.WriteString(events(i, 1)); err != nil {
			t.Fatal(err)
		}
		f.awaitFacts(i + 1)
		f.await("nothing is behind", func() bool { return f.Health().Behind == 0 })
	}
	if _, err := file.WriteString(`{"v":1`); err != nil {
		t.Fatal(err)
	}
	f.await("what is torn is behind", func() bool { return f.Health().Behind > 0 })
	f.stop()
	once(t, facts(t, r.Journal))
}

// TestNothingButZeros: a file of zeros is not behind, what is written behind them is, until it is read.
func TestNothingButZeros(t *testing.T) {
	dir := realDir(t)
	path := write(t, strings.Repeat("\x00", 300<<10), dir, "in", "zeros.jsonl")
	r := newReader(t, filepath.Join(dir, "home"))
	f := start(t, r, Spec{Path: filepath.Dir(path)})
	f.await("it is not behind", func() bool { h := f.Health(); return h.Files == 1 && h.Behind == 0 })
	appendTo(t, path, events(20, 1)[:30])
	f.await("what follows is", func() bool { return f.Health().Behind > 0 })
	appendTo(t, path, events(20, 1)[30:]+strings.Repeat("\x00", 9<<10))
	f.awaitFacts(1)
	f.await("and is read", func() bool { return f.Health().Behind == 0 })
	f.stop()
}

// TestUTF16: a file in UTF-16 is named as that, by an import and a follower, and read once it
// is converted.
func TestUTF16(t *testing.T) {
	for name, c := range map[string]struct {
		mark string
		low  int
	}{"little": {"\xff\xfe", 0}, "big": {"\xfe\xff", 1}, "little without mark": {"", 0}, "big without mark": {"", 1}} {
		dir := realDir(t)
		wide := []byte(c.mark)
		for _, u := range utf16.Encode([]rune(events(0, 3))) {
			b := [2]byte{}
			b[c.low], b[1-c.low] = byte(u), byte(u>>8)
			wide = append(wide, b[:]...)
		}
		path := write(t, string(wide), dir, "in", "a.jsonl")
		r := newReader(t, filepath.Join(dir, "home"))
		if report, err := r.Import(t.Context(), []string{path}, nil, Options{}, nil); !errors.Is(err, ErrPartial) || report.Failed != 1 || !strings.Contains(err.Error(), path+": it is UTF-16") {
			t.Errorf("%s: %v, %+v", name, err, report)
		}
		f := start(t, r, Spec{Path: filepath.Dir(path)})
		f.await("it is said", func() bool {
			h := f.Health()
			return h.Failing == 1 && strings.HasPrefix(h.LastError, path+": it is UTF-16")
		})
		write(t, events(0, 3), path)
		f.awaitFacts(3)
		f.await("it is well", func() bool { return f.Health().Failing == 0 })
		f.stop()
	}
}

// TestNamedPipe: a pipe that is named is said not to be followed, and nothing waits for its writer.
func TestNamedPipe(t *testing.T) {
	dir := realDir(t)
	path := filepath.Join(dir, "pipe.jsonl")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	r := newReader(t, filepath.Join(dir, "home"))
	f := start(t, r, Spec{Path: path}, Spec{Path: filepath.Join(dir, "in")})
	write(t, events(0, 3), dir, "in", "a.jsonl")
	f.awaitFacts(3)
	if n := strings.Count(f.log.String(), "source.pipe"); n != 1 {
		t.Errorf("said %d times: %s", n, f.log)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	write(t, events(3, 3), path) // a file takes its place
	f.awaitFacts(6)
	f.stop()
}
