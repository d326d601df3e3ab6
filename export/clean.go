package export

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"github.com/actiongraph/actiongraph/internal/render"
)

// cleaner makes a session's texts fit for a document.
type cleaner struct {
	redactor func(string) string
	data     *regexp.Regexp // the head of a data: URL
}

func newCleaner(redact func(string) string) *cleaner {
	return &cleaner{redactor: redact, data: regexp.MustCompile(`data:[\w.+/-]{1,80};base64,$`)}
}

func (c *cleaner) redact(s string) string {
	if c.redactor == nil || s == "" {
		return s
	}
	return c.redactor(s)
}

// text is s without control characters, invisible ones that reorder what is read, and
// binary content, and redacted after that: a secret may have had such a character in it.
func (c *cleaner) text(s string) string {
	s = c.withoutBinary(c.redact(render.Clean(s)))
	return strings.TrimRight(strings.Trim(s, "\n"), " \t\n")
}

// mostWord is the length from which a word is binary content if it looks like base64.
const mostWord = 400

// withoutBinary names what looks like base64 instead of having it: letters of both cases
// and digits in one long word, perhaps a data: URL's. A rule or a line of dashes is none.
func (c *cleaner) withoutBinary(s string) string {
	if len(s) < mostWord {
		return s
	}
	var b strings.Builder
	done := 0
	for i := 0; i < len(s); {
		start := i
		for i < len(s) && isBase64(s[i]) {
			i++
		}
		if word := s[start:i]; len(word) >= mostWord && strings.ContainsFunc(word, unicode.IsUpper) &&
			strings.ContainsFunc(word, unicode.IsLower) && strings.ContainsFunc(word, unicode.IsDigit) {
			i += len(s[i:]) - len(strings.TrimLeft(s[i:], "="))
			head := c.data.FindString(s[max(done, start-120):start])
			b.WriteString(s[done : start-len(head)])
			fmt.Fprintf(&b, "[binary content of %s bytes left out]", render.Count(int64(len(word))*3/4))
			done = i
			continue
		}
		i++
	}
	return b.String() + s[done:]
}

func isBase64(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '+' || c == '/' || c == '-' || c == '_'
}

// line is the first line of s that is not blank, of at most n characters.
func (c *cleaner) line(s string, n int) string {
	for l := range strings.Lines(c.text(s)) {
		if l = strings.Join(strings.Fields(l), " "); l != "" {
			if r := []rune(l); len(r) > n {
				return string(r[:n-1]) + "…"
			}
			return l
		}
	}
	return ""
}
