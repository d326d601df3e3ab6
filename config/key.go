package config

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// parseKey returns the parts of a dotted key: api.listen, graph.team.url,
// prices."my-model-*".input.
func parseKey(key string) ([]string, error) {
	p := &unstable.Parser{}
	line := []byte(key + " = 0")
	p.Reset(line)
	if p.NextExpression() && p.Expression().Kind == unstable.KeyValue {
		if names, _, to := keyOf(p.Expression()); to == len(strings.TrimRight(key, " \t")) {
			return names, nil
		}
	}
	return nil, fmt.Errorf(`key %q: want words with dots between, like api.listen, and quotes around other characters, like graph."db.example".url`, key)
}

// found is where a key that somebody named is, or would be.
type found struct {
	path []string     // in the layout
	typ  reflect.Type // of what it holds
	name string       // of an entry that is to be made, where entries have names
	tags reflect.StructTag
}

// others are the keys beside it that say the same in another way: one of them may be there.
func (f found) others() (paths [][]string) {
	one := f.tags.Get("oneof")
	if one == "" {
		return nil
	}
	for _, other := range strings.Split(one, ",") {
		paths = append(paths, append(slices.Clone(f.path[:len(f.path)-1]), other))
	}
	return paths
}

// find looks a dotted key up in the file's structure; entries of lists are named by their
// name or by their number. What is beyond the last number, or a new name, is a new entry.
func (l *layout) find(key string) (found, error) {
	parts, err := parseKey(key)
	if err != nil {
		return found{}, err
	}
	f := found{typ: reflect.TypeFor[Config]()}
	for _, part := range parts {
		t := f.typ
		switch {
		case t.Kind() == reflect.Struct:
			s, ok := field(t, part)
			if !ok {
				return found{}, fmt.Errorf("unknown key %s: %s", key, nearestOf(part, keys(t)))
			}
			f.path, f.typ, f.tags = append(f.path, part), s.Type, s.Tag
		case t.Kind() == reflect.Map:
			f.path, f.typ = append(f.path, part), t.Elem()
		case isList(t):
			entry, isNew, err := l.entry(f.path, t.Elem(), part)
			if err != nil {
				return found{}, fmt.Errorf("%s: %w", key, err)
			}
			if isNew {
				f.name = part
			}
			f.path, f.typ = append(f.path, entry), t.Elem()
		default:
			return found{}, fmt.Errorf("unknown key %s: %s holds %s", key, DottedKey(f.path...), kindOf(f.path))
		}
	}
	return f, nil
}

// entry returns the number of the entry that a part of a key names, and whether it is to
// be made under that name.
func (l *layout) entry(list []string, t reflect.Type, part string) (number string, isNew bool, err error) {
	names := l.names(list)
	if i := slices.Index(names, part); i >= 0 && part != "" {
		return strconv.Itoa(i + 1), false, nil
	}
	next := strconv.Itoa(len(names) + 1)
	n, err := strconv.Atoi(part)
	switch {
	case err == nil && n >= 1 && n <= len(names)+1:
		return part, false, nil
	case err == nil:
		return "", false, fmt.Errorf("there are %d: the next is %s", len(names), DottedKey(append(slices.Clone(list), next)...))
	}
	if _, named := field(t, "name"); named {
		return next, true, nil
	}
	return "", false, fmt.Errorf("%q: want its number in the file, %s for a new one", part, next)
}

// names are those of a list's entries, in the order of the file, "" where one has none.
func (l *layout) names(list []string) []string {
	names := make([]string, l.entries(list))
	for i := range names {
		entry := slices.Concat(list, []string{strconv.Itoa(i + 1)})
		if p := l.pair(append(entry, "name")); p != nil {
			names[i], _ = l.value(p).(string)
		} else if p := l.pair(append(entry, "url")); p != nil {
			url, _ := l.value(p).(string)
			names[i], _ = defaultName(url)
		}
	}
	return names
}

// value decodes what a key holds, nil where that is not TOML.
func (l *layout) value(p *pair) any {
	var v struct{ V any }
	if toml.Unmarshal(append([]byte("V = "), l.text[p.value:p.to]...), &v) != nil {
		return nil
	}
	return v.V
}

// DottedKey writes a key so that Set reads it, with quotes where a part wants them.
func DottedKey(parts ...string) string {
	var b strings.Builder
	for i, part := range parts {
		if i > 0 {
			b.WriteByte('.')
		}
		bare := part != "" && !strings.ContainsFunc(part, func(r rune) bool {
			return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_')
		})
		if bare {
			b.WriteString(part)
		} else {
			b.WriteString(quoted(part))
		}
	}
	return b.String()
}

// quoted is a TOML string.
func quoted(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\n':
			b.WriteString(`\n`)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// isList reports whether a type is a list of tables.
func isList(t reflect.Type) bool {
	return t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Struct
}

// isTable reports whether a type has keys of its own.
func isTable(t reflect.Type) bool {
	return t.Kind() == reflect.Struct || t.Kind() == reflect.Map || isList(t)
}

// literal is a value as a file has it, of what somebody typed for a key.
func literal(t reflect.Type, typed string) (string, error) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.String:
		return quoted(strings.ToValidUTF8(typed, "\uFFFD")), nil
	case reflect.Bool:
		if typed != "true" && typed != "false" {
			return "", fmt.Errorf("%q: want true or false", typed)
		}
		return typed, nil
	case reflect.Int, reflect.Int64:
		n, err := strconv.ParseInt(typed, 10, 64)
		if err != nil {
			return "", fmt.Errorf("%q: want a whole number", typed)
		}
		return strconv.FormatInt(n, 10), nil
	case reflect.Float64:
		n, err := strconv.ParseFloat(typed, 64)
		if err != nil {
			return "", fmt.Errorf("%q: want a number", typed)
		}
		return decimal(n), nil
	case reflect.Slice:
		items, err := list(typed)
		if err != nil {
			return "", err
		}
		return listed(items), nil
	}
	return "", errors.New("it is a table: name one of its keys")
}

// decimal is a number as TOML has it.
func decimal(n float64) string {
	text := strconv.FormatFloat(n, 'g', -1, 64)
	switch {
	case strings.Contains(text, "NaN"):
		return "nan"
	case strings.Contains(text, "Inf"):
		return strings.ToLower(text)
	case !strings.ContainsAny(text, ".e"):
		text += ".0"
	}
	return text
}

// list is one string, or those of a TOML list.
func list(typed string) ([]string, error) {
	if !strings.HasPrefix(strings.TrimSpace(typed), "[") {
		return []string{typed}, nil
	}
	var v struct{ V []string }
	dec := toml.NewDecoder(strings.NewReader("V = " + typed + "\n")).DisallowUnknownFields()
	if err := dec.Decode(&v); err != nil { // also where more than a list was typed
		return nil, fmt.Errorf(`%q: want a list of strings, like ["a", "b"]`, typed)
	}
	return v.V, nil
}

func listed(items []string) string {
	parts := make([]string, len(items))
	for i, s := range items {
		parts[i] = quoted(s)
	}
	return "[" + strings.Join(parts, ", ") + "]"
}
