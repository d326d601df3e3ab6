package claude

import (
	"bytes"
	"encoding/json"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/actiongraph/actiongraph/schema"
)

// cursor goes through valid JSON once, into the objects and arrays that the caller
// asks for and over all other values. It is what lets a transcript be read at the
// speed of its disk: every byte of a long text is looked at once more, not once for
// each object that it is in.
type cursor struct {
	b    []byte
	i    int
	key  []byte // of the member that the cursor is at, still escaped
	todo bool   // the value at i has been neither taken nor entered
}

// enter goes into the object or array that the cursor is at.
func (c *cursor) enter() {
	c.todo = false
	c.i = c.space(c.i) + 1
}

// member goes to the value of the next member of the object that was entered; at the
// end of the object it leaves it and returns false.
func (c *cursor) member() bool {
	if !c.element() {
		return false
	}
	end, _ := schema.ValueEnd(c.b[c.i:])
	c.key = c.b[c.i+1 : c.i+end-1]
	c.i = c.space(c.space(c.i+end) + 1) // after the colon
	return true
}

// element goes to the next element of the array that was entered; at the end of the
// array it leaves it and returns false.
func (c *cursor) element() bool {
	if c.todo {
		c.value()
	}
	c.i = c.space(c.i)
	if c.b[c.i] == ',' {
		c.i = c.space(c.i + 1)
	}
	if c.b[c.i] == '}' || c.b[c.i] == ']' {
		c.i++
		return false
	}
	c.todo = true
	return true
}

// value takes the value that the cursor is at.
func (c *cursor) value() json.RawMessage {
	start := c.space(c.i)
	end, _ := schema.ValueEnd(c.b[start:])
	c.i = start + end
	c.todo = false
	return c.b[start:c.i:c.i]
}

// text takes a string; any other value is "".
func (c *cursor) text() string { return unquote(c.value()) }

// textLike is text, and returns was where it is the same.
func (c *cursor) textLike(was string) string {
	raw := c.value()
	if len(raw) == len(was)+2 && string(raw[1:len(raw)-1]) == was && bytes.IndexByte(raw, '\\') < 0 {
		return was
	}
	return unquote(raw)
}

// at returns the first byte of the value that the cursor is at.
func (c *cursor) at() byte { return c.b[c.i] }

func (c *cursor) space(i int) int {
	for i < len(c.b) && (c.b[i] == ' ' || c.b[i] == '\t' || c.b[i] == '\n' || c.b[i] == '\r') {
		i++
	}
	return i
}

// unquote returns the text of a valid JSON string in UTF-8, "" where raw is none. It
// is schema.Unquote at several times the speed, for texts of which most have escapes.
func unquote(raw []byte) string {
	if len(raw) < 2 || raw[0] != '"' {
		return ""
	}
	body := raw[1 : len(raw)-1]
	k := bytes.IndexByte(body, '\\')
	if k < 0 {
		return string(body)
	}
	out := make([]byte, 0, len(body))
	for k >= 0 {
		out = append(out, body[:k]...)
		var n int
		out, n = appendEscape(out, body[k+1:])
		body = body[k+1+n:]
		k = bytes.IndexByte(body, '\\')
	}
	return string(append(out, body...))
}

// appendEscape appends what the escape means that b holds after its backslash, and
// returns its length. Half of a surrogate pair becomes U+FFFD, as in encoding/json.
func appendEscape(out, b []byte) ([]byte, int) {
	switch b[0] {
	case 'n':
		return append(out, '\n'), 1
	case 't':
		return append(out, '\t'), 1
	case 'r':
		return append(out, '\r'), 1
	case 'b':
		return append(out, '\b'), 1
	case 'f':
		return append(out, '\f'), 1
	case 'u':
		r := hex4(b[1:5])
		if !utf16.IsSurrogate(r) {
			return utf8.AppendRune(out, r), 5
		}
		if len(b) >= 11 && b[5] == '\\' && b[6] == 'u' {
			if both := utf16.DecodeRune(r, hex4(b[7:11])); both != utf8.RuneError {
				return utf8.AppendRune(out, both), 11
			}
		}
		return utf8.AppendRune(out, utf8.RuneError), 5
	}
	return append(out, b[0]), 1
}

func hex4(b []byte) rune {
	n, _ := strconv.ParseUint(string(b), 16, 32)
	return rune(n)
}
