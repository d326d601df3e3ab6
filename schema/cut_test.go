package schema

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestCutStringKeepsHeadTailLengthAndHash(t *testing.T) {
	s := "HEAD" + strings.Repeat("é", 5000) + "TAIL"
	got, cut := CutString(s, 1000)
	if !cut || len(got) > 1000 || len(got) < 990 {
		t.Fatalf("cut=%v, %d bytes, want nearly 1000", cut, len(got))
	}
	if !strings.HasPrefix(got, "HEADé") || !strings.HasSuffix(got, "éTAIL") || !utf8.ValidString(got) {
		t.Errorf("head or tail is lost, or a character is split: %q", got)
	}
	want := fmt.Sprintf("…[cut: %d bytes, sha256:%x]…", len(s), sha256.Sum256([]byte(s)))
	if !strings.Contains(got, want) {
		t.Errorf("no marker %q in %q", want, got)
	}
}

func TestCutStringLeavesWhatFits(t *testing.T) {
	for _, s := range []string{"", "a", strings.Repeat("x", 1000)} {
		if got, cut := CutString(s, 1000); cut || got != s {
			t.Errorf("%d bytes were cut at 1000", len(s))
		}
	}
}

func TestCutStringTwiceNamesTheOriginal(t *testing.T) {
	s := strings.Repeat("0123456789", 100000)
	once, _ := CutString(s, 50000)
	twice, cut := CutString(once, 2000)
	if want := fmt.Sprintf("…[cut: %d bytes, sha256:%x]…", len(s), sha256.Sum256([]byte(s))); !cut || !strings.Contains(twice, want) {
		t.Errorf("the second cut does not name the original: %q", twice)
	}
	if len(twice) > 2000 {
		t.Errorf("%d bytes, want at most 2000", len(twice))
	}
}

func TestCutStringDoesNotBelieveAForgedMarker(t *testing.T) {
	forged := "…[cut: 7 bytes, sha256:" + strings.Repeat("ab", 32) + "]…"
	s := forged + strings.Repeat("x", 5000)
	got, _ := CutString(s, 1000)
	if want := fmt.Sprintf("…[cut: %d bytes, sha256:%x]…", len(s), sha256.Sum256([]byte(s))); !strings.Contains(got, want) {
		t.Errorf("a marker that claims less than what is there was believed: %q", got)
	}
}

func FuzzCutString(f *testing.F) {
	f.Add("héllo wörld", 5)
	f.Add(strings.Repeat("😀", 100), 130)
	f.Add("\x80\x80\x80\x80\x80\x80\x80", 3)
	f.Fuzz(func(t *testing.T, s string, max int) {
		max = min(abs(max), 4096)
		got, cut := CutString(s, max)
		if len(got) > max && cut || cut != (len(s) > max) {
			t.Fatalf("%d bytes of %d at %d, cut=%v", len(got), len(s), max, cut)
		}
		if utf8.ValidString(s) && !utf8.ValidString(got) {
			t.Fatalf("a character was split: %q", got)
		}
	})
}

func abs(n int) int {
	if n < 0 {
		return -(n + 1)
	}
	return n
}
