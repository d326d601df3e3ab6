package graph

import (
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"
)

// TestGist holds the caption against what it is said to be, word by word.
func TestGist(t *testing.T) {
	plain := func(s string, max int) string {
		s = strings.TrimSpace(s)
		if len(s) > 16*max {
			s = s[:16*max]
		}
		words := strings.Fields(s)
		for i := range words {
			words[i] = strings.ToValidUTF8(words[i], "")
		}
		words = strings.Fields(strings.Join(words, " "))
		r := []rune(strings.Join(words, " "))
		if len(r) > max {
			return string(r[:max-1]) + "…"
		}
		return string(r)
	}
	pieces := []string{"a", "word", " ", "  ", "\n", "\t", "é", "日本", "\u2003", "\u0301", "\xff", "\uFFFD", "🙂", "…", strings.Repeat("x", 30), strings.Repeat(" ", 200), strings.Repeat("語", 60)}
	r := rand.New(rand.NewPCG(1, 2))
	for range 50_000 {
		var b strings.Builder
		for range r.IntN(40) {
			b.WriteString(pieces[r.IntN(len(pieces))])
		}
		max := 1 + r.IntN(90)
		want, got := plain(b.String(), max), gistOf(b.String(), max)
		if want != got || utf8.RuneCountInString(got) > max {
			t.Fatalf("gistOf(%q, %d) = %q, want %q", b.String(), max, got, want)
		}
	}
}
