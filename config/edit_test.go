package config_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pelletier/go-toml/v2"

	"github.com/actiongraph/actiongraph/config"
)

func TestSet(t *testing.T) {
	for _, tc := range []struct{ name, text, key, value, want string }{
		{"no file", "", "api.listen", "127.0.0.1:1", "[api]\nlisten = \"127.0.0.1:1\"\n"},
		{"a value alone", "# a\n[api]  # b\n  listen='x'   # c\n# d", "api.listen", "y", "# a\n[api]  # b\n  listen=\"y\"   # c\n# d"},
		{"the same value", "[api]\nlisten = \"y\"", "api.listen", "y", "[api]\nlisten = \"y\""},
		{"after its siblings", "[api]\n\tlisten = 'x' # c\n\n# of prices\n[prices.m]\n", "api.socket", "s", "[api]\n\tlisten = 'x' # c\n\tsocket = \"s\"\n\n# of prices\n[prices.m]\n"},
		{"after its header", "[api] # c\n# d\n[transcripts]", "api.socket", "s", "[api] # c\nsocket = \"s\"\n# d\n[transcripts]"},
		{"without a newline at the end", "[api]", "api.socket", "s", "[api]\nsocket = \"s\"\n"},
		{"dotted", "api.listen = 'x'\n[transcripts]\n", "api.socket", "s", "api.listen = 'x'\napi.socket = \"s\"\n[transcripts]\n"},
		{"inline", "api = { listen = 'x' } # c\n", "api.socket", "s", "api = { listen = 'x', socket = \"s\" } # c\n"},
		{"inline, there", "api = { listen = 'x' , socket='y'} # c\n", "api.listen", "s", "api = { listen = \"s\" , socket='y'} # c\n"},
		{"inline and empty", "api = {}\n", "api.socket", "s", "api = {socket = \"s\"}\n"},
		{"Windows lines", "[api]\r\nlisten = 'x'\r\n", "api.socket", "s", "[api]\r\nlisten = 'x'\r\nsocket = \"s\"\r\n"},
		{"a new table, Windows lines", "[api]\r\n", "transcripts.follow", "all", "[api]\r\n\r\n[transcripts]\r\nfollow = [\"all\"]\r\n"},
		{"a list over lines", "[transcripts]\nfollow = [\n '#all',\n] # c\n", "transcripts.follow", `["announced", "~/x"]`, "[transcripts]\nfollow = [\"announced\", \"~/x\"] # c\n"},
		{"by name", "[[graph]]\nurl='a'\n[[graph]]\nname='t'\nurl='b'\n[[graph]]\nurl='c'\n", "graph.t.database", "d", "[[graph]]\nurl='a'\n[[graph]]\nname='t'\nurl='b'\ndatabase = \"d\"\n[[graph]]\nurl='c'\n"},
		{"by the name of the host", "[[graph]]\nurl='bolt://a.b:1'\n", `graph."a.b:1".database`, "d", "[[graph]]\nurl='bolt://a.b:1'\ndatabase = \"d\"\n"},
		{"by number", "[[graph]]\nurl='a'\n[[graph]]\nurl='b'\n", "graph.2.url", "c", "[[graph]]\nurl='a'\n[[graph]]\nurl=\"c\"\n"},
		{"a new name", "[[graph]]\nurl='a'\n", "graph.team.url", "bolt://b", "[[graph]]\nurl='a'\n\n[[graph]]\nname = \"team\"\nurl = \"bolt://b\"\n"},
		{"a new number", "[[source]]\npath='a'\n", "source.2.path", "b", "[[source]]\npath='a'\n\n[[source]]\npath = \"b\"\n"},
		{"an inline entry", "graph = [{url = 'a'}, {url = 'b'}]\n", "graph.2.name", "x", "graph = [{url = 'a'}, {url = 'b', name = \"x\"}]\n"},
		{"a model", "", `prices."a.*".input`, "2", "[prices.\"a.*\"]\ninput = 2.0\n"},
		{"a model that is there", "[prices.'a.*']\ninput = 1\n", `prices."a.*".output`, "2.5", "[prices.'a.*']\ninput = 1\noutput = 2.5\n"},
		{"a bool", "[[source]]\npath='a'\n", "source.1.keep_unknown", "true", "[[source]]\npath='a'\nkeep_unknown = true\n"},
		{"what wants quoting", "", "api.socket", "a\"b\\c\n\x01é", "[api]\nsocket = \"a\\\"b\\\\c\\n\\u0001é\"\n"},
		{"another way for the password", "[[graph]]\nurl='a'\npassword='p' # mine\nuser='u'\n", "graph.1.password_env", "P", "[[graph]]\nurl='a'\nuser='u'\npassword_env = \"P\"\n"},
		{"a comment that looks like a key", "[api]\n# socket = 'x'\nlisten='l'\n", "api.socket", "s", "[api]\n# socket = 'x'\nlisten='l'\nsocket = \"s\"\n"},
	} {
		got, err := config.Set([]byte(tc.text), tc.key, tc.value)
		if diff := cmp.Diff(tc.want, string(got)); diff != "" || err != nil {
			t.Errorf("%s: %v\n%s", tc.name, err, diff)
		}
	}
}

func TestTakesOut(t *testing.T) {
	const text = "[[graph]]\nurl='a'\npassword_env='E'\n[[graph]]\nname='t.u'\nurl='b'\npassword='p' # mine\npassword_file='f'\n"
	for key, want := range map[string][]string{
		"graph.1.password":          {"graph.1.password_env"},
		"graph.1.password_env":      nil,
		"graph.2.password_env":      {"graph.2.password", "graph.2.password_file"},
		`graph."t.u".password_file`: {`graph."t.u".password`},
		"graph.new.password":        nil,
		"graph.1.user":              nil,
		"graph.1.passwort":          nil,
	} {
		if diff := cmp.Diff(want, config.TakesOut([]byte(text), key)); diff != "" {
			t.Errorf("%s: %s", key, diff)
		}
	}
}

func TestUnset(t *testing.T) {
	for _, tc := range []struct{ name, text, key, want string }{
		{"its line", "# a\n[api]\nlisten = 'x' # b\nsocket = 'y'\n", "api.listen", "# a\n[api]\nsocket = 'y'\n"},
		{"the last line", "[api]\nlisten = 'x'", "api.listen", "[api]\n"},
		{"a table", "# a\n[api] # b\nlisten = 'x'\n\n# c\n[transcripts]\n", "api", "# a\n\n# c\n[transcripts]\n"},
		{"an entry", "[[graph]]\nurl='a'\n[[graph]]\nname='t'\nurl='b'\n[[graph]]\nurl='c'\n", "graph.t", "[[graph]]\nurl='a'\n[[graph]]\nurl='c'\n"},
		{"all entries", "[[graph]]\nurl='a'\n[api]\n[[graph]]\nurl='b'\n", "graph", "[api]\n"},
		{"first of a line", "api = {listen = 'x', socket = 'y'}", "api.listen", "api = {socket = 'y'}"},
		{"last of a line", "api = {listen = 'x', socket = 'y' }", "api.socket", "api = {listen = 'x' }"},
		{"all of a line", "api = { listen = 'x' }", "api.listen", "api = {  }"},
		{"an inline table", "api = { listen = 'x' } # c\n[transcripts]", "api", "[transcripts]"},
		{"a list over lines", "[transcripts]\nfollow = [\n'a', # b\n]\n# c\n", "transcripts.follow", "[transcripts]\n# c\n"},
		{"dotted", "api.listen = 'x'\napi.socket = 'y'\n", "api", ""},
		{"a model", "[prices.a]\ninput=1\n[prices.'b']\ninput=2\n", "prices.a", "[prices.'b']\ninput=2\n"},
	} {
		got, err := config.Unset([]byte(tc.text), tc.key)
		if diff := cmp.Diff(tc.want, string(got)); diff != "" || err != nil {
			t.Errorf("%s: %v\n%s", tc.name, err, diff)
		}
	}
}

func TestEditErrors(t *testing.T) {
	const two = "[[graph]]\nurl='bolt://a'\n[[source]]\npath='p'\n"
	for _, tc := range []struct{ text, key, value, want string }{
		{"", "api.lisen", "x", "unknown key api.lisen: did you mean listen?"},
		{"", "apii.listen", "x", "unknown key apii.listen: did you mean api?"},
		{"", "api", "x", "api: it is a table: name one of its keys"},
		{"", "api.listen.x", "x", "unknown key api.listen.x: api.listen holds a string in quotes"},
		{"", "api..listen", "x", "want words with dots between"},
		{"", "api.listen # x", "x", "want words with dots between"},
		{"", "api.listen = 1\nb", "x", "want words with dots between"},
		{"", "", "x", "want words with dots between"},
		{two, "graph.3.url", "x", "graph.3.url: there are 1: the next is graph.2"},
		{two, "source.a.path", "x", `source.a.path: "a": want its number in the file, 2 for a new one`},
		{two, "source.1.keep_unknown", "yes", `"yes": want true or false`},
		{"", "prices.m.input", "x", `"x": want a number`},
		{"", "transcripts.follow", "[1]", `"[1]": want a list of strings`},
		{"", "transcripts.follow", "[\"a\"]\nx = 1", `want a list of strings`},
		{"x = ", "api.listen", "x", "the file is no TOML now"},
		{"graph = []", "graph.1.url", "bolt://a", ""},
		{"[transcripts]\nfollow = [ # why\n 'all',\n]\n", "transcripts.follow", "announced", "transcripts.follow: there are comments in the list in line 2, which would be lost: use ag-sessiond config edit"},
		{"[transcripts]\nfollow = [\n 'all', # b\n]\n", "transcripts.follow", "announced", "would be lost"},
		{"[transcripts]\nfollow = [\n 'all',\n # b\n]\n", "transcripts.follow", "[]", "would be lost"},
	} {
		text, err := config.Set([]byte(tc.text), tc.key, tc.value)
		if err == nil && tc.want == "" { // where Set does not see it, Check does
			err = config.Check(t.TempDir(), text)
		}
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("set %s = %s: %v, want %s", tc.key, tc.value, err, tc.want)
		}
	}
	for _, tc := range []struct{ text, key, want string }{
		{"", "api.listen", "api.listen is not set in the file"},
		{two, "graph.team", "graph.team is not set in the file"},
		{"graph = [{url = 'a', name = 'b'}]", "graph.1", "use ag-sessiond config edit"},
		{"api = {listen = 'a', # why\n socket = 'b' # x\n}", "api.socket", "use ag-sessiond config edit"},
	} {
		if _, err := config.Unset([]byte(tc.text), tc.key); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("unset %s: %v, want %s", tc.key, err, tc.want)
		}
	}
}

// Whatever a file looks like, a key that is set has that value and everything else its
// own, and no comment, no other key's text is lost; set back, the file is the one of before.
func TestSetRoundTrips(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	for range 2000 {
		text := randomFile(rnd)
		key, value := randomKey(rnd), fmt.Sprintf("v%d", rnd.IntN(5))
		if strings.HasSuffix(key, "input") {
			value = "7"
		}
		set, err := config.Set([]byte(text), key, value)
		if err != nil {
			t.Fatalf("%s in\n%s\n%v", key, text, err)
		}
		checkSet(t, text, string(set), key, value)
		before := lookup(t, text, key)
		if before == nil {
			unset, err := config.Unset(set, key)
			if err != nil {
				t.Fatalf("unset %s in\n%s\n%v", key, set, err)
			}
			if lookup(t, string(unset), key) != nil || !cmp.Equal(comments(text), comments(string(unset))) {
				t.Fatalf("unset %s of\n%s\ngives\n%s", key, set, unset)
			}
			continue
		}
		back, err := config.Set(set, key, fmt.Sprint(before))
		if err != nil {
			t.Fatal(err)
		}
		if normal(string(back)) != normal(text) {
			t.Fatalf("set and set back %s:\n%s\nwas\n%s", key, back, text)
		}
	}
}

// normal leaves out what Set need not keep of a value it replaces: its kind of quotes.
func normal(text string) string {
	return regexp.MustCompile(`\b7\.0\b`).ReplaceAllString(strings.ReplaceAll(text, "'", `"`), "7")
}

// checkSet compares what two files mean, and what of their texts stays.
func checkSet(t *testing.T, before, after, key, value string) {
	t.Helper()
	if got := fmt.Sprint(lookup(t, after, key)); got != value {
		t.Fatalf("%s is %s, want %s, in\n%s", key, got, value, after)
	}
	var was, is map[string]any
	if err := toml.Unmarshal([]byte(before), &was); err != nil {
		t.Fatal(err)
	}
	if err := toml.Unmarshal([]byte(after), &is); err != nil {
		t.Fatalf("%v, set %s in\n%s\nis\n%s", err, key, before, after)
	}
	without(was, key)
	without(is, key)
	if diff := cmp.Diff(was, is); diff != "" {
		t.Fatalf("set %s in\n%s\nis\n%s\n%s", key, before, after, diff)
	}
	if diff := cmp.Diff(comments(before), comments(after)); diff != "" {
		t.Fatalf("comments, set %s in\n%s\nis\n%s\n%s", key, before, after, diff)
	}
	// One piece was put in or replaced, in a line or as lines: the rest is as it was.
	from := 0
	for from < min(len(before), len(after)) && before[from] == after[from] {
		from++
	}
	to := 0
	for to < min(len(before), len(after))-from && before[len(before)-1-to] == after[len(after)-1-to] {
		to++
	}
	if cut := before[from : len(before)-to]; strings.ContainsAny(cut, "#=[\n") {
		t.Fatalf("set %s in\n%s\nis\n%s\nand takes out %q", key, before, after, cut)
	}
}

func comments(text string) []string { return regexp.MustCompile(`# c\d+`).FindAllString(text, -1) }

// lookup is a key's value in a file, nil where it is not set.
func lookup(t *testing.T, text, key string) (v any) {
	t.Helper()
	var file map[string]any
	if err := toml.Unmarshal([]byte(text), &file); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	v = file
	for _, part := range strings.Split(key, ".") {
		switch at := v.(type) {
		case map[string]any:
			v = at[part]
		case []any:
			n := int(part[0] - '1')
			if v = nil; n < len(at) {
				v = at[n]
			}
		}
	}
	return v
}

// without takes a key out, and tables that are empty then.
func without(file map[string]any, key string) {
	part, rest, more := strings.Cut(key, ".")
	if !more {
		delete(file, part)
		return
	}
	switch at := file[part].(type) {
	case map[string]any:
		if without(at, rest); len(at) == 0 {
			delete(file, part)
		}
	case []any:
		number, rest, _ := strings.Cut(rest, ".")
		if n := int(number[0] - '1'); n < len(at) {
			entry := at[n].(map[string]any)
			if without(entry, rest); len(entry) == 0 {
				at = slices.Delete(at, n, n+1)
			}
		}
		if file[part] = at; len(at) == 0 {
			delete(file, part)
		}
	}
}

func randomKey(rnd *rand.Rand) string {
	return []string{"api.listen", "api.socket", "graph.1.url", "graph.1.database", "source.1.path", "source.1.namespace", "prices.m.input"}[rnd.IntN(7)]
}

// randomFile has tables in any order, spelled any way, with comments everywhere.
func randomFile(rnd *rand.Rand) string {
	n := 0
	comment := func() string {
		if n++; rnd.IntN(2) == 0 {
			return ""
		}
		return fmt.Sprintf("%s# c%d", strings.Repeat(" ", rnd.IntN(3)), n)
	}
	eol := []string{"\n", "\r\n"}[rnd.IntN(2)]
	keys := func(all ...string) (some []string) {
		for _, k := range all {
			if rnd.IntN(3) > 0 {
				value := fmt.Sprintf("'w%d'", rnd.IntN(5))
				if k == "input" {
					value = "7"
				}
				some = append(some, k+[]string{" = ", "=", "  = "}[rnd.IntN(3)]+value)
			}
		}
		rnd.Shuffle(len(some), func(i, j int) { some[i], some[j] = some[j], some[i] })
		return some
	}
	table := func(head string, pairs []string) string {
		indent := strings.Repeat(" ", rnd.IntN(3))
		text := head + comment() + eol
		for _, p := range pairs {
			text += indent + p + comment() + eol
			if rnd.IntN(4) == 0 {
				text += comment() + eol
			}
		}
		return text + []string{"", eol}[rnd.IntN(2)]
	}
	var top, tables []string
	api := keys("listen", "socket")
	switch rnd.IntN(4) {
	case 0:
		top = append(top, "api = {"+strings.Join(api, ", ")+"}"+comment()+eol)
	case 1:
		for _, p := range api {
			top = append(top, "api."+p+comment()+eol)
		}
	case 2:
		tables = append(tables, table("[api]", api))
	}
	for range rnd.IntN(3) {
		tables = append(tables, table("[[graph]]", append(keys("name", "database", "user"), "url = 'u'")))
	}
	if rnd.IntN(2) == 0 {
		tables = append(tables, table("[[ source ]]", append(keys("namespace", "format"), "path='p'")))
	}
	if rnd.IntN(2) == 0 {
		tables = append(tables, table("[prices.'m']", append(keys("input"), "output = 1")))
	}
	rnd.Shuffle(len(tables), func(i, j int) { tables[i], tables[j] = tables[j], tables[i] })
	text := comment() + eol + strings.Join(top, "") + strings.Join(tables, "")
	if rnd.IntN(4) == 0 {
		text = strings.TrimRight(text, "\r\n")
	}
	return text
}

// FuzzSet: whatever file, key and value, the result is right or there is an error, and it
// has the value.
func FuzzSet(f *testing.F) {
	f.Add(config.Example, "api.listen", "127.0.0.1:1")
	f.Add("api = {listen='x'}", "api.socket", "\x00\xff\"")
	f.Add("[[graph]]\nurl='bolt://a'\n[graph.x]\n", "graph.a.name", "b")
	f.Add("graph = [{}, {url='x'}]", "graph.2.url", "b")
	f.Add("[api]\nlisten = '''\nx\n''' # c\r\n[prices.m]", "prices.m.input", "1e3")
	f.Fuzz(func(t *testing.T, text, key, value string) {
		set, err := config.Set([]byte(text), key, value)
		var old, now map[string]any
		if err != nil || toml.Unmarshal([]byte(text), &old) != nil || toml.Unmarshal(set, &now) != nil {
			return // a result that is no TOML is never written: see Change
		}
		if strings.HasPrefix(key, "graph") {
			return // which may have another name then
		}
		again, err := config.Set(set, key, value)
		if err != nil || string(again) != string(set) {
			t.Errorf("set %q to %q in %q is %q, and again %q, %v", key, value, text, set, again, err)
		}
	})
}

func TestChange(t *testing.T) {
	dir := home(t, "# mine\n[api]\nlisten = '127.0.0.1:1'\n", 0o644)
	path := filepath.Join(dir, config.FileName)
	real := filepath.Join(t.TempDir(), "dotfiles.toml")
	if err := os.Rename(path, real); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(real, path); err != nil {
		t.Skip(err)
	}
	set := func(value string) func([]byte) ([]byte, error) {
		return func(text []byte) ([]byte, error) { return config.Set(text, "api.listen", value) }
	}
	if changed, err := config.Change(dir, set("127.0.0.1:2")); !changed || err != nil {
		t.Fatal(changed, err)
	}
	info, err := os.Stat(path)
	if err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if link, err := os.Readlink(path); err != nil || link != real {
		t.Errorf("the link is gone: %s, %v", link, err)
	}
	const want = "# mine\n[api]\nlisten = \"127.0.0.1:2\"\n"
	for name, edit := range map[string]func([]byte) ([]byte, error){
		"wrong": set("0.0.0.0:1"),
		"overtaken": func(text []byte) ([]byte, error) {
			if err := os.WriteFile(real, []byte(want), 0o600); err != nil {
				t.Error(err)
			}
			return config.Set(text, "api.listen", "127.0.0.1:2")
		},
	} {
		if changed, err := config.Change(dir, edit); changed || name == "wrong" && err == nil {
			t.Errorf("%s: %v, %v", name, changed, err)
		}
		if text, _ := os.ReadFile(real); string(text) != want {
			t.Errorf("%s: %s", name, text)
		}
	}
	_, err = config.Change(dir, func(text []byte) ([]byte, error) {
		if err := os.WriteFile(real, []byte("# theirs"), 0o600); err != nil {
			t.Error(err)
		}
		return append(text, '#'), nil
	})
	if text, _ := os.ReadFile(real); err == nil || string(text) != "# theirs" {
		t.Errorf("overtaken: %v, %s", err, text)
	}
	if files, _ := os.ReadDir(filepath.Dir(real)); len(files) != 1 {
		t.Errorf("left behind: %v", files)
	}
}
