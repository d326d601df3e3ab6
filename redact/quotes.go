package redact

import "bytes"

// maxSlashes bounds the backslashes before a quote: JSON in JSON five deep has 31.
const maxSlashes = 40

// skipQuotes skips what closes a name: quotes, the backslashes before them, the
// bracket of config["name"].
func skipQuotes(s []byte, i int) (end int, quoted bool) {
	for n := 0; i < len(s) && n < maxSlashes; n++ {
		switch s[i] {
		case '"', '\'', '`':
			quoted = true
		case '\\':
			if blankAt(s, i) > 0 {
				return i, quoted
			}
		case ']':
		default:
			return i, quoted
		}
		i++
	}
	return i, quoted
}

// skipBlanks skips blanks and tabs, at most 40 bytes.
func skipBlanks(s []byte, i int) int {
	for start := i; i-start < 40; {
		n := blankAt(s, i)
		if n == 0 {
			break
		}
		i += n
	}
	return i
}

// blankAt returns the length of the blank at s[i]: a space, a tab, or a tab as JSON
// writes it, at any depth; else 0.
func blankAt(s []byte, i int) int {
	n := 0
	for i+n < len(s) && s[i+n] == '\\' && n < maxSlashes {
		n++
	}
	if i+n < len(s) && (n == 0 && is(s[i], spaceByte) || n > 0 && s[i+n] == 't') {
		return n + 1
	}
	return 0
}

// openQuote reads the quote that opens a value, with the letters that Python, Rust
// and C# put before it.
func openQuote(s []byte, i int) (start int, quote byte, slashes int) {
	j := i
	for j < len(s) && j-i < 2 && bytes.IndexByte([]byte("brfu@$"), s[j]) >= 0 {
		j++
	}
	if start, quote, slashes = quoteAt(s, j); quote == 0 && j > i {
		return quoteAt(s, i)
	}
	return start, quote, slashes
}

// quoteAt reads a quote and the backslashes before it at s[i], and """ as one.
func quoteAt(s []byte, i int) (start int, quote byte, slashes int) {
	for i+slashes < len(s) && slashes < maxSlashes && s[i+slashes] == '\\' {
		slashes++
	}
	start = i + slashes
	if start >= len(s) || s[start] != '"' && s[start] != '\'' && s[start] != '`' {
		return i, 0, 0
	}
	quote = s[start]
	unit := slashes + 1
	end := start + 1
	for n := 0; n < 2; n++ {
		if end+unit > len(s) || string(s[end:end+unit]) != string(s[i:start+1]) {
			return start + 1, quote, slashes
		}
		end += unit
	}
	return end, quote, slashes
}

// maxBare bounds a value without quotes; what is longer has a rule of its own.
const maxBare = 1024

// valueEnd returns where the value of a ends: at the quote that closes it, or at
// the first byte that no bare value holds.
func (a assignment) valueEnd(s []byte) int {
	i := a.start
	if a.quote == 0 {
		for i < len(s) && i-a.start < maxBare && !endsBare(s[i]) {
			i++
		}
		return i
	}
	slashes := 0
	for ; i < len(s) && i-a.start < window; i++ {
		switch c := s[i]; {
		case c == '\\':
			slashes++
			continue
		case c == a.quote && (slashes <= a.slashes && (a.slashes > 0 || slashes == 0) || a.slashes == 0 && slashes%2 == 0):
			return i - min(slashes, a.slashes)
		case c == '\n' || c == '\r':
			return i
		}
		slashes = 0
	}
	return i
}

func endsBare(c byte) bool {
	switch c {
	case ' ', '\t', '\n', '\r', '"', '\'', '`', '\\', ',', ';', ')', '(', ']', '[', '{', '}', '<', '>', '&', '|':
		return true
	}
	return c < ' '
}
