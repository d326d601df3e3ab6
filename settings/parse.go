package settings

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/tailscale/hujson"
)

// bom may begin a file: Claude Code takes it off before it parses.
const bom = "\uFEFF"

// document is a settings file: strict JSON, with the place of every value.
type document struct {
	bom   string
	text  []byte // without the BOM
	root  hujson.Value
	lines []int // offsets of text's newlines
}

// parse takes what Claude Code takes: JSON by the letter. Comments and commas too many
// make it ignore the file, and are refused here with the place. A text of white space is
// an object without members, as Claude Code has it.
func parse(text []byte) (*document, error) {
	d := &document{text: text}
	if bytes.HasPrefix(text, []byte(bom)) {
		d.bom, d.text = bom, text[len(bom):]
	}
	if bytes.HasPrefix(text, []byte("\xff\xfe")) || bytes.HasPrefix(text, []byte("\xfe\xff")) {
		return nil, errors.New("is UTF-16, as PowerShell's > writes: save it as UTF-8 first")
	}
	for i, c := range d.text {
		if c == '\n' {
			d.lines = append(d.lines, i)
		}
	}
	if blank(d.text) {
		d.root = hujson.Value{Value: &hujson.Object{}}
		return d, nil
	}
	// encoding/json first: it is strict, and stops at 10,000 levels, where the recursion
	// of hujson would go on until the stack is full.
	var all json.RawMessage
	if err := json.Unmarshal(d.text, &all); err != nil {
		return nil, d.syntaxError(err)
	}
	root, err := hujson.Parse(d.text)
	if err != nil {
		return nil, err
	}
	if root.Value.Kind() != '{' {
		return nil, d.errorAt(root.StartOffset, "the settings are no object")
	}
	d.root = root
	return d, nil
}

// blank reports whether a text is nothing but the white space of JSON.
func blank(text []byte) bool { return len(bytes.Trim(text, " \t\r\n")) == 0 }

// syntaxError puts line and column to an error of encoding/json.
func (d *document) syntaxError(err error) error {
	var syntax *json.SyntaxError
	if !errors.As(err, &syntax) {
		return err
	}
	// Offset counts the bytes read, the wrong one included; at the end there is none.
	at := int(syntax.Offset) - 1
	if syntax.Error() == "unexpected end of JSON input" {
		at = len(d.text)
	}
	return d.errorAt(max(at, 0), "invalid JSON, which Claude Code does not read either: mend it first: "+syntax.Error())
}

func (d *document) errorAt(offset int, what string) error {
	line := d.line(offset)
	start := 0
	if line > 1 {
		start = d.lines[line-2] + 1
	}
	return fmt.Errorf("line %d, column %d: %s", line, utf8.RuneCount(d.text[start:offset])+1, what)
}

// line is the line of an offset into the text, from 1.
func (d *document) line(offset int) int {
	n, _ := slices.BinarySearch(d.lines, offset)
	return n + 1
}

// member is the value of a name, nil where there is none. Of several Claude Code, as
// every JSON.parse, has the last.
func member(v *hujson.Value, name string) *hujson.Value {
	object, ok := v.Value.(*hujson.Object)
	if !ok {
		return nil
	}
	for i := len(object.Members) - 1; i >= 0; i-- {
		if key(object.Members[i]) == name {
			return &object.Members[i].Value
		}
	}
	return nil
}

func key(m hujson.ObjectMember) string { return str(&m.Name) }

// str, number, truth and elements are the value as what it should be, or nothing.
func str(v *hujson.Value) string {
	if v == nil || v.Value.Kind() != '"' {
		return ""
	}
	return v.Value.(hujson.Literal).String()
}

func number(v *hujson.Value) float64 {
	if v == nil || v.Value.Kind() != '0' {
		return 0
	}
	return v.Value.(hujson.Literal).Float()
}

func truth(v *hujson.Value) bool {
	return v != nil && v.Value.Kind() == 't'
}

func elements(v *hujson.Value) []hujson.Value {
	if v == nil {
		return nil
	}
	if a, ok := v.Value.(*hujson.Array); ok {
		return a.Elements
	}
	return nil
}

// live are the members of an object that count: of those with one name the last.
func live(v *hujson.Value) []*hujson.ObjectMember {
	if v == nil {
		return nil
	}
	object, ok := v.Value.(*hujson.Object)
	if !ok {
		return nil
	}
	at := map[string]int{}
	for i, m := range object.Members {
		at[key(m)] = i
	}
	var members []*hujson.ObjectMember
	for i := range object.Members {
		if m := &object.Members[i]; at[key(*m)] == i {
			members = append(members, m)
		}
	}
	return members
}

// entries are the handlers below an object of events. What has not the shape that
// Claude Code reads is left out, as it leaves it out.
func (d *document) entries(hooks *hujson.Value) []Entry {
	var all []Entry
	for _, event := range live(hooks) {
		for _, group := range elements(&event.Value) {
			for _, h := range elements(member(&group, "hooks")) {
				if h.Value.Kind() != '{' {
					continue
				}
				e := entry(&h)
				e.Event, e.Matcher, e.Line = key(*event), str(member(&group, "matcher")), d.line(h.StartOffset)
				all = append(all, e)
			}
		}
	}
	return all
}

// entry is a handler without what is around it.
func entry(h *hujson.Value) Entry {
	e := Entry{
		Type:    str(member(h, "type")),
		Command: str(member(h, "command")),
		If:      str(member(h, "if")),
		Timeout: number(member(h, "timeout")),
		Async:   truth(member(h, "async")),
	}
	if args := member(h, "args"); args != nil && args.Value.Kind() == '[' {
		e.Exec, e.Args = true, []string{}
		for _, arg := range elements(args) {
			e.Args = append(e.Args, str(&arg))
		}
	}
	return e
}

// switches are those that the file sets.
func (d *document) switches() Switches {
	s := Switches{
		DisableAllHooks:       truth(member(&d.root, "disableAllHooks")),
		AllowManagedHooksOnly: truth(member(&d.root, "allowManagedHooksOnly")),
	}
	strict := member(&d.root, "strictPluginOnlyCustomization")
	s.StrictPluginOnly = truth(strict)
	for _, surface := range elements(strict) {
		s.StrictPluginOnly = s.StrictPluginOnly || str(&surface) == "hooks"
	}
	return s
}
