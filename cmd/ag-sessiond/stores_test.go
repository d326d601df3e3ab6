package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/actiongraph/actiongraph/config"
)

// What --graph means: an entry by name or URL, with its login, or a URL with the
// environment's. Each database once, each under a name of its own.
func TestAllGraphs(t *testing.T) {
	team := config.Graph{URL: "bolt://db:7687", Name: "team", User: "me", PasswordEnv: "P"}
	host := config.Graph{URL: "neo4j://other", Name: "other"}
	fromEnv := func(url, name string) config.Graph {
		return config.Graph{URL: url, Name: name, User: "envuser", PasswordEnv: config.PasswordEnv}
	}
	for _, tc := range []struct {
		name    string
		given   []string
		want    []config.Graph
		wantAll []config.Graph
	}{
		{"none", nil, nil, []config.Graph{team, host}},
		{"by name and by URL", []string{"team", "bolt://db:7687", "bolt://db:7687/"}, []config.Graph{team}, []config.Graph{team, host}},
		{"not in the file", []string{"bolt://new:7687"}, []config.Graph{fromEnv("bolt://new:7687", "new")},
			[]config.Graph{team, host, fromEnv("bolt://new:7687", "new")}},
		{"twice", []string{"bolt://new", "bolt://new"}, []config.Graph{fromEnv("bolt://new", "new")}, []config.Graph{team, host, fromEnv("bolt://new", "new")}},
		{"two ports of a host", []string{"bolt://new:1", "bolt://new:2"}, []config.Graph{fromEnv("bolt://new:1", "new:1"), fromEnv("bolt://new:2", "new:2")},
			[]config.Graph{team, host, fromEnv("bolt://new:1", "new:1"), fromEnv("bolt://new:2", "new:2")}},
		{"two schemes of a server", []string{"bolt://new", "neo4j://new"}, []config.Graph{fromEnv("bolt://new", "new"), fromEnv("neo4j://new", "neo4j://new")},
			[]config.Graph{team, host, fromEnv("bolt://new", "new"), fromEnv("neo4j://new", "neo4j://new")}},
		{"a host with an entry's name", []string{"bolt://team", "bolt://sqlite"}, []config.Graph{fromEnv("bolt://team", "bolt://team"), fromEnv("bolt://sqlite", "bolt://sqlite")},
			[]config.Graph{team, host, fromEnv("bolt://team", "bolt://team"), fromEnv("bolt://sqlite", "bolt://sqlite")}},
	} {
		a := &app{graphs: tc.given, env: func(name string) string {
			return map[string]string{config.UserEnv: "envuser", config.PasswordEnv: "secret"}[name]
		}}
		c := config.Config{Graph: []config.Graph{team, host}}
		given, err := a.givenGraphs(c)
		if diff := cmp.Diff(tc.want, given); diff != "" || err != nil {
			t.Errorf("%s, given: %v\n%s", tc.name, err, diff)
		}
		all, err := a.allGraphs(c)
		if diff := cmp.Diff(tc.wantAll, all); diff != "" || err != nil {
			t.Errorf("%s, all: %v\n%s", tc.name, err, diff)
		}
	}
}
