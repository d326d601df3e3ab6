package trace

import (
	"bytes"
	"strconv"
	"strings"
	"time"

	"github.com/actiongraph/actiongraph/schema"
)

// pyObject is a JSON object as Python's json.dumps(ensure_ascii=False) writes it, which writes
// audit dumps: members in their order, a blank behind each comma and colon.
type pyObject struct{ buf []byte }

func (o *pyObject) key(name string) {
	if len(o.buf) == 0 {
		o.buf = append(o.buf, '{')
	} else {
		o.buf = append(o.buf, ", "...)
	}
	o.buf = append(schema.AppendString(o.buf, name), ": "...)
}

func (o *pyObject) text(name, v string) *pyObject {
	o.key(name)
	o.buf = schema.AppendString(o.buf, v)
	return o
}

// textOrNull puts null for a text that is none.
func (o *pyObject) textOrNull(name, v string) *pyObject {
	if v == "" {
		return o.raw(name, "null")
	}
	return o.text(name, v)
}

// raw puts a JSON value in Python's spacing.
func (o *pyObject) raw(name, v string) *pyObject {
	o.key(name)
	o.buf = appendSpaced(o.buf, v)
	return o
}

func (o *pyObject) json() []byte {
	if len(o.buf) == 0 {
		return []byte("{}")
	}
	return append(o.buf, '}')
}

// or is the object, or where there is none something else.
func (o *pyObject) or(other string) string {
	if o == nil {
		return other
	}
	return string(o.json())
}

// appendSpaced appends a JSON value with a blank behind each comma and colon, and no others.
func appendSpaced(dst []byte, v string) []byte {
	for i := 0; i < len(v); i++ {
		switch c := v[i]; c {
		case ' ', '\t', '\n', '\r':
		case ',', ':':
			dst = append(dst, c, ' ')
		case '"':
			end := i + 1
			for end < len(v) && v[end] != '"' {
				if v[end] == '\\' {
					end++
				}
				end++
			}
			end = min(end+1, len(v))
			dst = append(dst, v[i:end]...)
			i = end - 1
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// pyTime is a time as datetime.isoformat() writes it in UTC, with as many digits as it has.
func pyTime(t time.Time) string {
	layout := "2006-01-02T15:04:05"
	switch ns := t.Nanosecond(); {
	case ns%1000 != 0:
		layout += ".000000000"
	case ns != 0:
		layout += ".000000"
	}
	return t.UTC().Format(layout) + "+00:00"
}

// pyFloat is a number of milliseconds.
func pyFloat(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// pyMembers are the members of a JSON object by name.
type pyMembers map[string]string

func membersOf(raw []byte) (m pyMembers, order []string) {
	m = pyMembers{}
	for name, v := range schema.Fields(raw) {
		if _, again := m[name]; !again {
			order = append(order, name)
		}
		m[name] = string(bytes.TrimSpace(v))
	}
	return m, order
}

// set sets a member from a typed field, which says nothing where it is empty.
func (m pyMembers) set(name, text string) {
	if text != "" {
		m[name] = string(schema.AppendString(nil, text))
	}
}

// add appends an element to a member that is a list.
func (m pyMembers) add(name, v string) {
	if list := strings.TrimSuffix(m[name], "]"); list != "" && list != "[" {
		m[name] = list + "," + v + "]"
		return
	}
	m[name] = "[" + v + "]"
}

// object is the members as an object: those that are named first, in that order, with their
// default where they are not there ("" is none), then the others in theirs.
func (m pyMembers) object(first []pyField, others []string) *pyObject {
	o := new(pyObject)
	done := map[string]bool{}
	put := func(name, otherwise string) {
		if done[name] {
			return
		}
		done[name] = true
		if v, ok := m[name]; ok {
			o.raw(name, v)
		} else if otherwise != "" {
			o.raw(name, otherwise)
		}
	}
	for _, f := range first {
		put(f.name, f.otherwise)
	}
	for _, name := range others {
		put(name, "")
	}
	return o
}

// pyField is a field of one of agent_framework's dataclasses.
type pyField struct{ name, otherwise string }
