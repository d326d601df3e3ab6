package render

import (
	"strings"
	"unicode/utf8"

	"github.com/mattn/go-runewidth"
)

// Style says what the place that text goes to can show. Its zero value is plain:
// ASCII marks, no colour, lines of any length.
type Style struct {
	Width int // columns; 0 is no limit
	Color bool
	UTF8  bool
}

// width is the columns that s takes. Ambiguous characters count as one whatever the
// locale says, so that output does not depend on it.
func width(s string) int {
	n := 0
	for i := 0; i < len(s); n++ { // as nearly every string is, but for our own signs
		switch c := s[i]; {
		case c >= ' ' && c < 0x7f:
			i++
		case strings.HasPrefix(s[i:], "…"), strings.HasPrefix(s[i:], "≥"):
			i += len("…")
		default:
			return columns().StringWidth(s)
		}
	}
	return n
}

// isOther reports whether r may take more or less than one column.
func isOther(r rune) bool { return r < ' ' || r >= 0x7f }

func columns() *runewidth.Condition { return &runewidth.Condition{StrictEmojiNeutral: true} }

// Fits reports whether a line, painted or not, is not wider than there is room.
func (s Style) Fits(line string) bool { return s.Width == 0 || width(Clean(line)) <= s.Width }

func (s Style) ellipsis() string {
	if s.UTF8 {
		return "…"
	}
	return "..."
}

// Truncate cuts text to at most n columns, the last of them an ellipsis.
func (s Style) Truncate(text string, n int) string {
	if n <= 0 {
		return ""
	}
	if width(text) <= n {
		return text
	}
	e := s.ellipsis()
	if n < len(e) && !s.UTF8 {
		e = e[:n]
	}
	if len(text) > n && width(e) <= n && !strings.ContainsFunc(text[:n+1], isOther) {
		return text[:n-width(e)] + e
	}
	return columns().Truncate(text, n, e)
}

// beginning is the most of the beginning of text that takes no more than n columns. It
// looks at what it needs: lines are broken of texts of any length.
func beginning(text string, n int) string {
	if len(text) > n && !strings.ContainsFunc(text[:n+1], isOther) {
		return text[:n]
	}
	for size := 4*n + 64; size < len(text); size *= 2 {
		window := text[:size]
		if head := columns().Truncate(window, n, ""); len(head)+utf8.UTFMax < size {
			return head
		}
	}
	return columns().Truncate(text, n, "")
}

// The colours: the eight that every terminal has, in its own palette.
const (
	bold   = "1"
	dim    = "2"
	red    = "31"
	green  = "32"
	yellow = "33"
	cyan   = "36"
)

// paint wraps text, which must be clean, in a colour.
func (s Style) paint(color, text string) string {
	if !s.Color || color == "" || text == "" {
		return text
	}
	return "\x1b[" + color + "m" + text + "\x1b[0m"
}

// pick returns the mark for what can be shown.
func (s Style) pick(utf8, ascii string) string {
	if s.UTF8 {
		return utf8
	}
	return ascii
}

// Mark is one sign for a status, in its colour.
func (s Style) Mark(status string) string { return s.paint(statusColor(status), s.sign(status)) }

func (s Style) sign(status string) string {
	switch status {
	case "completed":
		return s.pick("✓", "+")
	case "failed":
		return s.pick("✗", "x")
	case "denied", "blocked":
		return s.pick("⊘", "!")
	case "interrupted":
		return s.pick("■", "#")
	case "in_progress", "active", "pending":
		return s.pick("●", ">")
	case "abandoned":
		return s.pick("◌", "~")
	}
	return "?"
}

func statusColor(status string) string {
	switch status {
	case "completed":
		return green
	case "failed":
		return red
	case "denied", "blocked", "interrupted":
		return yellow
	case "in_progress", "active", "pending":
		return cyan
	}
	return dim
}

// Status is a status as a word with its mark.
func (s Style) Status(status string) string {
	status = OneLine(status)
	if status == "" {
		return ""
	}
	return s.paint(statusColor(status), s.sign(status)+" "+strings.ReplaceAll(status, "_", " "))
}

// pad fills text, which takes w columns, up to n; to the left if right is set.
func pad(text string, w, n int, right bool) string {
	if w >= n {
		return text
	}
	if right {
		return strings.Repeat(" ", n-w) + text
	}
	return text + strings.Repeat(" ", n-w)
}
