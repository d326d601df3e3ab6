package lines

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// all reads the lines that are whole from a position on.
func all(t testing.TB, f io.ReaderAt, from Position, max int64) (out []string, numbers []int64, end Position) {
	l, err := New(f, from)
	if err != nil {
		t.Fatal(err)
	}
	l.Max = max
	l.Ahead(rand.Int64N(1000))
	for {
		line, err := l.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		text := string(line)
		if l.tooLong {
			text = "TOO LONG"
		}
		out, numbers = append(out, text), append(numbers, l.n)
	}
	if l.n == from.Lines {
		return out, numbers, from
	}
	first := from.First
	if first == 0 {
		if first, err = FirstHash(f, l.off); err != nil {
			t.Fatal(err)
		}
	}
	if end, err = l.Position(first); err != nil {
		t.Fatal(err)
	}
	return out, numbers, end
}

// TestLinesGrowing: however a file grows, byte by byte or in heaps, reading on from each
// position gives each of its lines once, with its number, and every position matches.
func TestLinesGrowing(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var want []string
		for range rapid.IntRange(0, 12).Draw(rt, "lines") {
			switch rapid.IntRange(0, 5).Draw(rt, "kind") {
			case 0:
				want = append(want, "")
			case 1:
				want = append(want, "broken {"+strings.Repeat("x", rapid.IntRange(0, 30).Draw(rt, "length")))
			case 2:
				want = append(want, `{"long":"`+strings.Repeat("y", BufferSize-20+rapid.IntRange(0, 40).Draw(rt, "length"))+`"}`)
			default:
				want = append(want, fmt.Sprintf(`{"n":%q}`, strings.Repeat("z}", rapid.IntRange(0, 9).Draw(rt, "length"))))
			}
		}
		text := []byte(strings.Join(append(slices.Clone(want), ""), "\n"))
		var got []string
		var at Position
		for size := 0; ; size = min(size+rapid.IntRange(1, 400).Draw(rt, "more")*rapid.SampledFrom([]int{1, 1, 1000}).Draw(rt, "times"), len(text)) {
			f := bytes.NewReader(text[:size])
			if ok, err := at.Matches(f); !ok || err != nil {
				rt.Fatalf("at %d bytes %+v does not match: %v", size, at, err)
			}
			out, numbers, end := all(t, f, at, MaxLine)
			for i, n := range numbers {
				if n != int64(len(got)+i+1) {
					rt.Fatalf("line %d has number %d", len(got)+i+1, n)
				}
			}
			got, at = append(got, out...), end
			if size == len(text) {
				break
			}
		}
		if !slices.Equal(got, want) {
			rt.Fatalf("read %q, want %q", got, want)
		}
		if at.Lines != int64(len(want)) {
			rt.Fatalf("%+v, want %d lines", at, len(want))
		}
	})
}

// TestLinesGoTo: wherever reading goes on, forward or back, what follows is what is in the
// file there, whatever the buffer holds and whoever had it before.
func TestLinesGoTo(t *testing.T) {
	var shared Buffers
	rapid.Check(t, func(rt *rapid.T) {
		var text []byte
		var starts []int
		for range rapid.IntRange(1, 12).Draw(rt, "lines") {
			starts = append(starts, len(text))
			n := rapid.SampledFrom([]int{0, 3, 100, 5000, BufferSize - 1, BufferSize, BufferSize + 1, 2 * BufferSize}).Draw(rt, "length")
			text = append(append(text, bytes.Repeat([]byte{byte('a' + len(starts))}, n)...), '\n')
		}
		l, err := New(bytes.NewReader(text), Position{})
		if err != nil {
			rt.Fatal(err)
		}
		l.Use = &shared
		defer l.Close()
		l.Ahead(rapid.Int64Range(0, 2*BufferSize).Draw(rt, "ahead"))
		want := bytes.Split(text, []byte{'\n'})
		for range rapid.IntRange(1, 10).Draw(rt, "jumps") {
			k := rapid.IntRange(0, len(starts)-1).Draw(rt, "line")
			l.GoTo(int64(starts[k]), int64(k))
			for range rapid.IntRange(0, 4).Draw(rt, "read") {
				line, err := l.Next()
				if k == len(starts) {
					if err != io.EOF {
						rt.Fatalf("%v behind the last line", err)
					}
					break
				}
				if err != nil || !bytes.Equal(line, want[k]) || l.n != int64(k+1) {
					rt.Fatalf("line %d: %.20q (%d bytes), number %d, %v, want %.20q (%d bytes)", k+1, line, len(line), l.n, err, want[k], len(want[k]))
				}
				k++
			}
		}
	})
}

func TestLastLineWithoutNewline(t *testing.T) {
	for _, c := range []struct {
		text string
		want []string
	}{
		{`{"a":1}`, []string{`{"a":1}`}},
		{"{\"a\":1}\n{\"b\":", []string{`{"a":1}`}},
		{"{\"a\":1}\nbroken", []string{`{"a":1}`}},
		{"{\"a\":1}\n\"text\"", []string{`{"a":1}`}},
		{"{\"a\":1}\n{\"b\":2} ", []string{`{"a":1}`, `{"b":2} `}},
		{"", nil},
		{"\n\n", []string{"", ""}},
	} {
		if got, _, _ := all(t, strings.NewReader(c.text), Position{}, MaxLine); !slices.Equal(got, c.want) {
			t.Errorf("%q: %q, want %q", c.text, got, c.want)
		}
	}
}

func TestLinesTooLong(t *testing.T) {
	long := strings.Repeat("x", 2*BufferSize+17)
	text := "{\"a\":1}\n" + long + "\n{\"b\":2}\n" + long
	got, numbers, end := all(t, strings.NewReader(text), Position{}, BufferSize+5)
	if want := []string{`{"a":1}`, "TOO LONG", `{"b":2}`}; !slices.Equal(got, want) || !slices.Equal(numbers, []int64{1, 2, 3}) {
		t.Errorf("got %.40q %v", got, numbers)
	}
	if ok, err := end.Matches(strings.NewReader(text)); !ok || err != nil {
		t.Errorf("%+v does not match: %v", end, err)
	}
	// The end of a long line is a place to go on from, too.
	_, _, end = all(t, strings.NewReader(text[:len("{\"a\":1}\n")+len(long)+1]), Position{}, BufferSize+5)
	if got, _, _ := all(t, strings.NewReader(text), end, BufferSize+5); !slices.Equal(got, []string{`{"b":2}`}) {
		t.Errorf("after a long line: %.40q", got)
	}
}

// TestPositionOfAnotherFile: no change of what is before a position goes unnoticed that
// touches its first or last line or the file's length.
func TestPositionOfAnotherFile(t *testing.T) {
	text := "{\"a\":1}\n{\"b\":2}\n{\"c\":3}\n"
	_, _, at := all(t, strings.NewReader(text), Position{}, MaxLine)
	for name, other := range map[string]string{
		"empty": "", "shorter": text[:len(text)-1], "shrunk": text[:8], "first line": "{\"A\":1}" + text[7:],
		"last line": text[:16] + "{\"C\":3}\n", "shifted": "\n" + text, "a newline less": text[:7] + " " + text[8:],
		"first line longer": "{\"a\":1}   {\"b\":2}\n{\"c\":3}\n",
	} {
		ok, err := at.Matches(strings.NewReader(other))
		if ok || err != nil {
			t.Errorf("%s: %v, %v", name, ok, err)
		}
	}
	for name, other := range map[string]string{"same": text, "grown": text + "{\"d\":4}\n"} {
		if ok, err := at.Matches(strings.NewReader(other)); !ok || err != nil {
			t.Errorf("%s: %v, %v", name, ok, err)
		}
	}
}

// failing is a file whose second half cannot be read.
type failing struct{ text string }

var errDisk = errors.New("the disk is broken")

func (f failing) ReadAt(p []byte, at int64) (int, error) {
	if at+int64(len(p)) > int64(len(f.text))/2 {
		n := copy(p, f.text[min(at, int64(len(f.text))/2):len(f.text)/2])
		return n, errDisk
	}
	return copy(p, f.text[at:]), nil
}

func TestLinesReadError(t *testing.T) {
	l, err := New(failing{"{\"a\":1}\n{\"b\":2}\n{\"c\":3}\n{\"d\":4}\n"}, Position{})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for ; err == nil; n++ {
		_, err = l.Next()
	}
	if n != 3 || !errors.Is(err, errDisk) {
		t.Errorf("%d lines, then %v", n-1, err)
	}
}
