package schema

import (
	"encoding/binary"
	"math/bits"
)

// maxDepth is encoding/json's own limit on nesting.
const maxDepth = 10000

// Valid reports whether b is one valid JSON value, as json.Valid does, at several
// times its speed: payloads are mostly long strings, which are passed over eight
// bytes at a time. A hook validates every payload before it copies raw parts of it
// into a journal line, and a 2 MB payload is not rare.
func Valid(b []byte) bool {
	i := validValue(b, skipSpace(b, 0), maxDepth)
	return i >= 0 && skipSpace(b, i) == len(b)
}

// validValue returns the index after the valid value that starts at b[i], or -1. It
// nests no deeper than depth.
func validValue(b []byte, i, depth int) int {
	var few [64]byte
	stack := few[:0] // the open containers, '{' or '['
	for {
		// A value begins at i.
		if i >= len(b) {
			return -1
		}
		switch b[i] {
		case '{', '[':
			if len(stack) == depth {
				return -1
			}
			open := b[i]
			stack = append(stack, open)
			i = skipSpace(b, i+1)
			if i < len(b) && b[i] == open+2 { // '}' is '{'+2, ']' is '['+2
				break // an empty container: the closing bracket is handled below
			}
			if open == '{' {
				if i = validKey(b, i); i < 0 {
					return -1
				}
			}
			continue
		case '"':
			i = validString(b, i)
		case 't':
			i = validWord(b, i, "true")
		case 'f':
			i = validWord(b, i, "false")
		case 'n':
			i = validWord(b, i, "null")
		default:
			i = validNumber(b, i)
		}
		if i < 0 {
			return -1
		}
		// A value, or an empty container's opening, ends before i.
		for {
			if len(stack) == 0 {
				return i
			}
			i = skipSpace(b, i)
			if i >= len(b) {
				return -1
			}
			top := stack[len(stack)-1]
			if b[i] == top+2 {
				stack = stack[:len(stack)-1]
				i++
				continue
			}
			if b[i] != ',' {
				return -1
			}
			i = skipSpace(b, i+1)
			if top == '{' {
				if i = validKey(b, i); i < 0 {
					return -1
				}
			}
			break
		}
	}
}

// ValidEnd returns the index after the valid JSON value that starts at b[i], or -1 where
// there is none. open is how many objects and arrays the value is in: nesting has a limit.
func ValidEnd(b []byte, i, open int) int { return validValue(b, i, maxDepth-open) }

// validKey passes a member's name and colon and returns where its value begins, or -1.
func validKey(b []byte, i int) int {
	_, i = validName(b, i)
	return i
}

// validName is validKey; end is the index after the name.
func validName(b []byte, i int) (end, value int) {
	if i >= len(b) || b[i] != '"' {
		return -1, -1
	}
	if end = validString(b, i); end < 0 {
		return -1, -1
	}
	i = skipSpace(b, end)
	if i >= len(b) || b[i] != ':' {
		return -1, -1
	}
	return end, skipSpace(b, i+1)
}

// validString returns the index after the string that starts at b[i], or -1.
func validString(b []byte, i int) int {
	for i++; ; {
		if i = special(b, i); i == len(b) {
			return -1
		}
		switch b[i] {
		case '"':
			return i + 1
		case '\\':
			if i = validEscape(b, i+1); i < 0 {
				return -1
			}
		default:
			return -1
		}
	}
}

// special returns the index of the first byte from b[i] on that is a quote, a backslash
// or a control character, len(b) if none is. It looks at eight bytes at once.
func special(b []byte, i int) int {
	for ; i+8 <= len(b); i += 8 {
		w := binary.LittleEndian.Uint64(b[i:])
		if found := (below(w, ' ') | equal(w, '"') | equal(w, '\\')) & tops; found != 0 {
			return i + bits.TrailingZeros64(found)/8
		}
	}
	for ; i < len(b); i++ {
		if c := b[i]; c == '"' || c == '\\' || c < ' ' {
			break
		}
	}
	return i
}

func validEscape(b []byte, i int) int {
	if i >= len(b) {
		return -1
	}
	switch b[i] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 1
	case 'u':
		if i+5 > len(b) {
			return -1
		}
		for _, c := range b[i+1 : i+5] {
			if !(c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F') {
				return -1
			}
		}
		return i + 5
	}
	return -1
}

func validWord(b []byte, i int, word string) int {
	if len(b)-i < len(word) || string(b[i:i+len(word)]) != word {
		return -1
	}
	return i + len(word)
}

func validNumber(b []byte, i int) int {
	if i < len(b) && b[i] == '-' {
		i++
	}
	switch {
	case i >= len(b):
		return -1
	case b[i] == '0':
		i++
	case b[i] >= '1' && b[i] <= '9':
		i, _ = digits(b, i)
	default:
		return -1
	}
	var ok bool
	if i < len(b) && b[i] == '.' {
		if i, ok = digits(b, i+1); !ok {
			return -1
		}
	}
	if i < len(b) && (b[i] == 'e' || b[i] == 'E') {
		i++
		if i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		if i, ok = digits(b, i); !ok {
			return -1
		}
	}
	return i
}

func digits(b []byte, i int) (end int, any bool) {
	start := i
	for i < len(b) && b[i] >= '0' && b[i] <= '9' {
		i++
	}
	return i, i > start
}
