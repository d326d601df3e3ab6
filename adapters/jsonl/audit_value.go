package jsonl

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/actiongraph/actiongraph/schema"
)

// value is one JSON value where it is in its line, which is valid JSON: so a fault has a
// column. The zero value is one that is not there.
type value struct {
	line    []byte
	at, end int
	// clean says that the line is UTF-8 without newlines, as nearly all are, so that what
	// it holds may be copied as it is.
	clean bool
}

// lineValue returns the object that a line is, or a *LineError.
func lineValue(line []byte) (value, error) {
	if !schema.Valid(line) {
		return value{}, notJSON(line)
	}
	v := value{line: line, end: len(line), clean: utf8.Valid(line) && bytes.IndexByte(line, '\n') < 0}
	if v.skip(); v.first() != '{' {
		return value{}, v.fault("", "want a JSON object, got %s", v.what())
	}
	return v, nil
}

func notJSON(line []byte) error {
	fault := &LineError{Item: -1, Err: errors.New("not valid JSON")}
	var any json.RawMessage
	err := json.Unmarshal(line, &any)
	if syntax := (*json.SyntaxError)(nil); errors.As(err, &syntax) {
		fault.Column, fault.Err = int(syntax.Offset), fmt.Errorf("not valid JSON: %w", err)
	}
	return fault
}

// skip goes over what is between two values of a valid line.
func (v *value) skip() {
	for v.at < v.end {
		switch v.line[v.at] {
		case ' ', '\t', '\r', '\n', ',', ':':
			v.at++
		default:
			return
		}
	}
}

// next returns the value that v begins with, and moves v behind it.
func (v *value) next() value {
	v.skip()
	if v.at >= v.end || v.line[v.at] == '}' || v.line[v.at] == ']' {
		return value{}
	}
	n, _ := schema.ValueEnd(v.line[v.at:v.end])
	got := *v
	got.end = v.at + n
	v.at = got.end
	return got
}

// members yields the members of an object: their names as bytes that alias the line.
func (v value) members() iter.Seq2[[]byte, value] {
	return func(yield func([]byte, value) bool) {
		if v.first() != '{' {
			return
		}
		for v.at++; ; {
			key := v.next()
			if !key.there() {
				return
			}
			name := key.raw()[1 : len(key.raw())-1]
			if bytes.IndexByte(name, '\\') >= 0 || !v.clean && !utf8.Valid(name) {
				name = []byte(schema.Unquote(key.raw()))
			}
			if !yield(name, v.next()) {
				return
			}
		}
	}
}

// elements yields the elements of an array and their indices.
func (v value) elements() iter.Seq2[int, value] {
	return func(yield func(int, value) bool) {
		if v.first() != '[' {
			return
		}
		v.at++
		for i := 0; ; i++ {
			if e := v.next(); !e.there() || !yield(i, e) {
				return
			}
		}
	}
}

// member returns the last member of that name, as encoding/json does.
func (v value) member(name string) (found value) {
	for key, m := range v.members() {
		if string(key) == name {
			found = m
		}
	}
	return found
}

// begins reports whether the first member has that name.
func (v value) begins(name string) bool {
	for key := range v.members() {
		return string(key) == name
	}
	return false
}

func (v value) there() bool { return v.line != nil }
func (v value) raw() []byte { return v.line[v.at:v.end] }

// first is the first byte of the value, which says what it is; 0 of none.
func (v value) first() byte {
	if v.at >= v.end {
		return 0
	}
	return v.line[v.at]
}

// null reports whether it is null or not there.
func (v value) null() bool { return v.first() == 0 || v.first() == 'n' }

// empty reports whether it says nothing: null, "", [] or {}, or not there.
func (v value) empty() bool {
	switch v.first() {
	case '"':
		return v.end-v.at == 2
	case '[', '{':
		v.at++
		return !v.next().there()
	}
	return v.null()
}

// text is that of a string, "" of anything else.
func (v value) text() string {
	if v.first() != '"' {
		return ""
	}
	return schema.Unquote(v.raw())
}

// count is that of a whole number which is not negative, nil of anything else.
func (v value) count() *int64 {
	n, err := strconv.ParseInt(string(v.raw()), 10, 64)
	if err != nil || n < 0 {
		return nil
	}
	return &n
}

func (v value) what() string {
	switch v.first() {
	case '{':
		return "an object"
	case '[':
		return "an array"
	case '"':
		return "a string"
	case 't', 'f':
		return "a boolean"
	case 'n':
		return "null"
	case 0:
		return "nothing"
	}
	return "a number"
}

// fault says what is wrong with the value of a field.
func (v value) fault(field, format string, args ...any) *LineError {
	fault := &LineError{Item: -1, Field: field, Err: fmt.Errorf(format, args...)}
	if v.there() {
		fault.Column = v.at + 1
	}
	return fault
}

// parseTime reads what Python's isoformat writes: RFC 3339, also with an offset that has
// seconds. A time without an offset is taken as UTC, so that a dump means the same
// wherever it is read.
func parseTime(text string) (time.Time, bool) {
	var t time.Time
	err := t.UnmarshalText([]byte(text))
	if err != nil && len(text) > len(time.DateOnly) && text[len(time.DateOnly)] == ' ' {
		text = text[:len(time.DateOnly)] + "T" + text[len(time.DateOnly)+1:]
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05Z07:00:00"} {
		if err == nil {
			break
		}
		t, err = time.Parse(layout, text)
	}
	t = t.UTC()
	return t, err == nil && t.Year() >= 1970 && t.Year() <= 2261
}

// object builds a JSON object member by member. What it is given is copied.
type object struct{ buf []byte }

func (o *object) key(name string) {
	switch len(o.buf) {
	case 0:
		o.buf = append(o.buf, '{')
	default:
		o.buf = append(o.buf, ',')
	}
	o.buf = append(schema.AppendString(o.buf, name), ':')
}

func (o *object) text(name, text string) {
	o.key(name)
	o.buf = schema.AppendString(o.buf, text)
}

// raw puts a JSON value, nothing where v is not there.
func (o *object) raw(name string, v value) {
	if !v.there() {
		return
	}
	if o.buf == nil {
		o.buf = make([]byte, 0, len(name)+v.end-v.at+64)
	}
	o.key(name)
	o.buf = append(o.buf, v.copied()...)
}

// join puts the members of another object that an object built.
func (o *object) join(other json.RawMessage) {
	if len(other) == 0 {
		return
	}
	if len(o.buf) == 0 {
		o.buf = append(o.buf, '{')
	} else {
		o.buf = append(o.buf, ',')
	}
	o.buf = append(o.buf, other[1:len(other)-1]...)
}

// json returns the object, nil where it has no members.
func (o *object) json() json.RawMessage {
	if len(o.buf) == 0 {
		return nil
	}
	return append(o.buf, '}')
}

// clean returns valid JSON without newlines and in UTF-8: bytes that are none become
// U+FFFD one by one, as in encoding/json. It is raw itself where nothing is to be done.
func clean(raw []byte) []byte {
	if utf8.Valid(raw) && bytes.IndexByte(raw, '\n') < 0 {
		return raw
	}
	out := make([]byte, 0, len(raw)+64)
	for i := 0; i < len(raw); {
		r, n := utf8.DecodeRune(raw[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			out = append(out, "\ufffd"...)
		case raw[i] == '\n':
			out = append(out, ' ') // between two tokens: a string has none
		default:
			out = append(out, raw[i:i+n]...)
		}
		i += n
	}
	return out
}

// copied is the value as it may be copied.
func (v value) copied() []byte {
	if v.clean {
		return v.raw()
	}
	return clean(v.raw())
}

// cloned returns a raw value that an event may keep, nil of null and of none.
func (v value) cloned() json.RawMessage {
	if v.null() {
		return nil
	}
	return bytes.Clone(v.copied())
}
