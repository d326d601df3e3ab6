package jsonl

import (
	"bytes"
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/actiongraph/actiongraph/schema"
)

// The canonical JSON of grains, which is hashed and so must never change: what Python's
// json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False) writes, but
// for whole numbers. testdata/grainhash.py holds it against Python.

// canonicalDepth is twice the depth that OMS §4.10 advises.
const canonicalDepth = 64

// appendCanonical appends a valid JSON value in its canonical form: without blanks, the
// members of objects sorted by the bytes of their names (which is the order of their code
// points, as Python's), strings by appendText, numbers by appendNumber. What is nested
// deeper than canonicalDepth is taken as it is written: each level looks at all that is in
// it.
func appendCanonical(dst, raw []byte, depth int) []byte {
	if depth == canonicalDepth {
		return append(dst, raw...)
	}
	switch raw[0] {
	case '{':
		dst = append(dst, '{')
		var few [8]canonicalMember
		for _, m := range membersOf(few[:0], raw) {
			dst = appendCanonical(appendKey(dst, m.name), m.raw, depth+1)
		}
		return append(dst, '}')
	case '[':
		dst = append(dst, '[')
		for e := range schema.Elements(raw) {
			if dst[len(dst)-1] != '[' {
				dst = append(dst, ',')
			}
			dst = appendCanonical(dst, e, depth+1)
		}
		return append(dst, ']')
	case '"':
		if bytes.IndexByte(raw, '\\') < 0 && utf8.Valid(raw) {
			return append(dst, raw...)
		}
		return appendText(dst, schema.Unquote(raw))
	case 't', 'f', 'n':
		return append(dst, raw...)
	}
	return appendNumber(dst, raw)
}

func appendKey(dst []byte, name string) []byte {
	if dst[len(dst)-1] != '{' {
		dst = append(dst, ',')
	}
	return append(appendText(dst, name), ':')
}

type canonicalMember struct {
	name string
	raw  []byte
}

// saysNothing reports whether a member of a grain is as one that is not there: null
// (OMS §4.5), an empty text or list.
func (m canonicalMember) saysNothing() bool {
	switch m.raw[0] {
	case 'n':
		return true
	case '"':
		return len(m.raw) == 2
	case '[':
		for range schema.Elements(m.raw) {
			return false
		}
		return true
	}
	return false
}

// membersOf appends the members of a valid object, sorted by name; of those of one name
// the last counts.
func membersOf(dst []canonicalMember, raw []byte) []canonicalMember {
	for name, m := range schema.Fields(raw) {
		dst = append(dst, canonicalMember{name, m})
	}
	slices.SortStableFunc(dst, func(a, b canonicalMember) int { return cmp.Compare(a.name, b.name) })
	last := 0
	for i, m := range dst {
		if i > 0 && m.name != dst[last].name {
			last++
		}
		dst[last] = m
	}
	return dst[:min(last+1, len(dst))]
}

// appendText appends a JSON string: schema.AppendString, with Python's two escapes more.
func appendText(dst []byte, s string) []byte {
	if strings.IndexByte(s, '\b') < 0 && strings.IndexByte(s, '\f') < 0 {
		return schema.AppendString(dst, s)
	}
	dst = append(dst, '"')
	for {
		i := strings.IndexAny(s, "\b\f")
		if i < 0 {
			return append(appendInner(dst, s), '"')
		}
		dst = appendInner(dst, s[:i])
		if s[i] == '\b' {
			dst = append(dst, `\b`...)
		} else {
			dst = append(dst, `\f`...)
		}
		s = s[i+1:]
	}
}

// appendInner is schema.AppendString without its quotes.
func appendInner(dst []byte, s string) []byte {
	at := len(dst)
	dst = schema.AppendString(dst, s)
	return append(dst[:at], dst[at+1:len(dst)-1]...)
}

// appendNumber appends a number that is written without fraction and exponent as it is,
// however long; -0 is 0. Any other is a float64, as in Python, but for one that is too
// great to be one, which stays as it is written.
func appendNumber(dst, raw []byte) []byte {
	if !bytes.ContainsAny(raw, ".eE") {
		if string(raw) == "-0" {
			raw = raw[1:]
		}
		return append(dst, raw...)
	}
	f, err := strconv.ParseFloat(string(raw), 64)
	if err != nil {
		return append(dst, raw...)
	}
	return appendFloat(dst, f)
}

// appendFloat appends a whole number below 2⁵³ without fraction or exponent, and any other
// as Python's repr: the shortest digits that mean f, from 10¹⁶ on and below 10⁻⁴ with an
// exponent of two digits or more.
func appendFloat(dst []byte, f float64) []byte {
	size := math.Abs(f)
	switch {
	case f == math.Trunc(f) && size < 1<<53:
		return strconv.AppendInt(dst, int64(f), 10)
	case f == math.Trunc(f) && size < 1e16:
		return append(strconv.AppendFloat(dst, f, 'f', -1, 64), ".0"...)
	case 1e-4 <= size && size < 1e16:
		return strconv.AppendFloat(dst, f, 'f', -1, 64)
	}
	return strconv.AppendFloat(dst, f, 'e', -1, 64)
}
