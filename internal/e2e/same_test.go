package e2e

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/connector/sqlite"
	"github.com/actiongraph/actiongraph/graph"
)

// TestScenariosInBothStores plays every recorded scenario into one home, which has both an
// embedded store and a Neo4j: what either prints is the same, byte by byte.
func TestScenariosInBothStores(t *testing.T) {
	d := emptied(t)
	hook, sessiond := build(t, "ag-hook"), build(t, "ag-sessiond")
	h := home(t)
	t.Setenv("AG_GRAPH_USER", d.user)
	t.Setenv("AG_GRAPH_PASSWORD", d.password)
	for _, dir := range scenarios(t) {
		play(t, hook, h, move(t, dir, t.TempDir(), recorded(t, dir)), now)
	}
	run(t, sessiond, h, "sync")
	run(t, sessiond, h, "sync", "--graph", d.url)
	run(t, sessiond, h, "verify")
	run(t, sessiond, h, "verify", "--graph", d.url)
	want := folded(t, h)
	d.holds(t, want)
	d.chains(t)

	var questions [][]string
	ask := func(args ...string) { questions = append(questions, args) }
	ask("sessions", "--json")
	ask("sessions", "--has-errors")
	ask("sessions", "--status", "completed", "--json")
	ask("tools", "--json")
	ask("tools")
	ask("summary", "--json")
	ask("summary")
	ask("search", "nosuchwordanywhere")
	n := 0
	for id := range want {
		ask("graph", id, "--format", "json")
		if n++; n%16 != 0 && os.Getenv("AG_SOAK") != "1" {
			continue // the others are asked in inBothStores
		}
		for _, verb := range []string{"show", "actions", "summary", "sequence"} {
			ask(verb, id, "--json")
			ask(verb, id)
		}
		ask("show", id, "--full")
		ask("actions", id, "--type", "tool_call", "--json")
		ask("actions", id, "--agent", "main", "--json")
		ask("sequence", id, "--content", "--json")
		ask("tools", "--session", id, "--json")
		ask("graph", id, "--format", "dot")
	}
	printSame(t, sessiond, h, d.url, questions)
	inBothStores(t, h, d, want)
}

// printSame asks the real program each question of both stores.
func printSame(t *testing.T, sessiond, home, url string, questions [][]string) {
	t.Helper()
	var asking sync.WaitGroup
	next := make(chan []string)
	for range 2 {
		asking.Go(func() {
			for q := range next {
				embedded, err := exec.Command(sessiond, append(q, "--home", home)...).CombinedOutput()
				database, errGraph := exec.Command(sessiond, append(slices.Clone(q), "--home", home, "--graph", url)...).CombinedOutput()
				if (err == nil) != (errGraph == nil) || !bytes.Equal(embedded, database) {
					t.Errorf("%s (-embedded store, %v, +Neo4j, %v):\n%.3000s", strings.Join(q, " "), err, errGraph, cmp.Diff(string(embedded), string(database)))
				}
			}
		})
	}
	for _, q := range questions {
		next <- q
	}
	close(next)
	asking.Wait()
}

// inBothStores asks the stores themselves about every session.
func inBothStores(t *testing.T, home string, d *database, sessions map[string]*graph.Graph) {
	t.Helper()
	ctx := context.Background()
	embedded, err := sqlite.Open(filepath.Join(home, "graph.db"), sqlite.Options{ReadOnly: true})
	must(t, err)
	defer embedded.Close()
	database := d.store(t, "")
	same := func(what string, question func(connector.Reader) (any, error)) {
		t.Helper()
		want, err := question(embedded)
		must(t, err)
		got, err := question(database)
		must(t, err)
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s (-embedded store +Neo4j):\n%.3000s", what, diff)
		}
	}
	same("sessions", func(r connector.Reader) (any, error) { return r.Sessions(ctx, graph.SessionFilter{}) })
	for _, words := range []string{"error", "file", "Bash", "readme.md", "mock command", "nosuchword", `"quoted" AND * OR [`, "a", "é", "~", ""} {
		for _, q := range []graph.SearchQuery{{}, {Failed: true}, {Tool: "Bash"}, {Type: graph.ToolResult}} {
			q.Words, q.All, q.Limit = words, true, 10_000
			same(fmt.Sprintf("search %+v", q), func(r connector.Reader) (any, error) { return hits(r.Search(ctx, q)) })
		}
	}
	for id, g := range sessions {
		same("actions of "+id, func(r connector.Reader) (any, error) {
			return r.Actions(ctx, graph.ActionFilter{Session: id, Content: true})
		})
		same("agents of "+id, func(r connector.Reader) (any, error) { return r.Agents(ctx, id) })
		same("tools of "+id, func(r connector.Reader) (any, error) { return r.Tools(ctx, id) })
		same("summary of "+id, func(r connector.Reader) (any, error) { return r.Summary(ctx, id) })
		for _, n := range g.Nodes()[:min(3, len(g.Nodes()))] {
			if n.Label == graph.LabelAction {
				same("action "+n.Key, func(r connector.Reader) (any, error) { return r.Action(ctx, n.Key) })
			}
		}
	}
}

// hits are the hits of a search by their actions, without their ranks: each engine has a
// BM25 of its own, and so an order.
func hits(found []graph.SearchHit, err error) (any, error) {
	out := map[string]graph.SearchHit{}
	for _, h := range found {
		h.Rank = 0
		out[h.Action.ActionID] = h
	}
	return out, err
}
