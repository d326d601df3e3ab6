package redact

import "math"

// Classes of bytes, by table: these tests run for every literal found.
const (
	wordByte  = 1 << iota // [A-Za-z0-9_]
	tokenByte             // what credentials are made of, and no JSON escape touches
	digitByte
	hexByte
	spaceByte // blank and tab
)

var classes = func() (t [256]uint8) {
	for c := range t {
		switch {
		case c >= '0' && c <= '9':
			t[c] = wordByte | tokenByte | digitByte | hexByte
		case c >= 'a' && c <= 'f', c >= 'A' && c <= 'F':
			t[c] = wordByte | tokenByte | hexByte
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '_':
			t[c] = wordByte | tokenByte
		case c == '-', c == '.', c == '/', c == '+', c == '=', c == '~', c == '%', c == ':', c == '|', c == '@', c == '!':
			t[c] = tokenByte
		case c == ' ', c == '\t':
			t[c] = spaceByte
		}
	}
	return t
}()

func is(c byte, class uint8) bool { return classes[c]&class != 0 }

// boundary reports whether a word can begin at s[pos]. A hyphen within a word and a
// plus before it belong to base64.
func boundary(s []byte, pos int) bool {
	switch {
	case pos == 0 || escapeEnds(s, pos):
		return true
	case s[pos-1] == '+':
		return false
	case s[pos-1] == '-':
		return pos == 1 || !is(s[pos-2], wordByte) || escapeEnds(s, pos-1)
	}
	return !is(s[pos-1], wordByte)
}

// escapeEnds reports whether the byte before s[pos] is the end of an escape (\n,
// \u001e, %3D) or of a terminal's colour (ESC [ 3 1 m), not of a word.
func escapeEnds(s []byte, pos int) bool {
	if pos < 2 {
		return false
	}
	if pos >= 6 && s[pos-6] == '\\' && s[pos-5] == 'u' && runOf(s, pos-4, 4, hexByte) == 4 {
		return true
	}
	switch s[pos-1] {
	case 'n', 't', 'r', 'b', 'f':
		return s[pos-2] == '\\'
	case 'm':
		i := pos - 2
		for i >= 0 && (is(s[i], digitByte) || s[i] == ';') && pos-i < 12 {
			i--
		}
		return i >= 0 && s[i] == '['
	case '2', '3', '7', '0', 'A', 'D':
		return pos > 2 && s[pos-3] == '%' && is(s[pos-2], hexByte)
	}
	return false
}

// runOf counts the bytes of a class from s[pos] on, at most max.
func runOf(s []byte, pos, max int, class uint8) int {
	n := 0
	for pos+n < len(s) && n < max && is(s[pos+n], class) {
		n++
	}
	return n
}

// entropy returns the Shannon entropy of s in bits a byte.
func entropy(s []byte) float64 {
	if len(s) == 0 {
		return 0
	}
	var counts [256]int
	for _, c := range s {
		counts[c]++
	}
	e := 0.0
	for _, n := range counts {
		if n > 0 {
			p := float64(n) / float64(len(s))
			e -= p * math.Log2(p)
		}
	}
	return e
}
