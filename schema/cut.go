package schema

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"unicode/utf8"
)

const (
	cutOpen  = "…[cut: "
	cutClose = "]…"
)

// CutString keeps at most max bytes of s: a head and a tail, whole characters
// only, and between them a marker with the length and SHA-256 of what was cut:
//
//	…[cut: 2000714 bytes, sha256:9f86…]…
//
// It reports whether it cut. A string that was cut before keeps what its first
// marker says: a store that keeps less than the journal must not name the
// journal's remainder as the original.
func CutString(s string, max int) (string, bool) {
	if len(s) <= max {
		return s, false
	}
	mark := cutMarker(s)
	room := max - len(mark)
	if room <= 0 {
		return headOf(mark, max), true
	}
	head := headOf(s, room-room/2)
	tail := tailOf(s, room/2)
	return head + mark + tail, true
}

// CutHead keeps the first n bytes of s, which end with a whole character, and behind them
// the marker that CutString puts in the middle.
func CutHead(s string, n int) string { return headOf(s, n) + cutMarker(s) }

func cutMarker(s string) string {
	for rest := s; ; {
		i := strings.Index(rest, cutOpen)
		if i < 0 {
			break
		}
		rest = rest[i:]
		var length int
		var sum string
		if n, _ := fmt.Sscanf(rest, cutOpen+"%d bytes, sha256:%64x", &length, &sum); n == 2 && length > len(s) && len(sum) == sha256.Size {
			if mark := formatCut(length, sum); strings.HasPrefix(rest, mark) {
				return mark
			}
		}
		rest = rest[len(cutOpen):]
	}
	h, buf := sha256.New(), make([]byte, 64<<10) // a copy of s would be as long as s
	for rest := s; len(rest) > 0; {
		n := copy(buf, rest)
		h.Write(buf[:n])
		rest = rest[n:]
	}
	return formatCut(len(s), string(h.Sum(nil)))
}

func formatCut(length int, sum string) string {
	return fmt.Sprintf("%s%d bytes, sha256:%x%s", cutOpen, length, sum, cutClose)
}

// headOf returns the longest prefix of s of at most n bytes that ends with a whole
// character.
func headOf(s string, n int) string {
	n = min(max(n, 0), len(s))
	for i := n; i > n-utf8.UTFMax && i >= 0; i-- {
		if i == len(s) || utf8.RuneStart(s[i]) {
			return s[:i]
		}
	}
	return s[:n] // no UTF-8 anyway
}

// tailOf is headOf from the other end.
func tailOf(s string, n int) string {
	start := len(s) - min(max(n, 0), len(s))
	for i := start; i < start+utf8.UTFMax && i < len(s); i++ {
		if utf8.RuneStart(s[i]) {
			return s[i:]
		}
	}
	return s[start:]
}
