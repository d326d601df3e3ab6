package config

import (
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/actiongraph/actiongraph/errcode"
)

// Setting is one key as it is in force.
type Setting struct {
	Key string // dotted, as Set takes it
	// Value is a string, a bool, a number or a list of strings; nil where it is Secret.
	Value any
	// Secret is a password that is set: it is never shown.
	Secret bool
	// From is Default, File or Environment; Line is where in the file, Variable whose.
	From     string
	Line     int
	Variable string
}

// Where a Setting may come from.
const (
	Default     = "default"
	File        = "file"
	Environment = "environment"
)

// Literal is its value as the file would have it.
func (s Setting) Literal() string {
	switch v := s.Value.(type) {
	case string:
		return quoted(v)
	case []string:
		return listed(v)
	case float64:
		return decimal(v)
	case nil:
		return ""
	}
	return fmt.Sprint(s.Value)
}

// Settings lists every key of a home with what is in force, those of entries that are
// there, and where that comes from. It is an error where Load has one.
func Settings(home string, env func(string) string) ([]Setting, error) {
	s, err := settingsOf(home, env)
	return s.all, err
}

func settingsOf(home string, env func(string) string) (s settings, err error) {
	c, err := LoadWith(home, env)
	if err != nil {
		return s, errcode.With(errcode.ConfigInvalid, err)
	}
	text, err := read(filepath.Join(home, FileName))
	if err != nil {
		return s, err
	}
	s.env = env
	if s.file, err = layoutOf(text); err == nil {
		s.defaults, err = layoutOf([]byte(Example))
	}
	if err != nil {
		return s, fmt.Errorf("%s: %w", filepath.Join(home, FileName), err)
	}
	s.walk(reflect.ValueOf(c), nil, nil, "")
	return s, nil
}

// Get is Settings for one key, or for a table or an entry all that is in it.
func Get(home, key string, env func(string) string) ([]Setting, error) {
	s, err := settingsOf(home, env)
	if err != nil {
		return nil, err
	}
	f, err := s.file.find(key)
	if err != nil {
		return nil, err
	}
	dotted := DottedKey(s.file.named(f.path)...)
	all := slices.DeleteFunc(s.all, func(s Setting) bool { return s.Key != dotted && !strings.HasPrefix(s.Key, dotted+".") })
	if len(all) == 0 && !(isTable(f.typ) && len(f.path) == 1) {
		return nil, fmt.Errorf("%s: there is no such entry in %s", key, filepath.Join(home, FileName))
	}
	return all, nil
}

// named is a path with the names of entries in place of their numbers.
func (l *layout) named(path []string) []string {
	path = slices.Clone(path)
	for i := 1; i < len(path); i++ {
		if !isEntry(path[:i+1]) {
			continue
		}
		names := l.names(path[:i])
		if n, err := strconv.Atoi(path[i]); err == nil && n <= len(names) && names[n-1] != "" {
			path[i] = names[n-1]
		}
	}
	return path
}

type settings struct {
	file, defaults *layout
	env            func(string) string
	all            []Setting
}

// walk lists the keys of a value; shown is the path as people read it.
func (s *settings) walk(v reflect.Value, path, shown []string, tag reflect.StructTag) {
	under := func(p []string, part string) []string { return slices.Concat(p, []string{part}) }
	switch {
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			key := f.Tag.Get("toml")
			s.walk(v.Field(i), under(path, key), under(shown, key), f.Tag)
		}
	case isList(v.Type()):
		for i := range v.Len() {
			n := strconv.Itoa(i + 1)
			name := n
			if f := v.Index(i).FieldByName("Name"); f.IsValid() {
				name = f.String()
			}
			s.walk(v.Index(i), under(path, n), under(shown, name), "")
		}
	case v.Kind() == reflect.Map:
		var names []string
		for _, k := range v.MapKeys() {
			names = append(names, k.String())
		}
		slices.Sort(names)
		for _, name := range names {
			s.walk(v.MapIndex(reflect.ValueOf(name)), under(path, name), under(shown, name), "")
		}
	default:
		s.all = append(s.all, s.setting(v, path, shown, tag))
	}
}

func (s *settings) setting(v reflect.Value, path, shown []string, tag reflect.StructTag) Setting {
	out := Setting{Key: DottedKey(shown...), From: Default}
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	switch env := tag.Get("env"); {
	case env != "" && s.env(env) != "":
		out.From, out.Variable = Environment, env
	default:
		if line, there := s.file.line(path); there {
			out.From, out.Line = File, line
		}
	}
	if tag.Get("secret") != "" && !v.IsZero() {
		out.Secret = true
		return out
	}
	out.Value = plain(v)
	if p := s.defaults.pair(path); out.From == Default && v.IsZero() && p != nil {
		d := reflect.New(v.Type())
		if decode(string(s.defaults.text[p.value:p.to]), d) == nil {
			out.Value = plain(d.Elem())
		}
	}
	return out
}

// plain is what a leaf holds, without the types of the struct.
func plain(v reflect.Value) any {
	switch v.Kind() {
	case reflect.String:
		return v.String()
	case reflect.Bool:
		return v.Bool()
	case reflect.Int, reflect.Int64:
		return v.Int()
	case reflect.Float64:
		return v.Float()
	case reflect.Slice:
		list := []string{}
		for i := range v.Len() {
			list = append(list, v.Index(i).String())
		}
		return list
	}
	return nil
}
