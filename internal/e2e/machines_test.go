package e2e

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/graph"
)

// held is what a machine's journal is in a database: each session folded as the database
// holds it, its own or another journal's continuation.
func (m *machine) held(t *testing.T, store connector.Store) map[string]*graph.Graph {
	t.Helper()
	standings, err := store.(connector.Shared).Standings(context.Background(), m.journal.ID())
	must(t, err)
	files, err := m.journal.Files()
	must(t, err)
	out := map[string]*graph.Graph{}
	for _, f := range files {
		if standings[f.Session].Absorbed > 0 {
			continue // it is in another machine's
		}
		id, s := f.Session, graph.NewSession(f.Session, m.journal.ID())
		if standings[f.Session].Continues {
			id, s = graph.ContinuationID(f.Session, m.journal.ID()), graph.NewContinuation(f.Session, m.journal.ID())
		}
		out[id] = foldOf(t, s, f.Session, m.journal)
	}
	return out
}

// TestManyMachines: eight homes write into one database at once, all with the same tools,
// tags and files, and all with a session of the same id.
func TestManyMachines(t *testing.T) {
	d := emptied(t)
	direct := d.store(t, "")
	machines := make([]*machine, 8)
	for i := range machines {
		machines[i] = newMachine(t, d.store(t, ""))
		machines[i].start(t)
	}
	var working sync.WaitGroup
	for i, m := range machines {
		working.Go(func() {
			for range 15 {
				m.work(t, fmt.Sprint("own", i), 1)
				m.work(t, fmt.Sprint("second", i), 1)
				m.work(t, "common", 1)
			}
		})
	}
	working.Wait()
	want, owners := map[string]*graph.Graph{}, 0
	for i, m := range machines {
		m.await(t, direct)
		m.verify(t, direct)
		positions, err := direct.Positions(t.Context(), m.journal.ID())
		must(t, err)
		if have, want := slices.Sorted(maps.Keys(positions)), []string{"common", fmt.Sprint("own", i), fmt.Sprint("second", i)}; !slices.Equal(have, want) {
			t.Errorf("positions of machine %d: %v, want %v", i, have, want)
		}
		held := m.held(t, direct)
		if held["common"] != nil {
			owners++
		}
		maps.Copy(want, held)
	}
	if owners != 1 || len(want) != 8*3 {
		t.Errorf("the common session has %d owners, and there are %d sessions", owners, len(want))
	}
	d.holds(t, want)
	d.chains(t)
	if n := d.count(t, "MATCH (c:Session)-[:CONTINUES]->(:Session {session_id: 'common'}) RETURN count(c)"); n != 7 {
		t.Errorf("%d sessions continue the common one, want 7", n)
	}
	for _, label := range []string{"Tool", "Tag", "File"} {
		if n := d.count(t, "MATCH (n:"+label+") WHERE n.stub IS NOT NULL RETURN count(n)"); n != 0 {
			t.Errorf("%d %ss are stubs", n, label)
		}
	}
}

// TestResumedElsewhere: a session that was resumed on a second machine is two, the second
// CONTINUES the first, until one journal is imported into the other, in either direction;
// then the graph is one fold of both.
func TestResumedElsewhere(t *testing.T) {
	sessiond := build(t, "ag-sessiond")
	for _, direction := range []string{"into the owner", "into the other"} {
		t.Run(direction, func(t *testing.T) {
			d := emptied(t)
			store := d.store(t, "")
			a, b := newMachine(t, d.store(t, "")), newMachine(t, d.store(t, ""))
			b.step = 100
			a.work(t, "s", 5)
			a.sync(t)
			b.work(t, "s", 5)
			b.work(t, "only-b", 5)
			b.sync(t)
			a.work(t, "s", 5)
			a.sync(t)
			both := a.held(t, store)
			maps.Copy(both, b.held(t, store))
			if part := graph.ContinuationID("s", b.journal.ID()); both["s"] == nil || both[part] == nil || len(both) != 3 {
				t.Fatalf("sessions %v", slices.Sorted(maps.Keys(both)))
			}
			d.holds(t, both)
			into, from := a, b
			if direction == "into the other" {
				into, from = b, a
			}
			t.Setenv("AG_GRAPH_USER", d.user)
			t.Setenv("AG_GRAPH_PASSWORD", d.password)
			run(t, sessiond, into.dir, "import", from.dir)
			run(t, sessiond, into.dir, "sync", "--graph", d.url)
			run(t, sessiond, into.dir, "verify", "--graph", d.url)
			one := map[string]*graph.Graph{
				"s": foldOf(t, graph.NewSession("s", into.journal.ID()), "s", a.journal, b.journal),
			}
			one["only-b"] = foldOf(t, graph.NewSession("only-b", into.journal.ID()), "only-b", b.journal)
			d.holds(t, one)
			d.chains(t)
		})
	}
}

// TestImportUnderDaemons: a journal is imported while both machines' daemons run.
func TestImportUnderDaemons(t *testing.T) {
	d := emptied(t)
	store := d.store(t, "")
	a, b := newMachine(t, d.store(t, "")), newMachine(t, d.store(t, ""))
	b.step = 1000
	a.work(t, "s", 5)
	a.start(t)
	a.await(t, store)
	b.work(t, "s", 5)
	stopB := b.start(t)
	b.await(t, store)
	_, err := a.Import(t.Context(), b.dir, nil)
	must(t, err)
	a.work(t, "s", 5)
	b.work(t, "s", 5) // it goes on all the same, and loses nothing
	a.await(t, store)
	b.await(t, store)
	eventually(t, func() error {
		if d.count(t, "MATCH (c:Session)-[:CONTINUES]->(:Session) RETURN count(c)") != 1 {
			return fmt.Errorf("what was recorded after the import is nowhere")
		}
		return nil
	})
	stopB()
	_, err = a.Import(t.Context(), b.dir, nil)
	must(t, err)
	a.await(t, store)
	d.holds(t, map[string]*graph.Graph{"s": foldOf(t, graph.NewSession("s", a.journal.ID()), "s", a.journal, b.journal)})
}
