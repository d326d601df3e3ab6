package lines

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"
)

// TestStreamIsAFile: a stream gives the lines, numbers and positions that a file with its
// bytes gives, in whatever pieces it comes.
func TestStreamIsAFile(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var text []byte
		for range rapid.IntRange(0, 8).Draw(rt, "lines") {
			n := rapid.SampledFrom([]int{0, 1, 3, 100, BufferSize - 1, BufferSize, BufferSize + 1, 3 * BufferSize, 5 * BufferSize}).Draw(rt, "length")
			text = append(append(append(text, '"'), bytes.Repeat([]byte{'a'}, n)...), "\"\n"...)
		}
		text = append(text, rapid.SampledFrom([]string{"", "{}", "{", "x"}).Draw(rt, "end")...)
		limit := int64(4 * BufferSize)
		src := io.Reader(bytes.NewReader(text))
		if rapid.Bool().Draw(rt, "halves") {
			src = iotest.HalfReader(src)
		}
		s := Stream(iotest.DataErrReader(src))
		f, err := New(bytes.NewReader(text), Position{})
		if err != nil {
			rt.Fatal(err)
		}
		s.Max, f.Max = limit, limit
		for {
			want, wantErr := f.Next()
			got, err := s.Next()
			if err != wantErr || !bytes.Equal(got, want) || s.TooLong() != f.TooLong() || s.Count() != f.Count() || s.Offset() != f.Offset() {
				rt.Fatalf("line %d at %d: %d bytes %v, want %d of %d: %d bytes %v", s.Count(), s.Offset(), len(got), err, f.Count(), f.Offset(), len(want), wantErr)
			}
			if err != nil {
				break
			}
			p, err := f.Position(7)
			q, _ := s.Position(7)
			if err != nil || p != q {
				rt.Fatalf("%+v, want %+v, %v", q, p, err)
			}
		}
	})
}

// TestStreamGivesLongBuffersBack: one long line does not cost its memory for the rest.
func TestStreamGivesLongBuffersBack(t *testing.T) {
	s := Stream(strings.NewReader(strings.Repeat("x", 10*BufferSize) + "\n" + strings.Repeat("short\n", 3*BufferSize)))
	for range 2 * BufferSize {
		if _, err := s.Next(); err != nil {
			t.Fatal(err)
		}
	}
	if len(s.buf) > BufferSize {
		t.Errorf("a buffer of %d bytes", len(s.buf))
	}
}

// TestLateCarriageReturn: a last line that was read without its end is one line, however
// that end comes.
func TestLateCarriageReturn(t *testing.T) {
	text := "{\"a\":1}\r\n{\"b\":2}\r\n"
	for cut := range len(text) + 1 {
		var got []string
		var at Position
		for _, size := range []int{cut, len(text)} {
			out, _, end := all(t, strings.NewReader(text[:size]), at, MaxLine)
			for _, line := range out {
				got = append(got, strings.TrimSpace(line))
			}
			at = end
		}
		if want := []string{`{"a":1}`, `{"b":2}`}; !slices.Equal(got, want) || at.Lines != 2 {
			t.Errorf("cut at %d: %q, %+v", cut, got, at)
		}
	}
}
