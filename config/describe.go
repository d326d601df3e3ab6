package config

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"github.com/actiongraph/actiongraph/internal/nearest"
)

// describe says what is wrong with the file, and where. It never shows the line: that
// may hold a password.
func describe(path string, err error) error {
	var unknown *toml.StrictMissingError
	if errors.As(err, &unknown) {
		var all []error
		for i := range unknown.Errors {
			e := &unknown.Errors[i]
			line, _ := e.Position()
			all = append(all, fmt.Errorf("%s:%d: unknown key %s: %s", path, line, strings.Join(e.Key(), "."), suggestion(e.Key())))
		}
		return errors.Join(all...)
	}
	var wrong *toml.DecodeError
	if !errors.As(err, &wrong) {
		return fmt.Errorf("%s: %w", path, err)
	}
	line, column := wrong.Position()
	if key := wrong.Key(); strings.Contains(wrong.Error(), "cannot store an array table") && len(key) > 0 {
		return fmt.Errorf("%s:%d: [[%s]]: want %s", path, line, strings.Join(key, "."), kindOf(key))
	}
	if key := wrong.Key(); strings.Contains(wrong.Error(), "cannot decode") && len(key) > 0 {
		if want := kindOf(key); want != "" {
			return fmt.Errorf("%s:%d: %s: want %s", path, line, strings.Join(key, "."), want)
		}
	}
	return fmt.Errorf("%s:%d:%d: %s", path, line, column, strings.TrimPrefix(wrong.Error(), "toml: "))
}

// suggestion names the key that was probably meant by one that there is not.
func suggestion(key toml.Key) string {
	t := reflect.TypeFor[Config]()
	for _, part := range key {
		switch t.Kind() {
		case reflect.Map: // a name that the user chose
			t = t.Elem()
		case reflect.Slice:
			t = t.Elem()
			fallthrough
		case reflect.Struct:
			f, ok := field(t, part)
			if !ok { // what is below a table that there is not has no keys, either
				return nearestOf(part, keys(t))
			}
			t = f.Type
		}
	}
	return nearestOf(key[len(key)-1], keys(parent(key)))
}

func nearestOf(last string, known []string) string {
	best, least := "", max(2, len(last)/2)+1
	for _, k := range known {
		if d := nearest.Distance(last, k); d < least {
			best, least = k, d
		}
	}
	if best != "" {
		return "did you mean " + best + "?"
	}
	return "there are " + strings.Join(known, ", ")
}

// parent is the struct that holds a key: what is unknown further up holds none.
func parent(key toml.Key) reflect.Type {
	t := reflect.TypeFor[Config]()
	for i := 0; i < len(key)-1; i++ {
		f, ok := field(t, key[i])
		if !ok {
			break
		}
		switch t = f.Type; t.Kind() {
		case reflect.Slice:
			t = t.Elem()
		case reflect.Map: // the next part is a name that the user chose
			t = t.Elem()
			i++
		}
	}
	return t
}

// kindOf says what a known key takes.
func kindOf(key toml.Key) string {
	f, ok := field(parent(key), key[len(key)-1])
	switch {
	case !ok:
		return ""
	case f.Type == reflect.TypeFor[*float64]():
		return "a number"
	case f.Type.Kind() == reflect.Bool:
		return "true or false"
	case f.Type.Kind() == reflect.Map:
		return "tables, each begun by [" + key[len(key)-1] + ".NAME]"
	case f.Type.Kind() == reflect.Struct:
		return "a table, begun by [" + key[len(key)-1] + "]"
	case f.Type.Kind() == reflect.Slice && f.Type.Elem().Kind() == reflect.String:
		return `a list of strings, like ["a", "b"]`
	case f.Type.Kind() == reflect.Slice:
		return "tables, each begun by [[" + key[len(key)-1] + "]]"
	}
	return "a " + f.Type.Kind().String() + map[reflect.Kind]string{reflect.String: " in quotes"}[f.Type.Kind()]
}

func keys(t reflect.Type) (names []string) {
	if t.Kind() != reflect.Struct {
		return nil
	}
	for i := range t.NumField() {
		names = append(names, t.Field(i).Tag.Get("toml"))
	}
	return names
}

func field(t reflect.Type, key string) (reflect.StructField, bool) {
	if t.Kind() != reflect.Struct {
		return reflect.StructField{}, false
	}
	for i := range t.NumField() {
		if f := t.Field(i); f.Tag.Get("toml") == key {
			return f, true
		}
	}
	return reflect.StructField{}, false
}
