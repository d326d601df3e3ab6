package cypher_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	driver "github.com/neo4j/neo4j-go-driver/v5/neo4j"
	"github.com/rs/zerolog"

	"github.com/actiongraph/actiongraph/connector/neo4j"
	"github.com/actiongraph/actiongraph/cypher"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/internal/neo4jtest"
)

var update = flag.Bool("update", false, "write the expected rows anew")

// What the sessions of the fixture are called in the arguments below.
const (
	failures = "117f6eaf-0cdc-4fce-8d82-e5bab5e26ee8" // b_failures
	parallel = "86f58e49-65d1-4e9d-862a-93d73e9c8e13" // d_agent_parallel
	orphan   = "cda1ca12-4360-461b-95b9-fc3f5d9534a1" // d_agent_error, its spawner unknown
	resumed  = "afd61681-5350-4758-9ef8-96f209f30e94" // g_resume
)

// asked says with which arguments each query is asked; the others have their defaults.
func asked() map[string]map[string]string {
	return map[string]map[string]string{
		"between-prompts":   {"session": resumed, "turn": "2"},
		"file-history":      {"path": "/app/main.go"},
		"search":            {"words": "denied AND file"},
		"session-chain":     {"session": failures},
		"session-forks":     {"session": "ledger"},
		"session-graph":     {"session": parallel},
		"session-prompts":   {"session": resumed},
		"session-subagents": {"session": parallel},
		"session-turns":     {"session": resumed},
		"subagent-tree":     {"session": parallel},
		"tool-transitions":  {"session": failures},
		"sessions":          {"since": "2026-11-03T00:00:00.000000000Z", "user": "dana"},
	}
}

// loaded is a store with the fixture in it.
func loaded(t *testing.T, url string) *neo4j.Store {
	t.Helper()
	return loadedWith(t, url, fixture(t))
}

// loadedWith is a store with these batches and nothing else in it.
func loadedWith(t *testing.T, url string, batches []graph.Batch) *neo4j.Store {
	t.Helper()
	user, password := neo4jtest.Auth()
	store, err := neo4j.Open(t.Context(), neo4j.Options{URL: url, User: user, Password: password, Log: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	if err := store.Clear(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := store.Apply(t.Context(), batches); err != nil {
		t.Fatal(err)
	}
	return store
}

// TestQueriesAnswer runs every query on the recorded graph. The expected rows were read
// against what ag-sessiond show says of the recordings, and against fixture_test.go.
func TestQueriesAnswer(t *testing.T) {
	t.Run("neo4j", func(t *testing.T) { answers(t, loaded(t, neo4jtest.URL(t)), cypher.Neo4j) })
	if url := neo4jtest.MemgraphURL(t); url != "" {
		t.Run("memgraph", func(t *testing.T) { answers(t, loaded(t, url), cypher.Memgraph) })
	}
}

func answers(t *testing.T, store *neo4j.Store, d cypher.Dialect) {
	args := asked()
	for _, q := range queries(t) {
		t.Run(q.Name, func(t *testing.T) {
			rows, err := ask(t.Context(), store, q.Text(d), arguments(t, q, args[q.Name]))
			if err != nil {
				t.Fatal(err)
			}
			if len(rows) == 0 {
				t.Fatal("no rows: the answer to nothing tests nothing")
			}
			if q.Name == "search" {
				// Scores are the engine's own.
				for i := range rows {
					rows[i] = slices.Delete(rows[i], 0, 1)
				}
			}
			golden(t, q.Name, rows)
		})
	}
}

// TestChainCheckSeesBrokenChains breaks lanes in each way that there is. The other
// queries show what the graph holds; this one is there for when it is wrong.
func TestChainCheckSeesBrokenChains(t *testing.T) {
	url := neo4jtest.URL(t)
	for name, tc := range map[string]struct {
		damage string
		want   string // of the lane, after ok
	}{
		"a link is missing": {
			"MATCH (:ToolCall {session_id: $session})-[r:FOLLOWED_BY]->() WITH r LIMIT 1 DELETE r",
			"heads 2, tails 2, forks 0, steps_back 0",
		},
		"a fork": {
			"MATCH (a:UserMessage {session_id: $session}), (b:TurnEnd {session_id: $session}) CREATE (a)-[:FOLLOWED_BY]->(b)",
			"heads 1, tails 1, forks 2, steps_back 0",
		},
		"a circle": {
			"MATCH (a:UserMessage {session_id: $session}), (b:TurnEnd {session_id: $session}) CREATE (b)-[:FOLLOWED_BY]->(a)",
			"heads 1, tails 0, forks 1, steps_back 1",
		},
	} {
		t.Run(name, func(t *testing.T) {
			store := loaded(t, url)
			write(t, url, tc.damage, map[string]any{"session": failures})
			q := query(t, "chain-check")
			var got []string
			err := store.Query(t.Context(), q.Text(cypher.Neo4j), arguments(t, q, nil), func(columns []string, v []any) error {
				if v[0] == false {
					got = append(got, fmt.Sprintf("%v: heads %v, tails %v, forks %v, steps_back %v", v[1], v[4], v[5], v[6], v[7]))
				}
				return nil
			})
			if want := []string{failures + ": " + tc.want}; err != nil || !slices.Equal(got, want) {
				t.Errorf("%q, %v, want %q", got, err, want)
			}
		})
	}
}

func query(t *testing.T, name string) cypher.Query {
	t.Helper()
	all := queries(t)
	i := slices.IndexFunc(all, func(q cypher.Query) bool { return q.Name == name })
	if i < 0 {
		t.Fatalf("there is no query %s", name)
	}
	return all[i]
}

// write does what the store would not: it damages the graph.
func write(t *testing.T, url, statement string, params map[string]any) {
	t.Helper()
	auth := driver.NoAuth()
	if user, password := neo4jtest.Auth(); user != "" {
		auth = driver.BasicAuth(user, password, "")
	}
	d, err := driver.NewDriverWithContext(url, auth)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close(t.Context())
	if _, err := driver.ExecuteQuery(t.Context(), d, statement, params, driver.EagerResultTransformer); err != nil {
		t.Fatal(err)
	}
}

// row is a row's columns and values, in their order.
type row []string

func ask(ctx context.Context, store *neo4j.Store, text string, params map[string]any) (rows []row, err error) {
	err = store.Query(ctx, text, params, func(columns []string, values []any) error {
		var r row
		for i, c := range columns {
			var b strings.Builder
			enc := json.NewEncoder(&b)
			enc.SetEscapeHTML(false)
			if err := enc.Encode(named(values[i])); err != nil {
				return err
			}
			r = append(r, c+" "+strings.TrimSpace(b.String()))
		}
		rows = append(rows, r)
		return nil
	})
	return rows, err
}

// named shows nodes and relationships by what they are called: their ids are the
// engine's.
func named(v any) any {
	switch v := v.(type) {
	case neo4j.Node:
		return caption(v.Labels, v.Properties["name"])
	case neo4j.Relationship:
		return "[:" + v.Type + "]"
	}
	return v
}

func arguments(t *testing.T, q cypher.Query, given map[string]string) map[string]any {
	t.Helper()
	out := map[string]any{}
	for _, p := range q.Params {
		value, ok := given[p.Name]
		if !ok && p.Required {
			t.Fatalf("$%s is required", p.Name)
		}
		if !ok {
			value = p.Default
		}
		if out[p.Name] = value; p.Type == cypher.IntParam {
			n, err := strconv.ParseInt(value, 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			out[p.Name] = n
		}
	}
	for name := range given {
		if out[name] == nil {
			t.Fatalf("there is no $%s", name)
		}
	}
	return out
}

func golden(t *testing.T, name string, rows []row) {
	t.Helper()
	path := filepath.Join("testdata", "queries", name+".json")
	if *update {
		var b bytes.Buffer
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", " ")
		if err := enc.Encode(rows); err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var want []row
	if err := json.Unmarshal(data, &want); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, rows); d != "" {
		t.Errorf("-%s +seen:\n%s", path, d)
	}
}
