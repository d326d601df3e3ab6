package render

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestClean(t *testing.T) {
	for _, tc := range []struct{ name, in, want string }{
		{"plain", "go test ./...\n\tok", "go test ./...\n\tok"},
		{"colour", "a\x1b[31mred\x1b[0m b", "ared b"},
		{"window title", "a\x1b]0;owned\ab", "ab"},
		{"hyperlink", "\x1b]8;;http://evil\x1b\\click\x1b]8;;\x1b\\", "click"},
		{"cursor and clear", "x\x1b[2J\x1b[1;1Hy", "xy"},
		{"8-bit CSI", "a\u009b31mb", "ab"},
		{"8-bit OSC", "a\u009d0;t\u009cb", "ab"},
		{"unterminated OSC ends with its line", "a\x1b]0;t\nb", "a\nb"},
		{"unterminated CSI", "a\x1b[12", "a"},
		{"escape at the end", "a\x1b", "a"},
		{"charset", "a\x1b(0b", "ab"},
		{"escape before text", "a\x1b\nb", "a\nb"},
		{"carriage return ends a line, as the terminal's cursor does", "safe\rrm -rf", "safe\nrm -rf"},
		{"progress bar", "1%\r\r2%\r\r\nok\r", "1%\n2%\nok\n"},
		{"CR LF", "a\r\nb", "a\nb"},
		{"backspace, bell, NUL, DEL", "a\b\a\x00\x7fb", "ab"},
		{"right-to-left override", "gpj\u202e.exe", "gpj.exe"},
		{"zero width, BOM, soft hyphen", "a\u200b\ufeff\u00adb", "ab"},
		{"emoji keep their joiner", "👩\u200d💻", "👩\u200d💻"},
		{"line separator", "a\u2028b", "a\nb"},
		{"invalid UTF-8", "a\xffb", "a\ufffdb"},
		{"two byte CSI as raw byte", "a\x9b31mb", "a\ufffd31mb"},
		{"words", "naïve 世界 ✓", "naïve 世界 ✓"},
	} {
		if got := Clean(tc.in); got != tc.want {
			t.Errorf("%s: Clean(%q) = %q, want %q", tc.name, tc.in, got, tc.want)
		}
	}
}

func FuzzClean(f *testing.F) {
	for _, s := range []string{"", "a\x1b[31mb", "\x1b]0;x\a", "\x1b\x1b[", "\u009b\u009d\x1bP", "\xff\xc2"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := Clean(s)
		if !utf8.ValidString(got) {
			t.Fatalf("%q is not UTF-8", got)
		}
		for _, r := range got {
			if unicode.IsControl(r) && r != '\n' && r != '\t' {
				t.Fatalf("Clean(%q) = %q holds %U", s, got, r)
			}
		}
		if again := Clean(got); again != got {
			t.Fatalf("cleaning twice differs: %q, %q", got, again)
		}
		if line := OneLine(s); strings.ContainsAny(line, "\n\t") {
			t.Fatalf("OneLine(%q) = %q", s, line)
		}
	})
}

func TestFirstLine(t *testing.T) {
	if got := FirstLine("\n  \n\x1b[1m first  line \nsecond"); got != "first line" {
		t.Errorf("got %q", got)
	}
	if got := OneLine(strings.Repeat("x", 100<<10)); len(got) > 9<<10 {
		t.Errorf("a long text gives %d bytes", len(got))
	}
}
