package e2e

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	driver "github.com/neo4j/neo4j-go-driver/v5/neo4j"
	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	actiongraph "github.com/actiongraph/actiongraph"
	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/connector/neo4j"
	"github.com/actiongraph/actiongraph/connector/storetest"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/internal/neo4jtest"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/schema"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// database is a Neo4j, asked past the store under test.
type database struct {
	url, user, password string
	driver              driver.DriverWithContext
}

// emptied is the tests' database with nothing in it but constraints and indexes.
func emptied(t *testing.T) *database {
	t.Helper()
	user, password := neo4jtest.Auth()
	d := connect(t, neo4jtest.URL(t), user, password)
	d.ask(t, "MATCH (n) CALL (n) { DETACH DELETE n } IN TRANSACTIONS OF 5000 ROWS", nil)
	return d
}

func connect(t *testing.T, url, user, password string) *database {
	t.Helper()
	auth := driver.NoAuth()
	if user != "" {
		auth = driver.BasicAuth(user, password, "")
	}
	c, err := driver.NewDriverWithContext(url, auth)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(context.Background()) })
	return &database{url, user, password, c}
}

// ask runs a statement and returns its rows.
func (d *database) ask(t testing.TB, cypher string, params map[string]any) []map[string]any {
	t.Helper()
	rows, err := d.try(cypher, params)
	if err != nil {
		t.Fatalf("%s: %v", cypher, err)
	}
	return rows
}

// try is ask that may fail. What the pool has of a server that was restarted is tried
// before a new connection.
func (d *database) try(cypher string, params map[string]any) (rows []map[string]any, err error) {
	for range 3 {
		if rows, err = d.once(cypher, params); !driver.IsConnectivityError(err) {
			break
		}
	}
	return rows, err
}

func (d *database) once(cypher string, params map[string]any) (rows []map[string]any, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	session := d.driver.NewSession(ctx, driver.SessionConfig{})
	defer session.Close(ctx)
	result, err := session.Run(ctx, cypher, params)
	if err != nil {
		return nil, err
	}
	for result.Next(ctx) {
		rows = append(rows, result.Record().AsMap())
	}
	return rows, result.Err()
}

// count is the only value of the only row.
func (d *database) count(t testing.TB, cypher string) int64 {
	t.Helper()
	for _, v := range d.ask(t, cypher, nil)[0] {
		return v.(int64)
	}
	return 0
}

// store opens the database as the daemon does; url is "" or that of a proxy.
func (d *database) store(t testing.TB, url string) *neo4j.Store {
	t.Helper()
	if url == "" {
		url = d.url
	}
	s, err := neo4j.Open(context.Background(), neo4j.Options{URL: url, User: d.user, Password: d.password})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// holds compares all that the database holds with folds by the ids of their sessions:
// node by node and edge by edge, and then their numbers, as two edges of one key are one
// in a graph.Graph.
func (d *database) holds(t *testing.T, want map[string]*graph.Graph) {
	t.Helper()
	store := d.store(t, "")
	defer store.Close()
	nodes, edges := map[graph.Ref]bool{}, map[graph.EdgeKey]bool{}
	for _, id := range slices.Sorted(maps.Keys(want)) {
		got, err := store.Load(context.Background(), id)
		if err != nil {
			t.Fatal(err)
		}
		if diff := storetest.Diff(own(want[id], id), own(got, id)); diff != "" {
			t.Errorf("session %s (-fold +database):\n%.3000s", id, diff)
		}
		if len(want[id].Nodes()) == 0 {
			t.Errorf("session %s: the fold made nothing of it: this proves nothing", id)
		}
		for _, e := range want[id].Edges() {
			edges[e.EdgeKey], nodes[e.From], nodes[e.To] = true, true, true
		}
		for _, n := range own(want[id], id).Nodes() {
			nodes[n.Ref] = true
		}
	}
	counts := map[string]int64{}
	for r := range nodes {
		counts[string(r.Label)]++
	}
	for k := range edges {
		counts[string(k.Type)]++
	}
	have := map[string]int64{}
	for _, r := range d.ask(t, "MATCH (n) WHERE NOT n:JournalPosition RETURN labels(n) AS labels, count(*) AS n", nil) {
		for _, label := range r["labels"].([]any) {
			if graph.KeyProperty(graph.Label(label.(string))) != "name" || label == "Tool" || label == "Tag" {
				have[label.(string)] += r["n"].(int64)
			}
		}
	}
	for _, r := range d.ask(t, "MATCH ()-[r]->() RETURN type(r) AS what, count(*) AS n", nil) {
		have[r["what"].(string)] += r["n"].(int64)
	}
	if !maps.Equal(counts, have) {
		t.Errorf("the folds make %v, the database has %v", counts, have)
	}
}

// own is a session's graph without what its fold does not answer for: the properties of
// other sessions' nodes, and shared nodes that nothing points at any more.
func own(g *graph.Graph, id string) *graph.Graph {
	out := graph.New()
	used := map[graph.Ref]bool{}
	for _, e := range g.Edges() {
		used[e.To] = true
		out.Apply(graph.Op{Kind: graph.PutEdge, Edge: e})
	}
	for _, n := range g.Nodes() {
		switch {
		case n.Label == graph.LabelSession && n.Key != id, n.Label.Shared() && !used[n.Ref]:
		default:
			out.Apply(graph.Op{Kind: graph.PutNode, Node: *n})
		}
	}
	return out
}

// machine is a home of the Go API, with a replica of its own of a database.
type machine struct {
	*actiongraph.Home
	dir     string
	journal *journal.Journal
	replica *connector.Replica
	step    int // of its clock, in seconds
}

func newMachine(t *testing.T, store connector.Store) *machine {
	t.Helper()
	return openMachine(t, t.TempDir(), store)
}

func openMachine(t *testing.T, dir string, store connector.Store) *machine {
	t.Helper()
	h, err := actiongraph.Open(dir, actiongraph.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	j, err := journal.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return &machine{Home: h, dir: dir, journal: j, replica: &connector.Replica{Journal: j, Store: store, Name: "test", Log: zerolog.Nop(),
		MinBackoff: 5 * time.Millisecond, MaxBackoff: 100 * time.Millisecond}}
}

// work records n calls with their results in a session.
func (m *machine) work(t testing.TB, session string, n int) {
	t.Helper()
	rec := m.Recorder("")
	record := func(_ actiongraph.Recorded, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	at := func() time.Time {
		m.step++
		return time.Date(2026, 3, 1, 9, 0, m.step, 0, time.UTC)
	}
	record(rec.RecordSessionStart(actiongraph.Session{SessionID: session, Key: "start", Timestamp: at(), Tags: []string{"shared", session}}))
	for range n {
		id, tool := fmt.Sprintf("toolu_%s_%s_%d", m.journal.ID()[:8], session, m.step), []string{"Bash", "Edit", "Read", "mcp__a__b"}[m.step%4]
		record(rec.RecordToolCall(actiongraph.ToolCall{SessionID: session, ToolUseID: id, ToolName: tool, Timestamp: at(),
			AgentID: []string{"", "", "a1"}[m.step%3], ToolInput: map[string]any{"command": strings.Repeat("x", m.step%700), "file_path": fmt.Sprint("/src/", m.step%5)}}))
		record(rec.RecordToolResult(actiongraph.ToolResult{SessionID: session, ToolUseID: id, ToolName: tool, Timestamp: at(), IsError: m.step%7 == 0}))
	}
}

// sync catches the database up.
func (m *machine) sync(t testing.TB) {
	t.Helper()
	if _, err := m.replica.Sync(context.Background(), nil); err != nil {
		t.Fatal(err)
	}
}

// start runs the replica as the daemon does until the test ends, or stop is called.
func (m *machine) start(t testing.TB) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		connector.Follow(ctx, m.journal, zerolog.Nop(), m.replica)
	}()
	stop = func() { cancel(); <-done }
	t.Cleanup(stop)
	return stop
}

// await waits until what the database has is all that the journal has.
func (m *machine) await(t testing.TB, store connector.Store) {
	t.Helper()
	eventually(t, func() error {
		lag, err := connector.Behind(context.Background(), m.journal, store)
		if err == nil && (lag.Sessions > 0 || m.replica.Health().State != connector.Up) {
			err = fmt.Errorf("behind by %+v, %+v", lag, m.replica.Health())
		}
		return err
	})
}

// verify is what `ag-sessiond verify` does.
func (m *machine) verify(t testing.TB, store connector.Store) {
	t.Helper()
	if changes, err := connector.Verify(context.Background(), m.journal, store, ""); err != nil || len(changes) > 0 {
		t.Errorf("the database is not what the journal says: %v %.3000v", err, changes)
	}
}

// eventually tries until f has no error.
func eventually(t testing.TB, f func() error) {
	t.Helper()
	var err error
	for deadline := time.Now().Add(90 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if err = f(); err == nil {
			return
		}
	}
	t.Fatal("after a minute and a half: ", err)
}

// foldOf folds what journals have of a session, as the one that own says.
func foldOf(t *testing.T, s *graph.Session, session string, journals ...*journal.Journal) *graph.Graph {
	t.Helper()
	g := graph.New()
	for _, j := range journals {
		c, err := j.Read(session, schema.Position{})
		if err != nil {
			t.Fatal(err)
		}
		for {
			line, err := c.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			e, err := schema.Decode(line)
			if err != nil {
				t.Fatal(err)
			}
			s.Apply(&e)
			g.Apply(s.Take()...)
		}
		c.Close()
	}
	return g
}
