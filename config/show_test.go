package config_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/actiongraph/actiongraph/config"
)

const shownFile = `
[[graph]]
url = "bolt://db.example:7700"
password = "hunter2secret"

[[graph]]
name = "team"
url = "bolt://b"
password_env = "P"
[api]
listen = "127.0.0.1:1"
[prices."m.*"]
input = 2
output = 3
`

// shown writes settings as lines: key, value, where from.
func shown(all []config.Setting) string {
	var b strings.Builder
	for _, s := range all {
		fmt.Fprintf(&b, "%s = %s (%s %d %s)\n", s.Key, s.Literal(), s.From, s.Line, s.Variable)
	}
	return b.String()
}

func TestSettings(t *testing.T) {
	dir := home(t, shownFile, 0o600)
	all, err := config.Settings(dir, environment("AG_API_SOCKET", "none"))
	if err != nil {
		t.Fatal(err)
	}
	text := shown(all)
	for _, want := range []string{
		`graph."db.example:7700".url = "bolt://db.example:7700" (file 3 )`,
		`graph."db.example:7700".name = "db.example:7700" (default 0 )`,
		`graph."db.example:7700".user = "neo4j" (default 0 )`,
		`graph."db.example:7700".password =  (file 4 )`,
		`graph."db.example:7700".password_env = "" (default 0 )`,
		`graph.team.password_env = "P" (file 9 )`,
		`graph.team.name = "team" (file 7 )`,
		`transcripts.follow = ["announced"] (default 0 )`,
		`api.socket = "none" (environment 0 AG_API_SOCKET)`,
		`api.listen = "127.0.0.1:1" (file 11 )`,
		`prices."m.*".input = 2.0 (file 13 )`,
		`prices."m.*".cache_read = 0.2 (default 0 )`,
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("not there: %s", want)
		}
	}
	if strings.Contains(text, "hunter2") {
		t.Error("the password is shown")
	}
	if t.Failed() {
		t.Log(text)
	}
	for _, s := range all { // each is a key that Set and Get take
		one, err := config.Get(dir, s.Key, environment("AG_API_SOCKET", "none"))
		if err != nil || len(one) != 1 || !cmp.Equal(one[0], s) {
			t.Errorf("get %s: %+v, %v", s.Key, one, err)
		}
	}
	if some, err := config.Get(dir, "graph.2", environment()); err != nil || len(some) != 7 || some[0].Key != "graph.team.url" {
		t.Errorf("an entry: %+v, %v", some, err)
	}
	if none, err := config.Get(dir, "source", environment()); err != nil || len(none) != 0 {
		t.Errorf("a list without an entry: %+v, %v", none, err)
	}
	for key, want := range map[string]string{"graph.nobody": "there is no such entry", "prices.x.input": "there is no such entry", "api.sokcet": "did you mean socket?"} {
		if _, err := config.Get(dir, key, environment()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("get %s: %v", key, err)
		}
	}
}

// What the environment says comes before the file, and is looked at as strictly.
func TestEnvironment(t *testing.T) {
	dir := home(t, "[api]\nlisten = '127.0.0.1:1'\n[transcripts]\nfollow = []\n", 0o600)
	c, err := config.LoadWith(dir, environment("AG_API_LISTEN", "127.0.0.1:2", "AG_API_SOCKET", "s", "AG_TRANSCRIPTS_FOLLOW", `["all", "./t"]`))
	want := config.Config{API: config.API{Listen: "127.0.0.1:2", Socket: filepath.Join(dir, "s")},
		Transcripts: config.Transcripts{Follow: []string{"all", filepath.Join(dir, "t")}}}
	if diff := cmp.Diff(want, c); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
	for _, pair := range [][2]string{{"AG_API_LISTEN", "0.0.0.0:1"}, {"AG_TRANSCRIPTS_FOLLOW", "anounced"}, {"AG_TRANSCRIPTS_FOLLOW", "[1]"}} {
		if _, err := config.LoadWith(dir, environment(pair[0], pair[1])); err == nil || !strings.HasPrefix(err.Error(), "the variable "+pair[0]+": ") {
			t.Errorf("%s: %v", pair, err)
		}
	}
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, v := range config.Variables() {
		if names[v.Name] = true; v.Means == "" || !strings.Contains(string(readme), "`"+v.Name+"`") {
			t.Errorf("%s: nothing is said of it, here or in README.md", v.Name)
		}
	}
	for _, name := range []string{"AG_HOME", "AG_GRAPH_USER", "AG_GRAPH_PASSWORD", "AG_API_SOCKET", "AG_API_LISTEN", "AG_TRANSCRIPTS_FOLLOW"} {
		if !names[name] {
			t.Errorf("%s is not listed", name)
		}
	}
}
