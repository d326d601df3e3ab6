package actiongraph_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"pgregory.net/rapid"

	actiongraph "github.com/actiongraph/actiongraph"
	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/connector/storetest"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/schema"
)

// machine is a home whose journal is written into a store that others write too.
type machine struct {
	*actiongraph.Home
	dir     string
	journal *journal.Journal
	replica *connector.Replica
}

func newMachine(t *testing.T, shared connector.Store) *machine {
	t.Helper()
	m := &machine{dir: filepath.Join(t.TempDir(), "home")}
	m.Home = must(actiongraph.Open(m.dir, actiongraph.Options{}))(t)
	t.Cleanup(func() { m.Close() })
	m.journal = must(journal.Open(m.dir))(t)
	m.replica = &connector.Replica{Journal: m.journal, Store: shared, Name: "shared"}
	return m
}

// work records a call with its result, at minutes from..from+1.
func (m *machine) work(t *testing.T, session, call string, from int) {
	t.Helper()
	rec := m.Recorder("")
	must(rec.RecordSessionStart(actiongraph.Session{SessionID: session, Key: call, Timestamp: minute(from)}))(t)
	must(rec.RecordToolCall(actiongraph.ToolCall{SessionID: session, ToolUseID: call, ToolName: "Bash", Timestamp: minute(from)}))(t)
	must(rec.RecordToolResult(actiongraph.ToolResult{SessionID: session, ToolUseID: call, Timestamp: minute(from + 1)}))(t)
}

func (m *machine) sync(t *testing.T) {
	t.Helper()
	must(m.replica.Sync(context.Background(), nil))(t)
	if changes, err := connector.Verify(context.Background(), m.journal, m.replica.Store, ""); err != nil || len(changes) > 0 {
		t.Fatalf("the store is not what the journal says: %v %v", err, changes)
	}
}

// sessions lists what the store holds, by id.
func sessions(t *testing.T, store connector.Reader) (ids []string) {
	for _, r := range must(store.Sessions(context.Background(), graph.SessionFilter{}))(t) {
		ids = append(ids, r.SessionID)
	}
	slices.Sort(ids)
	return ids
}

// oneFold is the session as one journal with the facts of both gives it.
func oneFold(t *testing.T, owner *machine, session string, all ...*machine) *graph.Graph {
	t.Helper()
	g, s := graph.New(), graph.NewSession(session, owner.journal.ID())
	for _, m := range all {
		cursor := must(m.journal.Read(session, journal.Position{}))(t)
		defer cursor.Close()
		for {
			line, err := cursor.Next()
			if err != nil {
				break
			}
			e := must(schema.Decode(line))(t)
			s.Apply(&e)
			g.Apply(s.Take()...)
		}
	}
	return g
}

// TestImport: a session that was resumed on a second machine is two until one journal
// is imported into the other, in either direction; then the graph is one fold of both.
func TestImport(t *testing.T) {
	for _, direction := range []string{"into the owner", "into the other"} {
		t.Run(direction, func(t *testing.T) {
			store := storetest.NewMemory()
			a, b := newMachine(t, store), newMachine(t, store)
			a.work(t, "s", "call-1", 1)
			a.sync(t)
			b.work(t, "s", "call-2", 5)
			b.work(t, "only-b", "call-3", 7)
			b.sync(t)
			a.sync(t)
			if want := []string{"only-b", "s", graph.ContinuationID("s", b.journal.ID())}; !slices.Equal(sessions(t, store), want) {
				t.Fatalf("have %v, want %v", sessions(t, store), want)
			}
			into, from := a, b
			if direction == "into the other" {
				into, from = b, a
			}
			report := must(into.Import(context.Background(), from.dir, nil))(t)
			if report.Events == 0 || report.Refused+report.Torn > 0 {
				t.Errorf("report %+v", report)
			}
			into.sync(t)
			if want := []string{"only-b", "s"}; !slices.Equal(sessions(t, store), want) {
				t.Fatalf("have %v, want %v", sessions(t, store), want)
			}
			got := must(store.Load(context.Background(), "s"))(t)
			if d := graph.Diff(oneFold(t, into, "s", a, b), got); len(d) > 0 {
				t.Errorf("not one fold of both: %v", d)
			}
			again := must(into.Import(context.Background(), from.dir, nil))(t)
			if again.Events != 0 || again.Known == 0 {
				t.Errorf("a second import adds: %+v", again)
			}
			before := must(os.ReadFile(filepath.Join(into.dir, "journal", "s.jsonl")))(t)
			must(into.Import(context.Background(), from.dir, nil))(t)
			if after := must(os.ReadFile(filepath.Join(into.dir, "journal", "s.jsonl")))(t); string(after) != string(before) {
				t.Error("a third import wrote")
			}
		})
	}
}

// TestImportedMachineGoesOn: a machine whose journal was imported and that records all
// the same loses nothing.
func TestImportedMachineGoesOn(t *testing.T) {
	store := storetest.NewMemory()
	a, b := newMachine(t, store), newMachine(t, store)
	b.work(t, "s", "call-1", 1)
	b.sync(t)
	must(a.Import(context.Background(), b.dir, nil))(t)
	a.sync(t)
	b.work(t, "s", "call-2", 5)
	b.sync(t)
	a.sync(t)
	part := must(store.Load(context.Background(), graph.ContinuationID("s", b.journal.ID())))(t)
	if len(part.Nodes()) == 0 {
		t.Error("what was recorded after the import is nowhere")
	}
	must(a.Import(context.Background(), b.dir, nil))(t)
	a.sync(t)
	if ids := sessions(t, store); !slices.Equal(ids, []string{"s"}) {
		t.Errorf("after the next import: %v", ids)
	}
}

func TestImportRefuses(t *testing.T) {
	m := newMachine(t, storetest.NewMemory())
	empty := t.TempDir()
	for _, dir := range []string{empty, filepath.Join(empty, "nonesuch"), m.dir, m.dir + "/."} {
		if _, err := m.Import(context.Background(), dir, nil); err == nil {
			t.Errorf("%s was imported", dir)
		}
	}
	if entries := must(os.ReadDir(empty))(t); len(entries) > 0 {
		t.Error("importing made a home of a mistyped path")
	}
}

func TestImportBackup(t *testing.T) {
	m := newMachine(t, storetest.NewMemory())
	m.work(t, "s", "call-1", 1)
	backup := filepath.Join(t.TempDir(), "backup")
	if err := os.CopyFS(backup, os.DirFS(m.dir)); err != nil {
		t.Fatal(err)
	}
	m.work(t, "s", "call-2", 5)
	if r := must(m.Import(context.Background(), backup, nil))(t); r.Events > 0 {
		t.Errorf("a backup has what is here already: %+v", r)
	}
	os.Remove(filepath.Join(m.dir, "journal", "s.jsonl"))
	if r := must(m.Import(context.Background(), backup, nil))(t); r.Events != 3 || r.Sessions != 1 {
		t.Errorf("restored %+v", r)
	}
	m.sync(t)
}

// TestImportedMachineAtRest: a machine whose journal was imported puts nothing back by
// merely running, in whatever directions journals were imported.
func TestImportedMachineAtRest(t *testing.T) {
	store := storetest.NewMemory()
	a, b := newMachine(t, store), newMachine(t, store)
	a.work(t, "s", "call-1", 1)
	b.work(t, "s", "call-2", 5)
	a.sync(t)
	b.sync(t)
	must(a.Import(context.Background(), b.dir, nil))(t)
	must(b.Import(context.Background(), a.dir, nil))(t)
	for range 3 {
		a.sync(t)
		b.sync(t)
	}
	if ids := sessions(t, store); !slices.Equal(ids, []string{"s"}) {
		t.Errorf("have %v, want one session", ids)
	}
	for _, m := range []*machine{a, b} {
		if r := must(m.replica.Sync(context.Background(), nil))(t); r.Ops > 0 {
			t.Errorf("two machines write each other's session for ever: %+v", r)
		}
	}
}

// TestImportOfALongSession: the import is seen only after parts of the session were
// written.
func TestImportOfALongSession(t *testing.T) {
	for _, calls := range []int{450, 600, 1700} { // a transaction takes a thousand events of a session
		store := storetest.NewMemory()
		a, b := newMachine(t, store), newMachine(t, store)
		for i := range calls {
			a.work(t, "s", fmt.Sprint("a", i), i)
		}
		a.sync(t)
		b.work(t, "s", "b", calls+5)
		must(b.Import(context.Background(), a.dir, nil))(t)
		b.sync(t)
		a.sync(t)
		if ids := sessions(t, store); !slices.Equal(ids, []string{"s"}) {
			t.Errorf("%d calls: %v", calls, ids)
		}
		if d := graph.Diff(oneFold(t, b, "s", b), must(store.Load(context.Background(), "s"))(t)); len(d) > 0 {
			t.Errorf("%d calls: %v", calls, d[:min(3, len(d))])
		}
	}
}

// TestMachinesInAnyOrder: machines record one session, sync and import each other at
// random. Nothing that was recorded is ever missing from the store, it comes to rest, and
// once one has imported all the others it is one fold.
func TestMachinesInAnyOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		store := storetest.NewMemory()
		var machines []*machine
		for range 3 {
			machines = append(machines, newMachine(t, store))
		}
		pick := func(what string) *machine { return machines[rapid.IntRange(0, 2).Draw(rt, what)] }
		var calls []string
		for step := range rapid.IntRange(1, 14).Draw(rt, "steps") {
			switch m := pick("machine"); rapid.IntRange(0, 3).Draw(rt, "step") {
			case 0, 1:
				calls = append(calls, fmt.Sprint("call-", step))
				m.work(t, "s", calls[len(calls)-1], 1+step)
			case 2:
				m.sync(t)
			case 3:
				if from := pick("from"); from != m {
					must(m.Import(context.Background(), from.dir, nil))(t)
				}
			}
		}
		rest := func() {
			for range 3 {
				for _, m := range machines {
					m.sync(t)
				}
			}
			for i, m := range machines {
				if r := must(m.replica.Sync(context.Background(), nil))(t); r.Events+r.Ops > 0 {
					rt.Fatalf("machine %d does not come to rest: %+v", i, r)
				}
			}
		}
		rest()
		there := map[string]bool{}
		for _, id := range sessions(t, store) {
			for _, a := range must(store.Actions(context.Background(), graph.ActionFilter{Session: id}))(t) {
				there[a.ToolUseID] = true
			}
		}
		for _, call := range calls {
			if !there[call] {
				rt.Fatalf("%s is nowhere in the store", call)
			}
		}
		for _, m := range machines[1:] {
			must(machines[0].Import(context.Background(), m.dir, nil))(t)
		}
		rest()
		if ids := sessions(t, store); len(calls) > 0 && !slices.Equal(ids, []string{"s"}) {
			rt.Fatalf("after all was imported: %v", ids)
		}
		if len(calls) > 0 {
			if d := graph.Diff(oneFold(t, machines[0], "s", machines[0]), must(store.Load(context.Background(), "s"))(t)); len(d) > 0 {
				rt.Fatalf("not one fold: %v", d[:min(3, len(d))])
			}
		}
	})
}
