package fulltext

import (
	"iter"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// token is a word of a text as FTS5's unicode61 sees it: every store then finds the
// same.
type token struct {
	start, end int // bytes
	folded     string
}

// tokens yields the tokens of s: runs of letters, numbers and private-use
// characters, in lower case and without diacritics.
func tokens(s string) iter.Seq[token] {
	return func(yield func(token) bool) {
		start := -1
		for i, r := range s {
			in := r < utf8.RuneSelf && ('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9') ||
				r >= utf8.RuneSelf && (unicode.In(r, unicode.L, unicode.N, unicode.Co) || start >= 0 && unicode.Is(unicode.Mn, r))
			if in && start < 0 {
				start = i
			}
			if !in && start >= 0 {
				if !yield(token{start, i, fold(s[start:i])}) {
					return
				}
				start = -1
			}
		}
		if start >= 0 {
			yield(token{start, len(s), fold(s[start:])})
		}
	}
}

// fold is lower case without diacritics.
func fold(s string) string {
	s = strings.ToLower(s)
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return strings.Map(func(r rune) rune {
				if unicode.Is(unicode.Mn, r) {
					return -1
				}
				return r
			}, norm.NFD.String(s))
		}
	}
	return s
}

const (
	snippetBytes = 200
	snippetLead  = 60 // before the first mark
)

// Snippet cuts the part of a document that shows why it was found, on one line,
// with the byte ranges of the words that were asked for.
func Snippet(d Document, words []Word) (string, [][2]int) {
	var field string
	var marks [][2]int
	best := -1
	for _, f := range []string{d.Text, d.Content, d.Input, d.ToolName, d.Called} {
		m, distinct := findWords(f, words)
		if distinct > best && f != "" {
			field, marks, best = f, m, distinct
		}
	}
	from := 0
	if len(marks) > 0 && marks[0][0] > snippetLead {
		from = boundary(field, marks[0][0]-snippetLead)
	}
	to := len(field)
	if to-from > snippetBytes {
		to = boundary(field, from+snippetBytes)
	}
	var b strings.Builder
	if from > 0 {
		b.WriteString("…")
	}
	shift := b.Len() - from
	b.WriteString(oneLine(field[from:to]))
	if to < len(field) {
		b.WriteString("…")
	}
	shown := [][2]int{}
	for _, m := range marks {
		if m[1] <= to {
			shown = append(shown, [2]int{m[0] + shift, m[1] + shift})
		}
	}
	return b.String(), shown
}

// findWords returns where the words are in s, in order, and how many of them are
// there.
func findWords(s string, words []Word) (marks [][2]int, distinct int) {
	var toks []token
	for t := range tokens(s) {
		toks = append(toks, t)
	}
	found := make([]bool, len(words))
	for i := 0; i < len(toks); i++ {
		for w, word := range words {
			if word.begins(toks[i:]) {
				last := i + len(word.Tokens) - 1
				marks = append(marks, [2]int{toks[i].start, toks[last].end})
				found[w], i = true, last
				break
			}
		}
	}
	for _, f := range found {
		if f {
			distinct++
		}
	}
	return marks, distinct
}

// begins reports whether toks begin with the word.
func (w Word) begins(toks []token) bool {
	if len(toks) < len(w.Tokens) {
		return false
	}
	for i, want := range w.Tokens {
		if w.Prefix && i == len(w.Tokens)-1 {
			return strings.HasPrefix(toks[i].folded, want)
		}
		if toks[i].folded != want {
			return false
		}
	}
	return true
}

// boundary returns the last place at or before i where s can be cut.
func boundary(s string, i int) int {
	for i > 0 && !utf8.RuneStart(s[i]) {
		i--
	}
	return i
}

// oneLine replaces control characters by spaces, byte for byte: marks are offsets.
func oneLine(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c < ' ' || c == 0x7f {
			b[i] = ' '
		}
	}
	return string(b)
}
