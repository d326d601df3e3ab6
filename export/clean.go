package export

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
)

// cleaner makes a session's texts fit for a document.
type cleaner struct {
	redactor func(string) string
	escape   *regexp.Regexp // what a terminal acts on
	binary   *regexp.Regexp // long runs of base64, with a data: URL's head
}

func newCleaner(redact func(string) string) *cleaner {
	return &cleaner{
		redactor: redact,
		escape:   regexp.MustCompile("\x1b(?:\\[[0-?]*[ -/]*[@-~]|[\\]PX^_][^\x07\x1b\n]*(?:\x07|\x1b\\\\)?|[ -/]*[0-~])"),
		binary:   regexp.MustCompile(`(?:data:[\w.+/-]{1,80};base64,)?[A-Za-z0-9+/_-]{400,}={0,2}`),
	}
}

func (c *cleaner) redact(s string) string {
	if c.redactor == nil || s == "" {
		return s
	}
	return c.redactor(s)
}

// text is s redacted, without control characters, invisible ones that reorder what is
// read, and binary content.
func (c *cleaner) text(s string) string {
	s = c.redact(s)
	if strings.IndexByte(s, '\x1b') >= 0 {
		s = c.escape.ReplaceAllString(s, "")
	}
	s = strings.Map(readable, strings.ReplaceAll(strings.ToValidUTF8(s, "\ufffd"), "\r\n", "\n"))
	if len(s) >= 400 {
		s = c.binary.ReplaceAllStringFunc(s, leaveOutBinary)
	}
	return strings.TrimRight(strings.Trim(s, "\n"), " \t\n")
}

func readable(r rune) rune {
	switch {
	case r == '\n', r == '\t', r == '\u200d', r == '\u200c': // joiners are part of words and of emoji
		return r
	case r == '\u2028', r == '\u2029':
		return '\n'
	case unicode.Is(unicode.Cc, r), unicode.Is(unicode.Cf, r):
		return -1
	}
	return r
}

// leaveOutBinary names what looks like base64: letters of both cases and digits in one
// long word. A rule or a line of dashes is none.
func leaveOutBinary(s string) string {
	if !strings.HasPrefix(s, "data:") &&
		!(strings.ContainsFunc(s, unicode.IsUpper) && strings.ContainsFunc(s, unicode.IsLower) && strings.ContainsFunc(s, unicode.IsDigit)) {
		return s
	}
	return fmt.Sprintf("[binary content of %s bytes left out]", count(int64(len(s))*3/4))
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

// withoutTags is a runtime's own message without the tags around its parts.
func withoutTags(s string) string {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(s, "<")
		b.WriteString(before)
		if !found {
			return strings.Join(strings.Fields(b.String()), " ")
		}
		tag, after, closed := strings.Cut(rest, ">")
		if name := strings.TrimPrefix(tag, "/"); closed && name != "" && !strings.ContainsAny(name, " <\"\n") {
			b.WriteByte(' ')
			s = after
			continue
		}
		b.WriteByte('<')
		s = rest
	}
}
