package render

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Clean returns s without anything that a terminal would act on: whole escape
// sequences (not only their first byte, which would leave "[31m" in the text),
// other control characters, and invisible format characters, which can reorder
// what is read. Newlines and tabs stay, as does the joiner of emoji. A line ends with LF,
// CR LF or CR: what a progress bar wrote over itself is lines.
func Clean(s string) string {
	if isPlain(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == '\x1b':
			i += escapeLen(s[i:])
			continue
		case r == 0x9b: // CSI as one C1 character
			i += n + csiLen(s[i+n:])
			continue
		case r == 0x90 || r == 0x98 || r == 0x9d || r == 0x9e || r == 0x9f: // DCS, SOS, OSC, PM, APC
			i += n + stringLen(s[i+n:])
			continue
		case r == '\r':
			n = len(s[i:]) - len(strings.TrimLeft(s[i:], "\r"))
			if !strings.HasPrefix(s[i+n:], "\n") {
				b.WriteByte('\n')
			}
		case r == '\u2028' || r == '\u2029':
			b.WriteByte('\n')
		case r == '\n' || r == '\t':
			b.WriteRune(r)
		case r == '\u200d' || r == '\u200c':
			b.WriteRune(r)
		case unicode.Is(unicode.Cc, r) || unicode.Is(unicode.Cf, r):
		default:
			b.WriteRune(r) // an invalid byte is U+FFFD here
		}
		i += n
	}
	return b.String()
}

func isPlain(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' && c != '\n' && c != '\t' || c >= 0x7f {
			return false
		}
	}
	return true
}

// escapeLen returns the length of the escape sequence that s starts with.
func escapeLen(s string) int {
	if len(s) < 2 {
		return len(s)
	}
	switch c := s[1]; {
	case c == '[':
		return 2 + csiLen(s[2:])
	case c == ']' || c == 'P' || c == 'X' || c == '^' || c == '_':
		return 2 + stringLen(s[2:])
	case c >= 0x20 && c <= 0x2f: // ESC, intermediates, one final
		for i := 2; i < len(s); i++ {
			if s[i] < 0x20 || s[i] > 0x2f {
				return i + min(1, len(s)-i)
			}
		}
		return len(s)
	case c >= 0x30 && c <= 0x7e:
		return 2
	}
	return 1
}

// csiLen returns the length of what follows a CSI: parameters, intermediates and
// the final byte. A sequence that never ends is cut where its bytes stop fitting.
func csiLen(s string) int {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c >= 0x40 && c <= 0x7e:
			return i + 1
		case c < 0x20 || c > 0x3f:
			return i
		}
	}
	return len(s)
}

// stringLen returns the length of the body and terminator of an OSC, DCS, …
// string. An unterminated one ends with its line: what follows is text again.
func stringLen(s string) int {
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\a':
			return i + 1
		case s[i] == '\x1b':
			if i+1 < len(s) && s[i+1] == '\\' {
				return i + 2
			}
			return i
		case strings.HasPrefix(s[i:], "\u009c"):
			return i + len("\u009c")
		case s[i] == '\n':
			return i
		}
	}
	return len(s)
}

// OneLine returns s cleaned, with every run of white space as one blank.
func OneLine(s string) string {
	// A megabyte of tool output would be cleaned for the eighty columns that are
	// shown of it.
	const enough = 8 << 10
	if len(s) > enough {
		s = strings.ToValidUTF8(s[:enough], "") + "…"
	}
	return strings.Join(strings.Fields(Clean(s)), " ")
}

// FirstLine returns the first line of s that is not blank, as OneLine does.
func FirstLine(s string) string {
	for line := range strings.Lines(s) {
		for part := range strings.SplitSeq(line, "\r") {
			if l := OneLine(part); l != "" {
				return l
			}
		}
	}
	return ""
}
