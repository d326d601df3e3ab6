package secrets

import (
	"bytes"
	"slices"
	"strings"

	"github.com/actiongraph/actiongraph/schema"
)

// look decides about one string: what it is to be from now on. path returns where it stands
// (tool_input.command), name is the member that it is the value of, "" where it is none.
type look func(path func() string, name, text string) string

// walk passes every string of one valid JSON value to fn, names of members too, as a person has
// it: without its JSON escapes. It returns the value with what fn changed; all else stays byte
// for byte, and a value in which nothing changed is raw itself. skip leaves out members of the
// outermost object.
func walk(raw []byte, skip func(name string) bool, fn look) []byte {
	w := walker{raw: raw, fn: fn}
	for i := 0; i < len(raw); {
		switch raw[i] {
		case '"':
			end := i + stringLen(raw[i:])
			if w.token(i, end); w.isName(end) && len(w.stack) == 1 && skip != nil && skip(w.top().key) {
				colon := end + bytes.IndexByte(raw[end:], ':') + 1
				n, _ := schema.ValueEnd(raw[colon:])
				end = colon + n
			}
			i = end
			continue
		case '{':
			w.stack = append(w.stack, frame{})
		case '[':
			w.stack = append(w.stack, frame{list: true, key: w.top().name()})
		case '}', ']':
			if len(w.stack) > 0 {
				w.stack = w.stack[:len(w.stack)-1]
			}
		}
		i++
	}
	if w.done == 0 {
		return raw
	}
	return append(w.out, raw[w.done:]...)
}

// walker is one walk; stack is the objects and lists around where it is.
type walker struct {
	raw   []byte
	out   []byte // what is changed so far: raw[:done]
	done  int
	stack []frame
	fn    look
}

// frame is an object, or a list, whose key is the name that it goes by itself.
type frame struct {
	list   bool
	key    string // of the member
	called string // the member "name" before it: {"name": "DB_PASSWORD", "value": "…"}
}

func (f frame) name() string {
	if f.called != "" && (f.key == "value" || f.key == "Value") {
		return f.called
	}
	return f.key
}

func (w *walker) top() frame {
	if len(w.stack) == 0 {
		return frame{}
	}
	return w.stack[len(w.stack)-1]
}

// token looks at the string in raw[i:end], its quotes included.
func (w *walker) token(i, end int) {
	text, name := schema.Unquote(w.raw[i:end]), w.top().name()
	isName := w.isName(end) && len(w.stack) > 0
	if isName { // the path to it must not tell it
		name, w.stack[len(w.stack)-1].key = "", ""
	}
	to := w.fn(w.path, name, text)
	if to != text {
		w.out = schema.AppendString(append(w.out, w.raw[w.done:i]...), to)
		w.done = end
	}
	if isName {
		w.stack[len(w.stack)-1].key = to
	} else if len(w.stack) > 0 && slices.Contains([]string{"name", "key", "Name", "Key"}, w.top().key) {
		w.stack[len(w.stack)-1].called = to
	}
}

// isName reports whether the string that ends at raw[i] is a member's name.
func (w *walker) isName(i int) bool {
	rest := bytes.TrimLeft(w.raw[i:], " \t\r\n")
	return len(rest) > 0 && rest[0] == ':'
}

// path is where the walk is, by the names of members.
func (w *walker) path() string {
	var parts []string
	for _, f := range w.stack {
		if !f.list && f.key != "" {
			parts = append(parts, f.key)
		}
	}
	return strings.Join(parts, ".")
}

// stringLen is how long the JSON string is that raw begins with.
func stringLen(raw []byte) int {
	for i := 1; i < len(raw); i++ {
		switch raw[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(raw)
}

// plain returns a text with the escapes of JSON taken off that it holds, for it may be, or hold,
// JSON itself, and where each of its bytes (and its end) is in the text. ok is that there are any.
func plain(text string) (view string, at []int, ok bool) {
	out := make([]byte, 0, len(text))
	at = make([]int, 0, len(text)+1)
	for i := 0; i < len(text); {
		n := 1
		s := text[i : i+1]
		if text[i] == '\\' && i+1 < len(text) {
			if n = escapeLen(text[i:]); n > 1 {
				s, ok = schema.Unquote([]byte(`"`+text[i:i+n]+`"`)), true
			}
		}
		for range len(s) {
			at = append(at, i)
		}
		out = append(out, s...)
		i += n
	}
	return string(out), append(at, len(text)), ok
}

// escapeLen is how long the escape at the beginning of s is, 1 where it is none.
func escapeLen(s string) int {
	switch s[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if len(s) >= 6 && isHex(s[2:6]) {
			return 6
		}
	}
	return 1
}

func isHex(s string) bool {
	for _, c := range []byte(s) {
		if !('0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f') {
			return false
		}
	}
	return true
}
