package render

import (
	"fmt"
	"strings"
	"time"
)

// Width is the columns that clean text takes.
func Width(text string) int { return width(text) }

// Dim, Bad, Good and Strong colour clean text that is beside the point, that is about an error
// or gone, that is new, and that names what follows.
func (s Style) Dim(text string) string    { return s.paint(dim, text) }
func (s Style) Bad(text string) string    { return s.paint(red, text) }
func (s Style) Good(text string) string   { return s.paint(green, text) }
func (s Style) Strong(text string) string { return s.paint(bold, text) }

// Chosen is a line, painted or not, as the one that the next key is about, as wide as there
// is room. Without colours its beginning has to say so.
func (s Style) Chosen(line string) string {
	text := Clean(line)
	if !s.Color {
		return text
	}
	return "\x1b[7m" + pad(text, width(text), s.Width, false) + "\x1b[0m"
}

// Ends is a line with text on its left, cut where it has to be, and right at its right end.
// Both are clean; color is what the left is painted in. Where there is no room for both,
// right goes.
func (s Style) Ends(left, right string, paint func(string) string) string {
	room := s.Width
	if room > 0 && right != "" && width(right)+8 <= room {
		room -= width(right) + 1
	} else if room > 0 {
		right = ""
	}
	if room > 0 {
		left = s.Truncate(left, room)
	}
	if right == "" {
		return paint(left)
	}
	if room == 0 {
		return paint(left) + "  " + right
	}
	return paint(left) + strings.Repeat(" ", room-width(left)+1) + s.Dim(right)
}

// Seconds is a duration that goes on, in whole seconds: it is written again every second.
func Seconds(d time.Duration) string {
	if d = max(d, 0); d < time.Minute {
		return fmt.Sprintf("%ds", int(d.Seconds()))
	}
	return Duration(d)
}

// Short is a number in few characters: 812, 12.3k, 4.5M.
func Short(n int64) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	f, units := float64(n)/1000, "kMGTPE"
	for f >= 999.95 && len(units) > 1 {
		f, units = f/1000, units[1:]
	}
	return fmt.Sprintf("%.1f%c", f, units[0])
}
