package config

import (
	"bytes"
	"slices"
	"strconv"

	"github.com/pelletier/go-toml/v2/unstable"
)

// layout is where the keys of a file stand, as bytes: what is edited, and what errors and
// show point at. It is go-toml's own parser that finds them.
//
// A path is what leads to a key: "graph", "2", "url" is that of the second [[graph]],
// whether it was written with headers, with dots or inline.
type layout struct {
	text    []byte
	pairs   []pair
	headers []header
}

// pair is one key = value, text[from:to].
type pair struct {
	path     []string
	from, to int
	last     int  // where the last part of the key begins
	value    int  // where the value begins
	inline   bool // it is in an inline table
}

// header is one [table] or [[table]]; text[from:to] is its lines.
type header struct {
	path     []string
	from, to int
}

// layoutOf reads a file up to its end, or to what is no TOML.
func layoutOf(text []byte) (*layout, error) {
	l := &layout{text: text}
	p := &unstable.Parser{}
	p.Reset(text)
	tables := map[string]int{} // how many [[...]] a path had so far
	var under []string
	for p.NextExpression() {
		e := p.Expression()
		switch e.Kind {
		case unstable.KeyValue:
			l.add(p, e, under, false)
		case unstable.Table, unstable.ArrayTable:
			names, from, to := keyOf(e)
			under = nil
			for i, name := range names {
				under = append(under, name)
				at := joined(under)
				if e.Kind == unstable.ArrayTable && i == len(names)-1 {
					tables[at]++
				}
				if n := tables[at]; n > 0 {
					under = append(under, strconv.Itoa(n))
				}
			}
			l.headers = append(l.headers, header{slices.Clone(under), l.lineStart(from), l.lineEnd(to)})
		}
	}
	return l, p.Error()
}

// add notes a key and those inside its value.
func (l *layout) add(p *unstable.Parser, e *unstable.Node, under []string, inline bool) {
	names, _, end := keyOf(e)
	path := slices.Concat(under, names)
	at := pair{path: path, from: int(e.Raw.Offset), to: int(e.Raw.Offset + e.Raw.Length), inline: inline}
	for key := e.Key(); key.Next(); {
		at.last = int(key.Node().Raw.Offset)
	}
	at.value = end
	for at.value < at.to && bytes.IndexByte([]byte(" \t="), l.text[at.value]) >= 0 {
		at.value++
	}
	l.pairs = append(l.pairs, at)
	l.inside(p, e.Value(), path)
}

func (l *layout) inside(p *unstable.Parser, value *unstable.Node, path []string) {
	switch value.Kind {
	case unstable.InlineTable:
		for kv := value.Children(); kv.Next(); {
			l.add(p, kv.Node(), path, true)
		}
	case unstable.Array:
		n := 0
		for v := value.Children(); v.Next(); {
			n++
			l.inside(p, v.Node(), slices.Concat(path, []string{strconv.Itoa(n)}))
		}
	}
}

// keyOf returns the parts of a key, and the bytes from the first to the last.
func keyOf(e *unstable.Node) (names []string, from, to int) {
	from = -1
	for key := e.Key(); key.Next(); {
		k := key.Node()
		names = append(names, string(k.Data))
		if from < 0 {
			from = int(k.Raw.Offset)
		}
		to = int(k.Raw.Offset + k.Raw.Length)
	}
	return names, from, to
}

// joined makes a path comparable: a key holds no zero byte.
func joined(path []string) string {
	var b []byte
	for _, part := range path {
		b = append(append(b, part...), 0)
	}
	return string(b)
}

// pair returns the key at a path, nil where it is not set.
func (l *layout) pair(path []string) *pair {
	for i := range l.pairs {
		if slices.Equal(l.pairs[i].path, path) {
			return &l.pairs[i]
		}
	}
	return nil
}

// sibling returns the last key of the table at a path.
func (l *layout) sibling(table []string) (found *pair) {
	for i := range l.pairs {
		if p := &l.pairs[i]; len(p.path) == len(table)+1 && slices.Equal(p.path[:len(table)], table) {
			found = p
		}
	}
	return found
}

func (l *layout) header(path []string) *header {
	for i := range l.headers {
		if slices.Equal(l.headers[i].path, path) {
			return &l.headers[i]
		}
	}
	return nil
}

// entries counts the tables of a list.
func (l *layout) entries(list []string) (n int) {
	for n = 0; ; n++ {
		if _, there := l.line(slices.Concat(list, []string{strconv.Itoa(n + 1)})); !there {
			return n
		}
	}
}

// line is the line, from 1, where a key or table is, or where what is in it begins.
func (l *layout) line(path []string) (line int, there bool) {
	at := -1
	if p := l.pair(path); p != nil {
		at = p.from
	} else if h := l.header(path); h != nil {
		at = h.from
	} else {
		for _, p := range l.pairs {
			if within(p.path, path) && (at < 0 || p.from < at) {
				at = p.from
			}
		}
	}
	if at < 0 {
		return 0, false
	}
	return l.lineOf(at), true
}

func (l *layout) lineOf(at int) int { return 1 + bytes.Count(l.text[:at], []byte("\n")) }

// commented reports whether there are comments inside a value.
func commented(value []byte) bool {
	p := &unstable.Parser{KeepComments: true}
	p.Reset(append([]byte("V = "), value...))
	var within func(*unstable.Node) bool
	within = func(n *unstable.Node) bool {
		for c := n.Children(); c.Next(); {
			if c.Node().Kind == unstable.Comment || within(c.Node()) {
				return true
			}
		}
		return false
	}
	return p.NextExpression() && within(p.Expression().Value())
}

func within(path, table []string) bool {
	return len(path) > len(table) && slices.Equal(path[:len(table)], table)
}

func (l *layout) lineStart(at int) int { return bytes.LastIndexByte(l.text[:at], '\n') + 1 }

// lineEnd is behind the newline after at.
func (l *layout) lineEnd(at int) int {
	if i := bytes.IndexByte(l.text[at:], '\n'); i >= 0 {
		return at + i + 1
	}
	return len(l.text)
}

// newline is how the file ends its lines.
func (l *layout) newline() string {
	if i := bytes.IndexByte(l.text, '\n'); i > 0 && l.text[i-1] == '\r' {
		return "\r\n"
	}
	return "\n"
}
