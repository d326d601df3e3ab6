package main

import (
	"context"
	"strings"
	"sync"
	"testing"

	driver "github.com/neo4j/neo4j-go-driver/v5/neo4j"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/actiongraph/actiongraph/connector/neo4j"
	"github.com/actiongraph/actiongraph/internal/neo4jtest"
)

// TestGraphScripts runs the scripts that want a database, one after the other: each
// begins with an empty one, at $GRAPH.
func TestGraphScripts(t *testing.T) {
	url := neo4jtest.URL(t)
	user, password := neo4jtest.Auth()
	var alone sync.Mutex
	testscript.Run(t, scripts(t, "testdata/graph", func(env *testscript.Env) error {
		alone.Lock()
		env.Defer(alone.Unlock)
		env.Setenv("GRAPH", url)
		env.Setenv("AG_GRAPH_USER", user)
		env.Setenv("AG_GRAPH_PASSWORD", password)
		store, err := neo4j.Open(context.Background(), neo4j.Options{URL: url, User: user, Password: password})
		if err != nil {
			return err
		}
		defer store.Close()
		return store.Clear(context.Background())
	}))
}

// runCypher changes the database behind everybody's back: cypher STATEMENT
func runCypher(ts *testscript.TestScript, _ bool, args []string) {
	ctx := context.Background()
	auth := driver.BasicAuth(ts.Getenv("AG_GRAPH_USER"), ts.Getenv("AG_GRAPH_PASSWORD"), "")
	if ts.Getenv("AG_GRAPH_PASSWORD") == "" {
		auth = driver.NoAuth()
	}
	d, err := driver.NewDriverWithContext(ts.Getenv("GRAPH"), auth)
	ts.Check(err)
	defer d.Close(ctx)
	_, err = driver.ExecuteQuery(ctx, d, args[0], nil, driver.EagerResultTransformer)
	ts.Check(err)
}

// same wants a reading verb to print the same from the graph at $GRAPH as from the
// embedded store, byte by byte, and to print something: same show latest --full
func same(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(ts.Exec("ag-sessiond", args...))
	want := ts.ReadFile("stdout")
	ts.Check(ts.Exec("ag-sessiond", append(args, "--graph", ts.Getenv("GRAPH"))...))
	if got := ts.ReadFile("stdout"); got != want || strings.TrimSpace(want) == "" {
		ts.Fatalf("ag-sessiond %s\nfrom the embedded store:\n%s\nfrom the graph:\n%s", strings.Join(args, " "), want, got)
	}
}
