package journal

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCursorWaitsForTheNewline(t *testing.T) {
	j := open(t)
	mustAppend(t, j, line("s", "first", "1"), line("s", "a", "1"))
	_, want, _ := read(t, j, "s", Position{})
	record := "\n" + string(line("s", "b", strings.Repeat("x", 900)).Bytes())
	appendRaw(t, file(t, j, "s"), record[:9])
	c, err := j.Read("s", Position{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for range 2 {
		if _, err := c.Next(); err != nil {
			t.Fatal(err)
		}
	}
	for i := 9; i < len(record); i++ {
		appendRaw(t, file(t, j, "s"), record[i:i+1])
		if got, err := c.Next(); err != io.EOF {
			t.Fatalf("after %d bytes: %q %v, want io.EOF", i+1, got, err)
		}
	}
	// Asked only now: the record that ends there has left the buffer.
	if got := c.Position(); got != want {
		t.Errorf("a record without its newline moved the position to %v, from %v", got, want)
	}
	appendRaw(t, file(t, j, "s"), "\n")
	if got, err := c.Next(); err != nil || string(got) != record[1:] {
		t.Errorf("%q %v", got, err)
	}
}

func TestPositionsResumeAnywhere(t *testing.T) {
	j := open(t)
	var all []string
	for i := range 40 {
		id := fmt.Sprint("id", i)
		// Around the size of the reader's first buffer and of its largest.
		mustAppend(t, j, line("s", id, strings.Repeat("x", []int{0, 1, 4000, 4096, 300_000, 9}[i%6])))
		if i%7 == 3 {
			appendRaw(t, file(t, j, "s"), "\n{\"torn\":")
		}
		all = append(all, id)
	}
	_, whole, _ := read(t, j, "s", Position{})
	c, err := j.Read("s", Position{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var last Position
	for i := 0; ; i++ {
		if _, err := c.Next(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		p := c.Position()
		if p.Offset <= last.Offset || p.Sum == 0 || p.First == 0 {
			t.Fatalf("position %v after %v", p, last)
		}
		last = p
		rest, end, _ := read(t, j, "s", p)
		if diff := cmp.Diff(all[i+1:], rest, cmp.Comparer(func(a, b []string) bool { return strings.Join(a, " ") == strings.Join(b, " ") })); diff != "" {
			t.Fatalf("from record %d: %s", i, diff)
		}
		// Where a reader started does not show in where it ends.
		if whole != end {
			t.Fatalf("position %v at the end, from record %d %v", whole, i, end)
		}
	}
}

func TestReadNoticesReplacement(t *testing.T) {
	j := open(t)
	path := file(t, j, "s")
	mustAppend(t, j, line("s", "a", "1"), line("s", "b", "2"), line("s", "c", "3"))
	original, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	_, p, _ := read(t, j, "s", Position{})
	changed := func(old, new string) []byte { return bytes.Replace(original, []byte(old), []byte(new), 1) }
	for name, text := range map[string][]byte{
		"shrank":                  original[:len(original)-1],
		"empty":                   {},
		"only newlines":           bytes.Repeat([]byte("\n"), len(original)),
		"first record":            changed(`"a"`, `"A"`),
		"last record":             changed(`"c"`, `"C"`),
		"other place":             append([]byte("\n{}\n"), original...),
		"record removed":          append(changed("", "")[len(original)/3:], original...),
		"last newline overwrites": append(original[:len(original)-1:len(original)-1], 'x', '\n'),
	} {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := j.Read("s", p); !errors.Is(err, ErrReplaced) {
			t.Errorf("%s: %v, want ErrReplaced", name, err)
		}
	}
	if err := os.WriteFile(path, append(original, "\n{\"torn"...), 0o600); err != nil {
		t.Fatal(err)
	}
	if rest, _, _ := read(t, j, "s", p); len(rest) != 0 {
		t.Errorf("the same file, longer: %v", rest)
	}
	if _, err := j.Read("s", Position{Offset: 1}); !errors.Is(err, ErrReplaced) {
		t.Errorf("a position no cursor returns: %v", err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := j.Read("s", p); !errors.Is(err, ErrReplaced) {
		t.Errorf("removed: %v, want ErrReplaced", err)
	}
}

func TestOpenCursorNoticesReplacement(t *testing.T) {
	replace := map[string]func(path string) error{
		"renamed over": func(path string) error {
			if err := os.WriteFile(path+".new", bytes.Repeat([]byte("\n{}\n"), 99), 0o600); err != nil {
				return err
			}
			return os.Rename(path+".new", path)
		},
		"removed":   os.Remove,
		"truncated": func(path string) error { return os.Truncate(path, 3) },
	}
	for name, do := range replace {
		j := open(t)
		mustAppend(t, j, line("s", "a", "1"))
		c, err := j.Read("s", Position{})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := c.Next(); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Next(); err != io.EOF {
			t.Fatal(err)
		}
		if err := do(file(t, j, "s")); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Next(); !errors.Is(err, ErrReplaced) {
			t.Errorf("%s: %v, want ErrReplaced", name, err)
		}
	}
}

func TestTornLinesAreCountedAndPassed(t *testing.T) {
	j := open(t)
	mustAppend(t, j, line("s", "a", "1"))
	junk := []string{"x", "[]", `"{}"`, `{"a":1`, `{"a":1}{"b":2}`, `{"a":1} `, " ", "\x00\x00", "}"}
	appendRaw(t, file(t, j, "s"), "\n"+strings.Join(junk, "\n"))
	mustAppend(t, j, line("s", "b", "1"))
	appendRaw(t, file(t, j, "s"), "\nlast\n")
	ids, end, torn := read(t, j, "s", Position{})
	if diff := cmp.Diff([]string{"a", "b"}, ids); diff != "" || torn != len(junk)+1 {
		t.Errorf("torn %d, want %d; ids %s", torn, len(junk)+1, diff)
	}
	// The torn line at the end is behind the position: nobody reads it twice.
	if stat, _ := j.Stat("s"); end.Offset != stat.Size {
		t.Errorf("position %d, size %d", end.Offset, stat.Size)
	}
	if ids, again, torn := read(t, j, "s", end); len(ids) != 0 || torn != 0 || again != end {
		t.Errorf("%v %d %v", ids, torn, again)
	}
}

func TestOverlongLineIsPassedInBoundedMemory(t *testing.T) {
	for _, at := range []string{"first", "middle"} {
		j := open(t)
		j.maxLine = 100_000
		if at == "middle" {
			mustAppend(t, j, line("s", "a", "1"))
		}
		appendRaw(t, file(t, j, "s"), "\n"+strings.Repeat("x", 3_000_000))
		c, err := j.Read("s", Position{})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		for err == nil {
			_, err = c.Next()
		}
		if err != io.EOF || len(c.buf) > 4*j.maxLine {
			t.Errorf("%v, buffer %d", err, len(c.buf))
		}
		mustAppend(t, j, line("s", "b", "1"))
		if _, err := c.Next(); err != nil || c.Torn() != 1 {
			t.Errorf("torn %d: %v", c.Torn(), err)
		}
		_, end, _ := read(t, j, "s", Position{})
		if end != c.Position() {
			t.Errorf("%v, want %v", c.Position(), end)
		}
		if ids, _, _ := read(t, j, "s", end); len(ids) != 0 {
			t.Error(ids)
		}
	}
}

func FuzzCursor(f *testing.F) {
	for _, seed := range []string{
		"", "\n", "\n\n\n", "{", "\n{\"a\":", "\n{}\n", "{}\n\n{}\n{", "\x00\x00\n", "\n{\"a\":\"\\\"}\n", "\r\n{}\r\n",
		"\n" + strings.Repeat("x", 5000), strings.Repeat("\n{\"a\":[1,2,{}]}\n", 600),
	} {
		f.Add([]byte(seed), uint16(len(seed)/2))
	}
	f.Fuzz(func(t *testing.T, data []byte, split uint16) {
		j := open(t)
		path := file(t, j, "s")
		cut := min(int(split), len(data))
		appendRaw(t, path, string(data[:cut]))
		live, err := j.Read("s", Position{}) // is there while the file grows
		if err != nil {
			t.Fatal(err)
		}
		defer live.Close()
		before, middle := drain(t, live), live.Position()
		appendRaw(t, path, string(data[cut:]))
		record := line("s", "good", "text")
		mustAppend(t, j, record)
		after, end := drain(t, live), live.Position()
		if len(after) == 0 || after[len(after)-1] != string(record.Bytes()) {
			t.Fatalf("the record behind %q was not found", data)
		}
		for _, late := range []struct {
			from Position
			want []string
		}{{Position{}, append(before, after...)}, {middle, after}, {end, nil}} {
			c, err := j.Read("s", late.from)
			if err != nil {
				t.Fatalf("from %v: %v", late.from, err)
			}
			got := drain(t, c)
			if strings.Join(got, "\n") != strings.Join(late.want, "\n") || c.Position() != end {
				t.Errorf("from %v: %q at %v, want %q at %v", late.from, got, c.Position(), late.want, end)
			}
			c.Close()
		}
	})
}

func drain(t *testing.T, c *Cursor) (lines []string) {
	for {
		line, err := c.Next()
		if err == io.EOF {
			return lines
		}
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, string(line))
	}
}

func BenchmarkRead(b *testing.B) {
	j := open(b)
	text := strings.Repeat(`{\"key\": \"some value\", \"n\": 12}, `, 30)
	for range 200 {
		lines := []byte{}
		for range 100 {
			lines = frame(lines, line("s", "id", text).Bytes())
		}
		appendRaw(b, file(b, j, "s"), string(lines))
	}
	stat, err := j.Stat("s")
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(stat.Size)
	for b.Loop() {
		c, err := j.Read("s", Position{})
		if err != nil {
			b.Fatal(err)
		}
		for err == nil {
			_, err = c.Next()
		}
		if c.Position().Offset != stat.Size {
			b.Fatal(err)
		}
		c.Close()
	}
}
