package config

import (
	"fmt"
	"reflect"

	"github.com/pelletier/go-toml/v2"
)

// Variable is one of the environment: what it does, and the key that it overrides, "" where
// it is no key's. ag-hook reads AG_HOME, and needs none.
type Variable struct{ Name, Key, Means string }

// Variables lists all that ag-sessiond reads.
func Variables() []Variable {
	all := []Variable{
		{"AG_HOME", "", "the home, where --home is not given; by default ~/.actiongraph"},
		{UserEnv, "", "who logs in to a --graph URL that is not in the file; by default " + defaultUser + " where there is a password"},
		{PasswordEnv, "", "the password of such a one"},
	}
	for _, o := range overrides() {
		all = append(all, Variable{o.env, DottedKey(o.path...), "in place of " + DottedKey(o.path...) + " in the file"})
	}
	return all
}

// overridden is a key that the environment may set.
type overridden struct {
	path []string
	env  string
	f    reflect.StructField
}

// overrides finds them by their tag: keys of tables that there is one of.
func overrides() (all []overridden) {
	t := reflect.TypeFor[Config]()
	for i := range t.NumField() {
		table := t.Field(i)
		if table.Type.Kind() != reflect.Struct {
			continue
		}
		for j := range table.Type.NumField() {
			f := table.Type.Field(j)
			if env := f.Tag.Get("env"); env != "" {
				f.Index = []int{i, j}
				all = append(all, overridden{[]string{table.Tag.Get("toml"), f.Tag.Get("toml")}, env, f})
			}
		}
	}
	return all
}

// override takes over what the environment says. A variable that is empty says nothing.
func (c *Config) override(home string, env func(string) string) error {
	for _, o := range overrides() {
		typed := env(o.env)
		if typed == "" {
			continue
		}
		text, err := literal(o.f.Type, typed)
		if err == nil {
			err = decode(text, reflect.ValueOf(c).Elem().FieldByIndex(o.f.Index).Addr())
		}
		if err != nil {
			return fmt.Errorf("the variable %s: %w", o.env, err)
		}
		if wrong := c.complete(home); wrong != nil {
			return fmt.Errorf("the variable %s: %w", o.env, wrong.err)
		}
	}
	return nil
}

// decode reads a TOML value into what to points to.
func decode(text string, to reflect.Value) error {
	v := reflect.New(reflect.StructOf([]reflect.StructField{{Name: "V", Type: to.Type().Elem()}}))
	if err := toml.Unmarshal([]byte("V = "+text), v.Interface()); err != nil {
		return err
	}
	to.Elem().Set(v.Elem().Field(0))
	return nil
}
