package config_test

import (
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pelletier/go-toml/v2"

	"github.com/actiongraph/actiongraph/config"
)

func home(t *testing.T, text string, mode os.FileMode) string {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, config.FileName)
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil { // whatever the umask
		t.Fatal(err)
	}
	return dir
}

func environment(pairs ...string) func(string) string {
	return func(name string) string {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		return ""
	}
}

func TestLoad(t *testing.T) {
	dir := home(t, `
[[graph]]
url = "bolt://localhost:7687"

[[graph]]
url = "neo4j+s://db.example:7687"
name = "team"
password_file = "team.password"
database = "agents"

[[graph]]
url = "bolt://[::1]:7700"
user = "me"
password = "pa\"ss"
`, 0o600)
	got, err := config.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := config.Config{Graph: []config.Graph{
		{URL: "bolt://localhost:7687", Name: "localhost"},
		{URL: "neo4j+s://db.example:7687", Name: "team", User: "neo4j", PasswordFile: filepath.Join(dir, "team.password"), Database: "agents"},
		{URL: "bolt://[::1]:7700", Name: "[::1]:7700", User: "me", Password: `pa"ss`},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// Two databases on one machine are the usual case: each has a name without being given
// one, and that of the usual port is short.
func TestDefaultNames(t *testing.T) {
	got, err := config.Load(home(t, "[[graph]]\nurl=\"bolt://a\"\n[[graph]]\nurl=\"bolt://a:7688\"\n[[graph]]\nurl=\"neo4j://[::1]:7687\"\n", 0o644))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, g := range got.Graph {
		names = append(names, g.Name)
	}
	if diff := cmp.Diff([]string{"a", "a:7688", "::1"}, names); diff != "" {
		t.Error(diff)
	}
}

func TestLoadWithoutFile(t *testing.T) {
	for _, dir := range []string{"", t.TempDir(), filepath.Join(t.TempDir(), "not there")} {
		got, err := config.Load(dir)
		if err != nil || !reflect.DeepEqual(got, config.Config{}) {
			t.Errorf("%q: %+v, %v", dir, got, err)
		}
	}
}

func TestLoadErrors(t *testing.T) {
	const secret = "hunter2secret"
	for _, tc := range []struct{ name, text, want string }{
		{"unknown key", "[[graph]]\nurl = \"bolt://a\"\nusr = \"x\"", `FILE:3: unknown key graph.usr: did you mean user?`},
		{"unknown table", "[[graphs]]\nurl = \"bolt://a\"", `FILE:1: unknown key graphs: did you mean graph?`},
		{"unknown, nothing near", "[[graph]]\nurl = \"bolt://a\"\nfrobnicate = 1",
			`FILE:3: unknown key graph.frobnicate: there are url, name, user, password, password_file, password_env, database`},
		{"two unknown keys", "colour = 1\n[[graph]]\nurl = \"bolt://a\"\ndatabse = \"x\"",
			"FILE:1: unknown key colour: there are graph, transcripts, source, api, metrics, capture, redact, retention, seal, secrets, prices\nFILE:4: unknown key graph.databse: did you mean database?"},
		{"wrong type", "[[graph]]\nurl = 7687", `FILE:2: graph.url: want a string in quotes`},
		{"a number for a list", "graph = 1", `FILE:1: graph: want tables, each begun by [[graph]]`},
		{"no TOML", "[[graph]]\nurl = bolt://a", `FILE:2:7: unexpected character U+0062 'b' at start of value`},
		{"no TOML, with a password", "[[graph]]\npassword = \"" + secret + "\" x", `FILE:2:28: `},
		{"no url", "[[graph]]\nname = \"a\"", `FILE:1: [[graph]] number 1: url is missing: give one like url = "bolt://localhost:7687"`},
		{"url without scheme", "[[graph]]\nurl = \"localhost:7687\"", `FILE:1: [[graph]] number 1: url "localhost:7687": give one like bolt://localhost:7687`},
		{"url with a path", "[[graph]]\nurl = \"bolt://a/db\"", `FILE:1: [[graph]] number 1: url "bolt://a/db": a database is named by the key database of config.toml`},
		{"password in the url", "[[graph]]\nurl = \"bolt://me:" + secret + "@a:7687\"", `FILE:1: [[graph]] number 1: the url holds a user or password, and would show it in logs: ` +
			`use the keys user and password of config.toml, or the variables AG_GRAPH_USER and AG_GRAPH_PASSWORD`},
		{"unreadable url", "[[graph]]\nurl = \"bolt://me:" + secret + "@a:76 87\"", `FILE:1: [[graph]] number 1: the url cannot be read: give one like bolt://localhost:7687`},
		{"two passwords", "[[graph]]\nurl = \"bolt://a\"\npassword = \"" + secret + "\"\npassword_env = \"P\"",
			`FILE:1: [[graph]] number 1: password and password_env: give one of them`},
		{"a user alone", "[[graph]]\nurl = \"bolt://a\"\nuser = \"me\"",
			`FILE:1: [[graph]] number 1: user has no password: give one of password, password_file, password_env`},
		{"one name twice", "[[graph]]\nurl = \"bolt://a\"\n[[graph]]\nurl = \"neo4j://a:7687\"",
			`FILE:3: [[graph]] number 2: name "a": number 1 has it too: give it another name`},
		{"the embedded store's name", "[[graph]]\nurl = \"bolt://a:1\"\nname = \"sqlite\"",
			`FILE:1: [[graph]] number 1: name "sqlite": it is the embedded store's: give it another name`},
		{"a name like a url", "[[graph]]\nurl = \"bolt://a:1\"\nname = \"bolt://b\"",
			`FILE:1: [[graph]] number 1: name "bolt://b": want a word without spaces, and no URL`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := home(t, tc.text, 0o600)
			got, err := config.Load(dir)
			if err == nil {
				t.Fatalf("no error, and %+v", got)
			}
			text := strings.ReplaceAll(err.Error(), filepath.Join(dir, config.FileName), "FILE")
			if text != tc.want && !(strings.HasSuffix(tc.want, ": ") && strings.HasPrefix(text, tc.want)) {
				t.Errorf("\n got %s\nwant %s", text, tc.want)
			}
			if strings.Contains(text, secret) {
				t.Errorf("the error shows the password: %s", text)
			}
		})
	}
}

// Who wrote a password into a file that others can read is to know before it is used.
func TestPasswordInReadableFile(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no such permissions")
	}
	const with = "[[graph]]\nurl = \"bolt://a\"\npassword = \"secret\""
	const without = "[[graph]]\nurl = \"bolt://a\"\npassword_env = \"P\""
	for _, mode := range []os.FileMode{0o644, 0o640, 0o604} {
		dir := home(t, with, mode)
		if _, err := config.Load(dir); err == nil || !strings.HasSuffix(err.Error(), "chmod 600 "+filepath.Join(dir, config.FileName)) {
			t.Errorf("mode %o: %v", mode, err)
		}
		if _, err := config.Load(home(t, without, mode)); err != nil {
			t.Errorf("mode %o, no password in it: %v", mode, err)
		}
	}
	if _, err := config.Load(home(t, with, 0o400)); err != nil {
		t.Error(err)
	}
}

// The password does not get safer by being in a file of its own.
func TestReadablePasswordFile(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no such permissions")
	}
	path := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(path, []byte("hunter2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	g := config.Graph{Name: "team", PasswordFile: path}
	for mode, want := range map[os.FileMode]string{
		0o600: "", 0o400: "",
		0o644: "graph team: " + path + " holds a password and others may read it (mode 0644): chmod 600 " + path,
		0o640: "graph team: " + path + " holds a password and others may read it (mode 0640): chmod 600 " + path,
	} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		got, err := g.Secret(environment())
		if want == "" && (got != "hunter2" || err != nil) || want != "" && (got != "" || err == nil || err.Error() != want) {
			t.Errorf("mode %o: %q, %v, want %q", mode, got, err, want)
		}
	}
}

// The example is what people begin with: it changes nothing, and has every key with a
// comment and, in its tables, the default.
func TestExample(t *testing.T) {
	got, err := config.Load(home(t, config.Example, 0o644))
	want := config.Config{Transcripts: config.Transcripts{Follow: []string{config.Announced}}}
	want.API.Socket = got.API.Socket
	want.Capture = config.Capture{ExcludeProjects: []string{}, ExcludeTools: []string{}, Content: "full"}
	want.Redact.Patterns = []string{}
	want.Retention.KeepTags = []string{}
	want.Secrets.Allow = []string{}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
	if filepath.Base(got.API.Socket) != "api.sock" {
		t.Errorf("socket %s", got.API.Socket)
	}
	all := regexp.MustCompile(`(?m)^# (\[|[a-z0-9_]+ *= )`).ReplaceAllString(config.Example, "$1")
	var keys map[string]any
	if err := toml.Unmarshal([]byte(all), &keys); err != nil {
		t.Fatal(err)
	}
	present := map[string]bool{}
	leaves(keys, "", func(key string) { present[key] = true })
	expected := map[string]bool{}
	structKeys(reflect.TypeFor[config.Config](), "", func(key string) { expected[key] = true })
	if diff := cmp.Diff(expected, present); diff != "" {
		t.Error(diff)
	}
	for line := range strings.Lines(all) {
		if key, _, ok := strings.Cut(line, " = "); ok && !strings.HasPrefix(line, "#") && !strings.Contains(line, " # ") {
			t.Errorf("%s: no comment", key)
		}
	}
	// Whichever way to give the password is taken, the whole is right.
	ways := []string{"password", "password_file", "password_env"}
	for _, way := range ways {
		text := all
		for _, other := range ways {
			if other != way {
				text = regexp.MustCompile(`(?m)^`+other+` .*\n`).ReplaceAllString(text, "")
			}
		}
		c, err := config.Load(home(t, text, 0o600))
		if err != nil || len(c.Graph) != 1 || len(c.Source) != 1 || len(c.Prices) != 1 {
			t.Errorf("with %s: %+v, %v", way, c, err)
		}
	}
}

// The README shows the example as it is.
func TestExampleInREADME(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	if err != nil || !strings.Contains(string(readme), "```toml\n"+config.Example+"```\n") {
		t.Errorf("%v: the block of config.toml in README.md is not config.Example", err)
	}
}

// leaves calls fn with each key of a file, entries of lists and names of models left out.
func leaves(v any, at string, fn func(string)) {
	if list, ok := v.([]any); ok && len(list) > 0 {
		if table, ok := list[0].(map[string]any); ok {
			v = table
		}
	}
	table, ok := v.(map[string]any)
	if !ok {
		fn(at)
		return
	}
	for key, inner := range table {
		if key == "prices" {
			inner = slices.Collect(maps.Values(inner.(map[string]any)))[0]
		}
		leaves(inner, at+key+".", fn)
	}
}

// structKeys calls fn with each key that there is, as leaves names it.
func structKeys(t reflect.Type, at string, fn func(string)) {
	switch {
	case t.Kind() == reflect.Struct:
		for i := range t.NumField() {
			structKeys(t.Field(i).Type, at+t.Field(i).Tag.Get("toml")+".", fn)
		}
	case t.Kind() == reflect.Map && t.Elem().Kind() == reflect.Struct, t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Struct:
		structKeys(t.Elem(), at, fn)
	default:
		fn(at)
	}
}

// Each key, one letter short, is an error with the line and the key that was meant.
func TestUnknownKeysAtEachLevel(t *testing.T) {
	structKeys(reflect.TypeFor[config.Config](), "", func(key string) {
		parts := strings.Split(strings.TrimSuffix(key, "."), ".")
		table, last := parts[0], parts[len(parts)-1]
		head := map[string]string{"graph": "[[graph]]", "source": "[[source]]", "prices": "[prices.m]"}[table]
		if head == "" {
			head = "[" + table + "]"
		}
		for text, want := range map[string]string{
			"\n" + head + "\n" + last + "x = 1\n":                               ":3: unknown key",
			strings.Replace(head, table, table+"x", 1) + "\n" + last + " = 1\n": ":1: unknown key",
		} {
			meant := last
			if strings.HasPrefix(want, ":1") {
				meant = table
			}
			_, err := config.Load(home(t, text, 0o600))
			if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "did you mean "+meant+"?") {
				t.Errorf("%q: %v", text, err)
			}
		}
	})
}

func TestFromEnvironment(t *testing.T) {
	const url = "bolt://db.example:7687"
	for _, tc := range []struct {
		name string
		env  []string
		want config.Graph
		err  string
	}{
		{"nothing", nil, config.Graph{URL: url, Name: "db.example"}, ""},
		{"both", []string{"AG_GRAPH_USER", "me", "AG_GRAPH_PASSWORD", "p"}, config.Graph{URL: url, Name: "db.example", User: "me", PasswordEnv: "AG_GRAPH_PASSWORD"}, ""},
		{"a password", []string{"AG_GRAPH_PASSWORD", "p"}, config.Graph{URL: url, Name: "db.example", User: "neo4j", PasswordEnv: "AG_GRAPH_PASSWORD"}, ""},
		{"a user", []string{"AG_GRAPH_USER", "me"}, config.Graph{}, "AG_GRAPH_USER is set and AG_GRAPH_PASSWORD is not"},
	} {
		got, err := config.FromEnvironment(url, environment(tc.env...))
		if tc.err != "" {
			if err == nil || !strings.Contains(err.Error(), tc.err) {
				t.Errorf("%s: error %v, want %s", tc.name, err, tc.err)
			}
			continue
		}
		if diff := cmp.Diff(tc.want, got); diff != "" || err != nil {
			t.Errorf("%s: %v\n%s", tc.name, err, diff)
		}
	}
}

func TestSecret(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	env := environment("P", " from env ")
	for _, tc := range []struct {
		name, want, err string
		graph           config.Graph
	}{
		{name: "none"},
		{name: "inline", graph: config.Graph{Password: "p q"}, want: "p q"},
		{name: "environment, as it is", graph: config.Graph{PasswordEnv: "P"}, want: " from env "},
		{name: "environment, unset", graph: config.Graph{Name: "team", PasswordEnv: "Q"}, err: "graph team: the environment variable Q is not set"},
		{name: "first line", graph: config.Graph{PasswordFile: write("a", " se cret \nnext\n")}, want: " se cret "},
		{name: "no newline", graph: config.Graph{PasswordFile: write("b", "secret")}, want: "secret"},
		{name: "Windows line", graph: config.Graph{PasswordFile: write("c", "secret\r\n")}, want: "secret"},
		{name: "empty", graph: config.Graph{Name: "team", PasswordFile: write("d", "\nsecret")}, err: "graph team: the first line of"},
		{name: "absent", graph: config.Graph{Name: "team", PasswordFile: filepath.Join(dir, "x")}, err: "graph team: read the password: "},
	} {
		got, err := tc.graph.Secret(env)
		if tc.err != "" {
			if err == nil || !strings.HasPrefix(err.Error(), tc.err) {
				t.Errorf("%s: error %v, want %s", tc.name, err, tc.err)
			}
			continue
		}
		if got != tc.want || err != nil {
			t.Errorf("%s: %q, %v, want %q", tc.name, got, err, tc.want)
		}
	}
}
