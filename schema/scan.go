package schema

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"math/bits"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// ErrInvalid is wrapped by every error that says an event or payload is not what
// the protocol asks for.
var ErrInvalid = errors.New("invalid event")

// Fields yields the members of one JSON object in their order: each key
// unescaped, each value as its raw bytes, which alias obj. It does not validate
// what is inside a value; callers that do not trust obj call json.Valid first.
// It stops at the first byte that cannot be part of an object.
//
// It exists because one top-level pass over raw bytes is what both the hook (the
// agent waits for it) and the fold (the cost of every event) need; encoding/json
// decodes each value and copies it. A fuzz test holds it against encoding/json.
func Fields(obj []byte) iter.Seq2[string, json.RawMessage] {
	return func(yield func(string, json.RawMessage) bool) {
		for name, value, i := firstField(obj); i >= 0; name, value, i = nextField(obj, i) {
			if !yield(nameOf(name), value) {
				return
			}
		}
	}
}

// firstField returns the raw name and value of an object's first member and the index
// after it, which is negative where there is none.
func firstField(obj []byte) (name, value []byte, i int) {
	if i = skipSpace(obj, 0); i >= len(obj) || obj[i] != '{' {
		return nil, nil, -1
	}
	return fieldAt(obj, skipSpace(obj, i+1))
}

// nextField is firstField for the member behind the one that ends at obj[i].
func nextField(obj []byte, i int) (name, value []byte, end int) {
	if i = skipSpace(obj, i); i >= len(obj) || obj[i] != ',' {
		return nil, nil, -1
	}
	return fieldAt(obj, skipSpace(obj, i+1))
}

func fieldAt(obj []byte, i int) (name, value []byte, end int) {
	if i >= len(obj) || obj[i] != '"' {
		return nil, nil, -1
	}
	if end = skipString(obj, i); end < 0 {
		return nil, nil, -1
	}
	name = obj[i:end]
	if i = skipSpace(obj, end); i >= len(obj) || obj[i] != ':' {
		return nil, nil, -1
	}
	i = skipSpace(obj, i+1)
	if end = skipValue(obj, i); end < 0 {
		return nil, nil, -1
	}
	return name, obj[i:end:end], end
}

// Elements yields the raw elements of one JSON array, under the terms of Fields.
func Elements(arr []byte) iter.Seq[json.RawMessage] {
	return func(yield func(json.RawMessage) bool) {
		i := skipSpace(arr, 0)
		if i >= len(arr) || arr[i] != '[' {
			return
		}
		i = skipSpace(arr, i+1)
		for i < len(arr) && arr[i] != ']' {
			end := skipValue(arr, i)
			if end < 0 || !yield(arr[i:end:end]) {
				return
			}
			i = skipSpace(arr, end)
			if i >= len(arr) || arr[i] != ',' {
				return
			}
			i = skipSpace(arr, i+1)
		}
	}
}

// Field returns the raw value of one member of obj, or nil.
func Field(obj []byte, name string) json.RawMessage {
	for raw, value, i := firstField(obj); i >= 0; raw, value, i = nextField(obj, i) {
		if body, ok := plain(raw); ok && string(body) == name || !ok && Unquote(raw) == name {
			return value
		}
	}
	return nil
}

// plain returns the text of a raw string as bytes, and whether that is what is between
// its quotes: ASCII without escapes, as nearly all names and ids are.
func plain(raw []byte) (body []byte, ok bool) {
	body = raw[1 : len(raw)-1]
	i := 0
	for ; i+8 <= len(body); i += 8 {
		w := binary.LittleEndian.Uint64(body[i:])
		if (w|equal(w, '\\'))&tops != 0 {
			return nil, false
		}
	}
	for ; i < len(body); i++ {
		if c := body[i]; c == '\\' || c >= utf8.RuneSelf {
			return nil, false
		}
	}
	return body, true
}

// FieldString returns the string value of one member of obj, or "" where it is
// absent or no string.
func FieldString(obj []byte, name string) string {
	return Unquote(Field(obj, name))
}

// Unquote returns the text of a raw JSON string, or "" where raw is no string.
// Bytes that are not UTF-8 become U+FFFD, as in encoding/json.
func Unquote(raw []byte) string {
	if len(raw) < 2 || raw[0] != '"' || raw[len(raw)-1] != '"' {
		return ""
	}
	body := raw[1 : len(raw)-1]
	if utf8.Valid(body) {
		if bytes.IndexByte(body, '\\') < 0 {
			return string(body)
		}
		if text, ok := unescape(body); ok {
			return text
		}
	}
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

// unescape returns the text of what is between the quotes of a JSON string, in UTF-8, at
// several times the speed of encoding/json: most texts of an agent have escapes. What is
// no such string is left to that, which says what it is.
func unescape(body []byte) (text string, ok bool) {
	var out strings.Builder
	out.Grow(len(body))
	for i := 0; ; {
		k := special(body, i)
		out.Write(body[i:k])
		if k == len(body) {
			return out.String(), true
		}
		if body[k] != '\\' {
			return "", false
		}
		n := writeEscape(&out, body[k+1:])
		if n == 0 {
			return "", false
		}
		i = k + 1 + n
	}
}

// writeEscape writes what the escape means that b holds after its backslash, and
// returns its length, 0 if it is none. Half of a surrogate pair becomes U+FFFD, as in
// encoding/json.
func writeEscape(out *strings.Builder, b []byte) int {
	if len(b) == 0 {
		return 0
	}
	switch c := b[0]; c {
	case 'n':
		out.WriteByte('\n')
	case 't':
		out.WriteByte('\t')
	case 'r':
		out.WriteByte('\r')
	case 'b':
		out.WriteByte('\b')
	case 'f':
		out.WriteByte('\f')
	case '"', '\\', '/':
		out.WriteByte(c)
	case 'u':
		r, n := escapedRune(b)
		if n > 0 {
			out.WriteRune(r)
		}
		return n
	default:
		return 0
	}
	return 1
}

// escapedRune reads uXXXX, or the two of a surrogate pair.
func escapedRune(b []byte) (r rune, n int) {
	r, ok := hex4(b[1:])
	if !ok {
		return 0, 0
	}
	if !utf16.IsSurrogate(r) {
		return r, 5
	}
	if len(b) >= 11 && b[5] == '\\' && b[6] == 'u' {
		if low, ok := hex4(b[7:]); ok {
			if both := utf16.DecodeRune(r, low); both != utf8.RuneError {
				return both, 11
			}
		}
	}
	return utf8.RuneError, 5
}

func hex4(b []byte) (rune, bool) {
	if len(b) < 4 {
		return 0, false
	}
	var r rune
	for _, c := range b[:4] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

func skipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\t' || b[i] == '\n' || b[i] == '\r') {
		i++
	}
	return i
}

// skipString returns the index after the string that starts at b[i], or -1.
func skipString(b []byte, i int) int {
	// Most are names and ids, shorter than what it takes to call IndexByte.
	i++
	for near := i + 40; i < near && i+8 <= len(b); {
		w := binary.LittleEndian.Uint64(b[i:])
		found := (equal(w, '"') | equal(w, '\\')) & tops
		if found == 0 {
			i += 8
			continue
		}
		if i += bits.TrailingZeros64(found) / 8; b[i] == '"' {
			return i + 1
		}
		i += 2
	}
	for i < len(b) {
		q := bytes.IndexByte(b[i:], '"')
		if q < 0 {
			return -1
		}
		end := i + q
		slashes := 0
		for j := end - 1; j >= i && b[j] == '\\'; j-- {
			slashes++
		}
		i = end + 1
		if slashes%2 == 0 {
			return i
		}
	}
	return -1
}

// skipValue returns the index after the value that starts at b[i], or -1.
func skipValue(b []byte, i int) int {
	if i >= len(b) {
		return -1
	}
	switch b[i] {
	case '"':
		return skipString(b, i)
	case '{', '[':
		depth := 0
		for i < len(b) {
			switch b[i] {
			case '"':
				if i = skipString(b, i); i < 0 {
					return -1
				}
				continue
			case '{', '[':
				depth++
			case '}', ']':
				if depth--; depth == 0 {
					return i + 1
				}
			}
			i++
		}
		return -1
	case '}', ']', ',', ':':
		return -1
	}
	start := i
	for i < len(b) {
		switch b[i] {
		case ',', '}', ']', ' ', '\t', '\n', '\r', ':', '"', '{', '[':
			if i == start {
				return -1
			}
			return i
		}
		i++
	}
	return i
}

// ValueEnd returns the index after the first JSON value of b, and whether the
// value is complete. It lets a reader of a stream stop at the end of one value
// instead of waiting for an end of file that some runtimes never send.
func ValueEnd(b []byte) (end int, complete bool) {
	i := skipSpace(b, 0)
	if i >= len(b) {
		return 0, false
	}
	end = skipValue(b, i)
	if end < 0 {
		return 0, false
	}
	// A number or word that runs to the end of b may go on in the next read.
	if c := b[i]; c != '"' && c != '{' && c != '[' && end == len(b) {
		return 0, false
	}
	return end, true
}

// FieldError says what is wrong with one field of an event. It is an ErrInvalid.
type FieldError struct{ Field, Problem string }

func (e *FieldError) Error() string { return ErrInvalid.Error() + ": " + e.Field + ": " + e.Problem }

// Unwrap returns ErrInvalid.
func (e *FieldError) Unwrap() error { return ErrInvalid }

func fieldf(field, format string, args ...any) error {
	return &FieldError{Field: field, Problem: fmt.Sprintf(format, args...)}
}

func invalidf(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrInvalid, fmt.Sprintf(format, args...))
}
