package settings

import (
	"bytes"
	"strings"

	"github.com/tailscale/hujson"
)

// origin says what was there before a handler of ours was. It is kept in the order of
// the handler's members, where it means nothing to anyone else and stays when Claude Code
// writes the file anew: without it {} and no file at all would be the same afterwards,
// and could not be told apart to give them back.
type origin string

const (
	fresh       origin = "tca" // type, command, args: what is empty without ours was not there
	emptyGroups origin = "tac" // the event had a list of groups, an empty one
	emptyHooks  origin = "cat" // hooks was an object, an empty one
	emptyRoot   origin = "cta" // the file was {}
)

// originOf reads the order of a handler's members.
func originOf(h *hujson.Value) origin {
	var order []byte
	for _, m := range live(h) {
		switch name := key(*m); name {
		case "type", "command", "args":
			order = append(order, name[0])
		}
	}
	switch o := origin(order); o {
	case emptyGroups, emptyHooks, emptyRoot:
		return o
	}
	return fresh
}

// style is how a file is written.
type style struct {
	newline string
	unit    string // of indentation
	colon   string // white space after a colon
	comma   string // white space after a comma, in a line
}

// style is that of the document, where it says one, else that of JSON.stringify(…, null, 2),
// as Claude Code writes.
func (d *document) style() style {
	s := style{newline: "\n", unit: "  ", colon: " ", comma: " "}
	if i := bytes.IndexByte(d.text, '\n'); i > 0 && d.text[i-1] == '\r' {
		s.newline = "\r\n"
	}
	root := d.root.Value.(*hujson.Object)
	if len(root.Members) == 0 {
		return s
	}
	first := root.Members[0]
	if multiline(first.Name.BeforeExtra) {
		s.unit = strings.TrimPrefix(indentOf(first.Name.BeforeExtra), indentOf(root.AfterExtra))
	}
	if !multiline(first.Value.BeforeExtra) {
		s.colon = string(first.Value.BeforeExtra)
	}
	if s.comma = s.colon; len(root.Members) > 1 && !multiline(root.Members[1].Name.BeforeExtra) {
		s.comma = string(root.Members[1].Name.BeforeExtra)
	}
	return s
}

func multiline(extra hujson.Extra) bool { return bytes.IndexByte(extra, '\n') >= 0 }

// indentOf is the white space after the last newline.
func indentOf(extra hujson.Extra) string {
	return string(extra[bytes.LastIndexByte(extra, '\n')+1:])
}

// layout is how what is inside of brackets is laid out: in one line, or each in a line of
// its own with this indentation.
type layout struct {
	inline bool
	indent string
}

// inside is the layout within c: that of what is there, else one step more than outer,
// which is around c.
func (s style) inside(c hujson.ValueTrimmed, outer layout) layout {
	if last, n := lastBefore(c); n > 0 {
		return layout{inline: !multiline(last), indent: indentOf(last)}
	}
	return layout{inline: outer.inline, indent: outer.indent + s.unit}
}

// lastBefore is the white space before the last of a list or an object, and how many
// there are.
func lastBefore(c hujson.ValueTrimmed) (hujson.Extra, int) {
	switch c := c.(type) {
	case *hujson.Array:
		if n := len(c.Elements); n > 0 {
			return c.Elements[n-1].BeforeExtra, n
		}
	case *hujson.Object:
		if n := len(c.Members); n > 0 {
			return c.Members[n-1].Name.BeforeExtra, n
		}
	}
	return nil, 0
}

// next is the white space before what comes next in c, and what the closing bracket has
// before it then.
func (s style) next(c hujson.ValueTrimmed, after hujson.Extra, outer layout) (before, end hujson.Extra) {
	in := s.inside(c, outer)
	last, n := lastBefore(c)
	switch {
	case !in.inline && n == 0:
		// What was between the brackets stays before the closing one.
		return hujson.Extra(s.newline + in.indent), oneMore(after, s.newline+outer.indent)
	case !in.inline:
		return hujson.Extra(s.newline + in.indent), after
	case n == 0:
		return nil, after
	case n > 1:
		return last, after
	}
	return hujson.Extra(s.comma), after
}

// addMember adds a member to an object, and says where its value is.
func (e *editor) addMember(to *hujson.Object, outer layout, name string, value hujson.ValueTrimmed) *hujson.Value {
	m := hujson.ObjectMember{Name: hujson.Value{Value: hujson.String(name)}}
	m.Name.BeforeExtra, to.AfterExtra = e.next(to, to.AfterExtra, outer)
	m.Value = hujson.Value{BeforeExtra: hujson.Extra(e.colon), Value: value}
	to.Members = append(to.Members, m)
	e.changed = true
	return &to.Members[len(to.Members)-1].Value
}

func (e *editor) addElement(to *hujson.Array, outer layout, value hujson.ValueTrimmed) {
	v := hujson.Value{Value: value}
	v.BeforeExtra, to.AfterExtra = e.next(to, to.AfterExtra, outer)
	to.Elements = append(to.Elements, v)
	e.changed = true
}

// addGroup adds a group that has the recorder's handler alone: no matcher is every tool.
func (e *editor) addGroup(groups *hujson.Array, outer layout, event string, o origin) {
	in := e.inside(groups, outer)
	group, list := &hujson.Object{}, &hujson.Array{}
	e.addElement(groups, outer, group)
	inGroup := e.inside(group, in)
	e.addMember(group, in, "hooks", list)
	inList := e.inside(list, inGroup)
	h := &hujson.Object{}
	e.addElement(list, inGroup, h)
	inHandler := e.inside(h, inList)
	for _, c := range o {
		switch c {
		case 't':
			e.addMember(h, inList, "type", hujson.String("command"))
		case 'c':
			e.addMember(h, inList, "command", hujson.String(e.Binary))
		case 'a':
			// Its presence makes it the exec form: no shell, no quoting.
			e.addMember(h, inList, "args", e.args(inHandler))
		}
	}
	if event == "SessionEnd" {
		// All hooks of this event together have 1.5 s unless one asks for more.
		e.addMember(h, inList, "timeout", hujson.Int(10))
	}
}

// args is the list of arguments.
func (e *editor) args(outer layout) *hujson.Array {
	list := &hujson.Array{}
	for _, arg := range e.Args {
		e.addElement(list, outer, hujson.String(arg))
	}
	return list
}

// oneMore and oneLess are inverse to each other for every white space. Where a bracket is
// filled, what it held and the line that is added to it must be told apart afterwards: of
// white space that is only such lines one is added, of other nothing.
func oneMore(space []byte, line string) hujson.Extra {
	if line != "" && len(bytes.ReplaceAll(space, []byte(line), nil)) == 0 {
		return append(hujson.Extra(line), space...)
	}
	return space
}

func oneLess(space []byte, line string) hujson.Extra {
	if line != "" && len(space) > 0 && len(bytes.ReplaceAll(space, []byte(line), nil)) == 0 {
		return space[len(line):]
	}
	return space
}

// closing is the line that was added before the closing bracket when c was filled, as
// what is in c tells: its first has one step of indentation more, and what is in that two.
func closing(c hujson.ValueTrimmed) string {
	before, inner := firstOf(c)
	deeper, _ := firstOf(inner)
	unit, ok := strings.CutPrefix(string(deeper), string(before))
	if !ok {
		return ""
	}
	return strings.TrimSuffix(string(before), unit)
}

// firstOf is the white space before the first in c, and its value.
func firstOf(c hujson.ValueTrimmed) (hujson.Extra, hujson.ValueTrimmed) {
	switch c := c.(type) {
	case *hujson.Array:
		if len(c.Elements) > 0 {
			return c.Elements[0].BeforeExtra, c.Elements[0].Value
		}
	case *hujson.Object:
		if len(c.Members) > 0 {
			return c.Members[0].Name.BeforeExtra, c.Members[0].Value.Value
		}
	}
	return nil, nil
}

func lastMember(o *hujson.Object, name string) int {
	for i := len(o.Members) - 1; i >= 0; i-- {
		if key(o.Members[i]) == name {
			return i
		}
	}
	return -1
}

// only reports whether an object has a name once.
func only(o *hujson.Object, name string) bool {
	n := 0
	for _, m := range o.Members {
		if key(m) == name {
			n++
		}
	}
	return n == 1
}

// keepMembers and keepElements are those that keep says; the first of them stands where
// the first stood.
func keepMembers(o *hujson.Object, keep func(*hujson.ObjectMember) bool) []hujson.ObjectMember {
	var kept []hujson.ObjectMember
	for i := range o.Members {
		if keep(&o.Members[i]) {
			kept = append(kept, o.Members[i])
		}
	}
	if n := len(kept); n > 0 && n < len(o.Members) {
		kept[0].Name.BeforeExtra = o.Members[0].Name.BeforeExtra
		kept[n-1].Value.AfterExtra = nil // hujson takes any for a comma
	}
	return kept
}

func keepElements(a *hujson.Array, keep func(*hujson.Value) bool) []hujson.Value {
	var kept []hujson.Value
	for i := range a.Elements {
		if keep(&a.Elements[i]) {
			kept = append(kept, a.Elements[i])
		}
	}
	if n := len(kept); n > 0 && n < len(a.Elements) {
		kept[0].BeforeExtra = a.Elements[0].BeforeExtra
		kept[n-1].AfterExtra = nil
	}
	return kept
}
