package config

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/actiongraph/actiongraph/errcode"
)

// Pair is a key, dotted as DottedKey writes it, and a value as a person types it: a string
// without quotes, a number, true or false, a list like ["a", "b"] or its only string.
type Pair struct{ Key, Value string }

// Set returns a file with a key set. Nothing else of it changes: comments, order and
// formatting are those of before. A new entry of a list is made by naming one that is not
// there: graph.team.url, or source.2.path where there is one [[source]].
//
// Of the three ways to give a graph's password the others are taken out when one is set: see
// TakesOut. A list with comments in it is an error, as they would be lost. What the result
// means is not looked at: that is Check's.
func Set(text []byte, key, value string) ([]byte, error) {
	l, f, err := find(text, key)
	if err != nil {
		return nil, err
	}
	lit, err := literal(f.typ, value)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", key, err)
	}
	if text, err = l.set(f, lit); err != nil {
		return nil, fmt.Errorf("%s: %w", key, err)
	}
	for _, other := range f.others() {
		if text, err = unsetPath(text, other); err != nil {
			return nil, err
		}
	}
	return text, nil
}

// find is where a key of ours is, or would be, in a file.
func find(text []byte, key string) (*layout, found, error) {
	l, err := layoutOf(text)
	if err != nil {
		return nil, found{}, errcode.With(errcode.ConfigInvalid, fmt.Errorf("the file is no TOML now: %w", err))
	}
	f, err := l.find(key)
	return l, f, err
}

// TakesOut returns the keys that are in a file and that Set takes out for this one, each
// written as the key is.
func TakesOut(text []byte, key string) (keys []string) {
	l, f, err := find(text, key)
	if err != nil {
		return nil
	}
	parts, _ := parseKey(key) // find has read it
	for _, other := range f.others() {
		if _, there := l.line(other); there {
			parts[len(parts)-1] = other[len(other)-1]
			keys = append(keys, DottedKey(parts...))
		}
	}
	return keys
}

func (l *layout) set(f found, value string) ([]byte, error) {
	table, last := f.path[:len(f.path)-1], f.path[len(f.path)-1]
	line := DottedKey(last) + " = " + value
	if p := l.pair(f.path); p != nil {
		if old := l.text[p.value:p.to]; string(old) == value {
			return l.text, nil
		} else if commented(old) {
			return nil, fmt.Errorf("there are comments in the list in line %d, which would be lost: use ag-sessiond config edit", l.lineOf(p.value))
		}
		return splice(l.text, p.value, p.to, value), nil
	}
	if p := l.sibling(table); p != nil {
		line = string(l.text[p.from:p.last]) + line
		if p.inline {
			return splice(l.text, p.to, p.to, ", "+line), nil
		}
		start := l.lineStart(p.from)
		return l.insert(l.lineEnd(p.to), string(l.text[start:p.from])+line), nil
	}
	if h := l.header(table); h != nil {
		return l.insert(h.to, line), nil
	}
	if p := l.pair(table); p != nil {
		if inner, ok := bytes.CutPrefix(l.text[p.value:p.to], []byte("{")); !ok || len(bytes.Trim(inner, " \t}")) > 0 {
			return nil, fmt.Errorf("it cannot be put into %s by itself: use ag-sessiond config edit", DottedKey(table...))
		}
		return splice(l.text, p.value, p.to, "{"+line+"}"), nil
	}
	if len(table) == 0 { // before any table
		return splice(l.text, 0, 0, line+l.newline()), nil
	}
	head := "[" + DottedKey(table...) + "]"
	if isEntry(table) {
		head = "[[" + DottedKey(table[:len(table)-1]...) + "]]"
	}
	if f.name != "" && last != "name" {
		head += l.newline() + "name = " + quoted(f.name)
	}
	if len(l.text) > 0 {
		head = l.newline() + head
	}
	return l.insert(len(l.text), head+l.newline()+line), nil
}

// isEntry reports whether a path is that of an entry of a list.
func isEntry(path []string) bool {
	t := reflect.TypeFor[Config]()
	for i, part := range path {
		switch {
		case isList(t):
			if t = t.Elem(); i == len(path)-1 {
				return true
			}
		case t.Kind() == reflect.Map:
			t = t.Elem()
		default:
			f, ok := field(t, part)
			if !ok {
				return false
			}
			t = f.Type
		}
	}
	return false
}

// insert puts lines before the byte at, which begins a line or ends the file.
func (l *layout) insert(at int, lines string) []byte {
	if at == len(l.text) && at > 0 && l.text[at-1] != '\n' {
		lines = l.newline() + lines
	}
	return splice(l.text, at, at, lines+l.newline())
}

func splice(text []byte, from, to int, with string) []byte {
	return slices.Concat(text[:from], []byte(with), text[to:])
}

// Unset returns a file without a key, or without all that is in a table or an entry, which
// then have their defaults.
func Unset(text []byte, key string) ([]byte, error) {
	l, f, err := find(text, key)
	if err != nil {
		return nil, err
	}
	if _, there := l.line(f.path); !there || f.name != "" {
		return nil, fmt.Errorf("%s is not set in the file", key)
	}
	if text, err = unsetPath(text, f.path); err != nil {
		return nil, fmt.Errorf("%s: %w", key, err)
	}
	return text, nil
}

// unsetPath takes out one thing after the other, the last one first, so that the others
// stay where the layout has them.
func unsetPath(text []byte, path []string) ([]byte, error) {
	l, err := layoutOf(text)
	if err != nil {
		return nil, err
	}
	type span struct{ from, to int }
	var cuts []span
	for _, h := range l.headers {
		if slices.Equal(h.path, path) || within(h.path, path) {
			cuts = append(cuts, span{h.from, h.to})
		}
	}
	covered, inline := -1, 0
	for _, p := range l.pairs {
		if !(slices.Equal(p.path, path) || within(p.path, path)) || p.from < covered {
			continue
		}
		covered = p.to // what is inside its value goes with it
		if !p.inline {
			cuts = append(cuts, span{l.lineStart(p.from), l.lineEnd(p.to)})
			continue
		}
		inline++
		from, to, ok := l.comma(p)
		if !ok || inline > 1 { // two share a comma
			return nil, errors.New("it cannot be taken out of its line by itself: use ag-sessiond config edit")
		}
		cuts = append(cuts, span{from, to})
	}
	slices.SortFunc(cuts, func(a, b span) int { return b.from - a.from })
	for _, c := range cuts {
		text = splice(text, c.from, c.to, "")
	}
	return text, nil
}

// comma widens a key of an inline table by the comma that goes with it.
func (l *layout) comma(p pair) (from, to int, ok bool) {
	from, to = p.from, p.to
	for to < len(l.text) && (l.text[to] == ' ' || l.text[to] == '\t') {
		to++
	}
	if to < len(l.text) && l.text[to] == ',' {
		to++
		for to < len(l.text) && (l.text[to] == ' ' || l.text[to] == '\t') {
			to++
		}
		return from, to, true
	}
	if to == len(l.text) || l.text[to] != '}' {
		return 0, 0, false // a comment or a new line in between
	}
	for from > 0 && (l.text[from-1] == ' ' || l.text[from-1] == '\t') {
		from--
	}
	switch l.text[from-1] {
	case ',':
		return from - 1, p.to, true
	case '{':
		return p.from, p.to, true
	}
	return 0, 0, false
}
