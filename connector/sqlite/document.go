package sqlite

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/schema"
)

// document is what full-text search knows of an action.
type document struct {
	toolName string
	content  string // what a call gave: its error, then the text of a ToolResult
	input    string // what a ToolCall was asked for
	text     string // any other action's text
	replaces bool   // an older document is in the index
}

func (d *document) empty() bool {
	return d.toolName == "" && d.content == "" && d.input == "" && d.text == ""
}

// searched are the properties that a document is made of.
var searched = []string{"tool_name", "text", "error_message", "command", "file_path", "url", "pattern", "properties"}

// maxField bounds what is indexed of each field, in bytes: the index grows with the
// words, and what tells texts apart is at their beginning.
const maxField = 4096

// newDocument makes the document of an action. get returns a property's value.
func newDocument(typ graph.ActionType, get func(name string) any) document {
	str := func(name string) string { s, _ := get(name).(string); return s }
	d := document{toolName: cut(str("tool_name")), content: cut(str("error_message"))}
	if t := str("text"); typ == graph.ToolResult {
		if tells(t, str("error_message")) {
			d.content = "" // or the snippets of failures say everything twice
		}
		d.content = cut(join(d.content, t))
	} else {
		d.text = cut(t)
	}
	if typ == graph.ToolCall {
		var seen []string
		for _, name := range []string{"command", "file_path", "url", "pattern"} {
			if s := str(name); s != "" {
				d.input = join(d.input, s)
				seen = append(seen, s)
			}
		}
		input := schema.Field([]byte(str("properties")), "tool_input")
		d.input = cut(appendStrings(d.input, input, seen))
	}
	return d
}

// tells reports whether text begins with the words of an error message: those of a
// failed call are the gist of its text, in which white space is one blank each, and
// which ends with … where it was cut, maybe inside a word.
func tells(text, message string) bool {
	message, isCut := strings.CutSuffix(message, "…")
	wordEnds := func() bool {
		r, _ := utf8.DecodeRuneInString(text)
		return text == "" || unicode.IsSpace(r)
	}
	for i, word := range strings.Fields(message) {
		if i > 0 && !wordEnds() {
			return false
		}
		text = strings.TrimLeftFunc(text, unicode.IsSpace)
		if !strings.HasPrefix(text, word) {
			return false
		}
		text = text[len(word):]
	}
	return isCut || wordEnds()
}

// appendStrings appends all strings in a JSON value but for the keys and those in
// seen, which were promoted from it.
func appendStrings(s string, raw []byte, seen []string) string {
	if len(raw) == 0 || len(s) >= maxField {
		return s
	}
	switch raw[0] {
	case '"':
		if v := schema.Unquote(raw); !slices.Contains(seen, v) {
			s = join(s, v)
		}
	case '{':
		for _, v := range schema.Fields(raw) {
			s = appendStrings(s, v, seen)
		}
	case '[':
		for v := range schema.Elements(raw) {
			s = appendStrings(s, v, seen)
		}
	}
	return s
}

func join(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "\n" + b
}

// cut returns the first maxField bytes of s, whole characters only.
func cut(s string) string {
	if len(s) <= maxField {
		return s
	}
	s = s[:maxField]
	for i := 0; i < utf8.UTFMax && len(s) > 0; i++ {
		if r, n := utf8.DecodeLastRuneInString(s); r != utf8.RuneError || n != 1 {
			break
		}
		s = s[:len(s)-1]
	}
	return s
}

// document notes the full text of n where it is new or has changed. A change of
// anything else costs nothing here.
func (t *tx) document(n *node) error {
	if !n.put {
		return nil
	}
	pending := func(name string) (any, bool) {
		for _, p := range n.props {
			if p.Name == name {
				return p.Value, true
			}
		}
		return nil, false
	}
	if !n.hasBody {
		d := newDocument(n.typ, func(name string) any { v, _ := pending(name); return v })
		t.note(n.id, d)
		return nil
	}
	relevant := n.changed || slices.ContainsFunc(n.props, func(p graph.Prop) bool { return slices.Contains(searched, p.Name) })
	if !relevant {
		return nil
	}
	old, typ, err := t.readSearched(n)
	if err != nil {
		return err
	}
	was := newDocument(typ, func(name string) any { return old[name] })
	is := newDocument(n.typ, func(name string) any {
		if v, ok := pending(name); ok {
			return v
		}
		return old[name]
	})
	if is != was {
		is.replaces = !was.empty()
		t.note(n.id, is)
	}
	return nil
}

// note keeps the document for the end of the transaction. An older one of the same
// transaction was never written, unless it replaces one that was.
func (t *tx) note(id int64, d document) {
	if old, ok := t.docs[id]; ok {
		d.replaces = old == nil || old.replaces
	}
	t.docs[id] = &d
}

// readSearched reads the properties of a stored action that are searched, and its
// type.
func (t *tx) readSearched(n *node) (map[string]any, graph.ActionType, error) {
	narrow, err := t.readProps(t.tables.action, n)
	if err != nil {
		return nil, "", err
	}
	wide, err := t.readProps(t.tables.body, n)
	if err != nil {
		return nil, "", err
	}
	out := map[string]any{}
	for _, p := range append(narrow, wide...) {
		out[p.Name] = p.Value
	}
	var typ any
	err = t.queryRow("SELECT type FROM action WHERE id = ?", n.id).Scan(&typ)
	return out, t.types.actionType(typ), err
}
