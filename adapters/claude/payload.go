package claude

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/actiongraph/actiongraph/schema"
)

// payload is one JSON object whose members are taken into typed fields one by one;
// what nobody took is the event's Extra. It is what keeps the promise that typed
// fields and Extra give the payload back: a value is taken only when nothing is
// lost by it.
type payload struct {
	raw     []byte // valid JSON without newlines
	members []member

	session string   // the session id as the runtime gave it, "" if none
	faults  []string // why the event is not what it should be
	unread  string   // a payload that is no JSON object, as text
}

type member struct {
	key   string
	raw   json.RawMessage
	taken bool
}

// size is what the member needs in an object, but for escapes in its key.
func (m *member) size() int { return len(m.key) + len(m.raw) + len(`"":,`) }

// parse reads a JSON object. Bytes that are not UTF-8 are replaced, and noted.
func parse(raw []byte) (*payload, error) {
	p := &payload{raw: bytes.TrimSpace(raw)}
	if len(p.raw) == 0 {
		return nil, errors.New("empty payload")
	}
	if !utf8.Valid(p.raw) {
		p.raw = bytes.ToValidUTF8(p.raw, []byte("\ufffd"))
		p.note("not UTF-8: invalid bytes replaced")
	}
	if !schema.Valid(p.raw) {
		var value json.RawMessage
		return nil, json.Unmarshal(p.raw, &value) // for its message
	}
	if p.raw[0] != '{' {
		return nil, errors.New("not a JSON object")
	}
	if bytes.IndexByte(p.raw, '\n') >= 0 || bytes.IndexByte(p.raw, '\r') >= 0 {
		p.raw = compact(p.raw)
	}
	p.members = membersOf(p.raw)
	return p, nil
}

func (p *payload) note(fault string) {
	if !slices.Contains(p.faults, fault) {
		p.faults = append(p.faults, fault)
	}
}

func membersOf(obj []byte) []member {
	members := make([]member, 0, 24)
	for key, raw := range schema.Fields(obj) {
		members = append(members, member{key: key, raw: raw})
	}
	return members
}

// get returns the first member of that name that was not taken, or nil. Only the
// first: a second one of the same name stays in Extra.
func (p *payload) get(key string) *member {
	for i := range p.members {
		if m := &p.members[i]; m.key == key {
			if m.taken {
				return nil
			}
			return m
		}
	}
	return nil
}

// is reports whether the member is there with exactly this JSON value.
func (p *payload) is(key, raw string) bool {
	m := p.get(key)
	return m != nil && string(m.raw) == raw
}

func (p *payload) has(key string) bool { return p.get(key) != nil }

// count returns how many members have that name, taken or not.
func (p *payload) count(key string) (n int) {
	for _, m := range p.members {
		if m.key == key {
			n++
		}
	}
	return n
}

// peek returns a string member without taking it.
func (p *payload) peek(key string) string {
	m := p.get(key)
	if m == nil {
		return ""
	}
	s, _ := lossless(m.raw)
	return s
}

// text takes a string member.
func (p *payload) text(key string, dst *string) bool {
	m := p.get(key)
	if m == nil {
		return false
	}
	s, ok := lossless(m.raw)
	if ok {
		*dst, m.taken = s, true
	}
	return ok
}

// value takes a member of any type. A null stays in Extra: in a raw field it could
// not be told from an absent one.
func (p *payload) value(key string, dst *json.RawMessage) {
	if m := p.get(key); m != nil && string(m.raw) != "null" {
		*dst, m.taken = m.raw, true
	}
}

// number takes a number that a float64 holds exactly.
func (p *payload) number(key string, dst **float64) {
	m := p.get(key)
	if m == nil {
		return
	}
	f, err := strconv.ParseFloat(string(m.raw), 64)
	if err != nil || strconv.FormatFloat(f, 'f', -1, 64) != string(m.raw) {
		return
	}
	*dst, m.taken = &f, true
}

// untake gives a string member back.
func (p *payload) untake(key string, dst *string) {
	for i := range p.members {
		if m := &p.members[i]; m.key == key && m.taken {
			*dst, m.taken = "", false
		}
	}
}

// rest returns the members that were not taken, in their order, nil if none is left.
func (p *payload) rest() json.RawMessage {
	size := 2
	for _, m := range p.members {
		if !m.taken {
			size += m.size()
		}
	}
	if size == 2 {
		return nil
	}
	out := append(make([]byte, 0, size), '{')
	for _, m := range p.members {
		if !m.taken {
			out = appendMember(out, m.key, m.raw)
		}
	}
	return append(out, '}')
}

// appendMember appends a member to an object that is still open.
func appendMember(obj []byte, key string, raw []byte) []byte {
	if obj[len(obj)-1] != '{' {
		obj = append(obj, ',')
	}
	obj = append(schema.AppendString(obj, key), ':')
	return append(obj, raw...)
}

// appendText appends a member that is a string.
func appendText(obj []byte, key, text string) []byte {
	return schema.AppendString(appendMember(obj, key, nil), text)
}

// lossless returns the text of a JSON string, and whether it can be written back as
// the same string: it is not empty (an empty field is left out), and has no half of
// a surrogate pair, which Go reads as U+FFFD.
func lossless(raw []byte) (string, bool) {
	s := schema.Unquote(raw)
	if s == "" {
		return "", false
	}
	if strings.Contains(s, "\ufffd") && bytes.Contains(bytes.ToLower(raw), []byte(`\ud`)) {
		return "", false
	}
	return s, true
}

// compact returns valid JSON without white space between its tokens: raw itself
// where it has none, which is what Claude Code sends.
func compact(raw []byte) []byte {
	for i := 0; i < len(raw); {
		switch raw[i] {
		case '"':
			end, _ := schema.ValueEnd(raw[i:])
			i += end
		case ' ', '\t', '\n', '\r':
			var buf bytes.Buffer
			buf.Grow(len(raw))
			json.Compact(&buf, raw) // cannot fail: raw is valid
			return buf.Bytes()
		default:
			i++
		}
	}
	return raw
}
