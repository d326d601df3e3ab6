package render

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
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

func TestSnippet(t *testing.T) {
	text := "the \x1b[31mconnection\nwas refused"
	marks := [][2]int{{9, 19}, {24, 31}, {30, 99}, {2, 1}}
	if got, want := (Style{UTF8: true}).Snippet(text, marks), "the «connection» was «refused»"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := (Style{}).Snippet(text, marks[:1]), "the [connection] was refused"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := (Style{Color: true}).Snippet("a b", [][2]int{{2, 3}}), "a \x1b[1;33mb\x1b[0m"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
