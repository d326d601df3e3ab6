package render

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestTable(t *testing.T) {
	cols := []Column{{Title: "ID"}, {Title: "N", Right: true}, {Title: "TITLE", Give: 5}}
	rows := [][]string{
		{"a", "1", "short"},
		{"b", "1,000", "世界世界世界世界世界 \x1b[31mand more\nof it"},
	}
	for _, tc := range []struct {
		style Style
		want  []string
	}{
		{Style{UTF8: true}, []string{"ID      N  TITLE", "a       1  short", "b   1,000  世界世界世界世界世界 and more of it"}},
		{Style{UTF8: true, Width: 24}, []string{"ID      N  TITLE", "a       1  short", "b   1,000  世界世界世界…"}},
		{Style{Width: 24}, []string{"ID      N  TITLE", "a       1  short", "b   1,000  世界世界世..."}},
		// Narrower than the columns that do not give: whole cells rather than none.
		{Style{UTF8: true, Width: 5}, []string{"ID      N  TITLE", "a       1  short", "b   1,000  世界…"}},
	} {
		var b strings.Builder
		if err := tc.style.Table(&b, cols, rows); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tc.want, strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")); diff != "" {
			t.Errorf("%+v: -want +got:\n%s", tc.style, diff)
		}
		if tc.style.Width >= 24 {
			for line := range strings.Lines(b.String()) {
				if n := width(strings.TrimSuffix(line, "\n")); n > tc.style.Width {
					t.Errorf("%d columns of %d: %q", n, tc.style.Width, line)
				}
			}
		}
	}
}

// A colour must not count as columns, and must end where its cell ends.
func TestTableColor(t *testing.T) {
	var b strings.Builder
	cols := []Column{{Title: "S", Paint: PaintStatus}, {Title: "E", Paint: PaintNumber, Right: true}, {Title: "X"}}
	rows := [][]string{{"failed", "2", "x"}, {"completed", "0", "y"}}
	if err := (Style{Color: true, UTF8: true}).Table(&b, cols, rows); err != nil {
		t.Fatal(err)
	}
	want := "\x1b[1mS        \x1b[0m  \x1b[1mE\x1b[0m  \x1b[1mX\x1b[0m\n" +
		"\x1b[31mfailed   \x1b[0m  \x1b[31m2\x1b[0m  x\n" +
		"\x1b[32mcompleted\x1b[0m  0  y\n"
	if b.String() != want {
		t.Errorf("got %q\nwant %q", b.String(), want)
	}
}

func TestDuration(t *testing.T) {
	for _, tc := range []struct {
		d    time.Duration
		want string
	}{
		{-time.Second, "<1ms"}, {0, "<1ms"}, {999 * time.Microsecond, "<1ms"}, {time.Millisecond, "1ms"},
		{999 * time.Millisecond, "999ms"}, {999600 * time.Microsecond, "1.0s"}, {1234 * time.Millisecond, "1.2s"},
		{59900 * time.Millisecond, "59.9s"}, {59960 * time.Millisecond, "1m00s"}, {64 * time.Second, "1m04s"},
		{time.Hour - 400*time.Millisecond, "1h00m"}, {time.Hour + 61*time.Second, "1h01m"},
		{24*time.Hour - time.Second, "1d0h"}, {76 * time.Hour, "3d4h"},
	} {
		if got := Duration(tc.d); got != tc.want {
			t.Errorf("Duration(%v) = %q, want %q", tc.d, got, tc.want)
		}
	}
}

func TestNumbers(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", -1234567: "-1,234,567"} {
		if got := Count(n); got != want {
			t.Errorf("Count(%d) = %q, want %q", n, got, want)
		}
	}
	for n, want := range map[int64]string{0: "0 B", 999: "999 B", 1000: "1.0 kB", 999_949: "999.9 kB", 999_999: "1.0 MB", 1 << 62: "4.6 EB"} {
		if got := Bytes(n); got != want {
			t.Errorf("Bytes(%d) = %q, want %q", n, got, want)
		}
	}
	if Plural(1, "error") != "1 error" || Plural(2000, "error") != "2,000 errors" {
		t.Error(Plural(1, "error"), Plural(2000, "error"))
	}
	huge := 1e300
	if Millis(nil) != "" || Millis(&huge) != "" {
		t.Error("an absent or absurd duration is shown")
	}
}

func TestRelative(t *testing.T) {
	for _, tc := range []struct{ file, dir, want string }{
		{"/w/repo/a/b.go", "/w/repo", "a/b.go"}, {"/w/repo/a", "/w/repo/", "a"}, {"/w/repo", "/w/repo", "."},
		{"/w/repository/a", "/w/repo", "../repository/a"}, {"/etc/passwd", "/w/repo", "/etc/passwd"},
		{"/etc/passwd", "/", "/etc/passwd"}, {"/etc/passwd", "/w", "/etc/passwd"}, {"a", "", "a"},
		{`C:\w\a.go`, `C:\w`, "a.go"},
	} {
		if got := Relative(tc.file, tc.dir); got != tc.want {
			t.Errorf("Relative(%q, %q) = %q, want %q", tc.file, tc.dir, got, tc.want)
		}
	}
}

func TestTableLeft(t *testing.T) {
	var b strings.Builder
	cols := []Column{{Title: "DIR", Give: 8, Left: true}, {Title: "X"}}
	if err := (Style{UTF8: true, Width: 14}).Table(&b, cols, [][]string{{"/home/dev/work/repo", "x"}, {"/tmp", "y"}}); err != nil {
		t.Fatal(err)
	}
	if want := "DIR          X\n…/work/repo  x\n/tmp         y\n"; b.String() != want {
		t.Errorf("got\n%swant\n%s", b.String(), want)
	}
}

func TestTableDrop(t *testing.T) {
	cols := []Column{{Title: "ID"}, {Title: "EMPTY", Drop: 9}, {Title: "LATER", Drop: 2}, {Title: "FIRST", Drop: 1}, {Title: "TEXT", Give: 6}}
	rows := [][]string{{"a", "", "22", "11", "some text"}, {"b", "", "", "1", "x"}}
	for n, want := range map[int]string{
		80: "ID  LATER  FIRST  TEXT\na   22     11     some text\nb          1      x\n",
		20: "ID  LATER  TEXT\na   22     some text\nb          x\n",
		16: "ID  TEXT\na   some text\nb   x\n",
		4:  "ID  TEXT\na   some …\nb   x\n",
	} {
		var b strings.Builder
		if err := (Style{UTF8: true, Width: n}).Table(&b, cols, rows); err != nil {
			t.Fatal(err)
		}
		if b.String() != want {
			t.Errorf("%d columns: got\n%swant\n%s", n, b.String(), want)
		}
	}
	if cols[1].Title != "EMPTY" {
		t.Error("the caller's columns were changed")
	}
}

func TestSnippet(t *testing.T) {
	text := "the \x1b[31mconnection\nwas refused"
	marks := [][2]int{{9, 19}, {24, 31}, {30, 99}, {2, 1}}
	for _, tc := range []struct {
		style Style
		text  string
		marks [][2]int
		room  int
		want  string
	}{
		{Style{UTF8: true}, text, marks, 0, "the «connection» was «refused»"},
		{Style{}, text, marks[:1], 0, "the [connection] was refused"},
		{Style{Color: true}, "a b", [][2]int{{2, 3}}, 0, "a \x1b[1;33mb\x1b[0m"},
		{Style{UTF8: true}, text, marks, 20, "the «connection» wa…"},
		{Style{UTF8: true}, strings.Repeat("x", 50) + "needle" + strings.Repeat("y", 50), [][2]int{{50, 56}}, 24, "…xxxxxxxx«needle»yyyyyy…"},
		{Style{UTF8: true}, "no marks, and much too long", nil, 10, "no marks,…"},
	} {
		if got := tc.style.Snippet(tc.text, tc.marks, tc.room); got != tc.want {
			t.Errorf("%q in %d: got %q, want %q", tc.text, tc.room, got, tc.want)
		}
	}
}

func TestWrap(t *testing.T) {
	s := Style{Width: 20}
	if got, want := s.Wrap(5, []string{"1 one", "2 two", "3 three", "4 four"}), "1 one, 2 two,\n     3 three, 4 four"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := s.Wrap(5, nil); got != "" {
		t.Errorf("got %q", got)
	}
}

// What is there for copying goes before any text is cut; what is left gets the room.
func TestTableSpare(t *testing.T) {
	cols := []Column{{Title: "TEXT", Give: 4}, {Title: "ID", Spare: true}}
	rows := [][]string{{"some text", "0123456789"}}
	for n, want := range map[int]string{
		21: "TEXT       ID\nsome text  0123456789\n",
		20: "TEXT\nsome text\n",
		6:  "TEXT\nsome …\n",
	} {
		var b strings.Builder
		if err := (Style{UTF8: true, Width: n}).Table(&b, cols, rows); err != nil {
			t.Fatal(err)
		}
		if b.String() != want {
			t.Errorf("%d columns: got\n%swant\n%s", n, b.String(), want)
		}
	}
}

func TestTableWrap(t *testing.T) {
	cols := []Column{{Title: "A"}, {Title: "B", Give: 4, Wrap: true}, {Title: "C"}}
	rows := [][]string{{"a", "one two three", "c"}, {"a", "abcdefghij", "c"}, {"a", "世界世界", ""}}
	var b strings.Builder
	if err := (Style{UTF8: true, Width: 13}).Table(&b, cols, rows); err != nil {
		t.Fatal(err)
	}
	want := "A  B        C\na  one two  c\n   three\na  abcdefg  c\n   hij\na  世界世\n   界\n"
	if b.String() != want {
		t.Errorf("got\n%swant\n%s", b.String(), want)
	}
}

// Columns that nobody allowed to go are printed below one another before they are wider
// than the terminal: nothing is lost, and no line is too long.
func TestTableOrRecords(t *testing.T) {
	cols := []Column{{Title: "ID"}, {Title: "STATUS", Paint: PaintStatus}, {Title: "TEXT", Give: 8}}
	rows := [][]string{{"0123456789", "failed", "some words that wrap"}, {"2", "", "x"}}
	for n, want := range map[int]string{
		28: "ID          STATUS  TEXT\n0123456789  failed  some wo…\n2                   x\n",
		27: "ID      0123456789\nSTATUS  failed\nTEXT    some words that\n        wrap\n\nID      2\nTEXT    x\n",
	} {
		var b strings.Builder
		if err := (Style{UTF8: true, Width: n}).TableOrRecords(&b, cols, rows); err != nil {
			t.Fatal(err)
		}
		if b.String() != want {
			t.Errorf("%d columns: got\n%swant\n%s", n, b.String(), want)
		}
	}
	// Not even a title of its own is wider than the terminal.
	var b strings.Builder
	cols[0].Title = strings.Repeat("count(x) ", 20)
	if err := (Style{UTF8: true, Width: 20}).TableOrRecords(&b, cols, rows); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(b.String()) {
		if n := width(strings.TrimSuffix(line, "\n")); n > 20 {
			t.Errorf("%d columns of 20: %q", n, line)
		}
	}
}

// What is quick of width and Truncate is what runewidth says.
func TestWidths(t *testing.T) {
	signs := []rune("ab …≥é\u0301日\u200d👩\t\x7f")
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOf(rapid.SampledFrom(signs)).Draw(t, "text")
		if got, want := width(text), columns().StringWidth(text); got != want {
			t.Fatalf("width(%q) = %d, want %d", text, got, want)
		}
		n := rapid.IntRange(1, 12).Draw(t, "n")
		for _, s := range []Style{{}, {UTF8: true}} {
			want := text
			if e := s.ellipsis(); width(text) > n {
				if !s.UTF8 {
					e = e[:min(n, len(e))]
				}
				want = columns().Truncate(text, n, e)
			}
			if got := s.Truncate(text, n); got != want {
				t.Fatalf("Truncate(%q, %d) = %q, want %q", text, n, got, want)
			}
		}
	})
}
