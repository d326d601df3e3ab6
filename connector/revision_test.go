package connector_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/connector/sqlite"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/schema"
)

// What another version of the fold made of a session is dropped and made again, at once
// and once, in any store; what was folded by this one is left alone.
func TestFoldedByAnotherRevision(t *testing.T) {
	embedded := func(t *testing.T) connector.Store {
		return must(sqlite.Open(filepath.Join(t.TempDir(), sqlite.FileName), sqlite.Options{}))(t)
	}
	memory := func(*testing.T) connector.Store { return newMemory() }
	for name, open := range map[string]func(*testing.T) connector.Store{"memory": memory, "sqlite": embedded} {
		for _, revision := range []int64{0, graph.Revision + 1} {
			t.Run(fmt.Sprintf("%s, revision %d", name, revision), func(t *testing.T) {
				j, store := newJournal(t), open(t)
				defer store.Close()
				rnd := newRand(t)
				old, kept := newAgent(rnd, "old"), newAgent(rnd, "kept")
				record(t, j, old.session, old.lines(20)...)
				record(t, j, kept.session, kept.lines(20)...)
				sync1(t, replica(j, store))
				foldedOtherwise(t, store, j.ID(), old.session, revision)

				lag := must(connector.Behind(t.Context(), j, store))(t)
				if size := must(j.Stat(old.session))(t).Size; lag.Sessions != 1 || lag.Bytes != size {
					t.Errorf("behind by %+v, want the session's %d bytes", lag, size)
				}
				changes, err := connector.Verify(t.Context(), j, store, "")
				if !errors.Is(err, connector.ErrOtherFold) || len(changes) > 0 {
					t.Errorf("verify: %v, %v", changes, err)
				}

				// Nothing has to be recorded for it: the catch-up of a start is enough.
				report := sync1(t, replica(j, store))
				if report.Resets != 1 || report.Sessions != 1 {
					t.Errorf("%+v, want one session folded again", report)
				}
				equalsFreshFold(t, j, store, old.session, kept.session)
				if lag := must(connector.Behind(t.Context(), j, store))(t); lag != (connector.Lag{}) {
					t.Errorf("behind by %+v", lag)
				}
				if report = sync1(t, replica(j, store)); report.Sessions != 0 || report.Resets != 0 {
					t.Errorf("again: %+v", report)
				}

				// One that goes on while nothing is folded anew yet.
				foldedOtherwise(t, store, j.ID(), old.session, revision)
				record(t, j, old.session, old.next())
				if report = sync1(t, replica(j, store)); report.Resets != 1 {
					t.Errorf("%+v, want it folded again with what is new", report)
				}
				equalsFreshFold(t, j, store, old.session, kept.session)
			})
		}
	}
}

// foldedOtherwise leaves a session in a store as another version of the fold might have.
func foldedOtherwise(t *testing.T, store connector.Store, journal, session string, revision int64) {
	t.Helper()
	at := must(store.Positions(t.Context(), journal))(t)[session]
	if at.Fold != graph.Revision {
		t.Fatalf("%+v", at)
	}
	to := at
	to.Fold = revision
	alien := graph.Node{Ref: graph.Ref{Label: graph.LabelAction, Key: schema.NewID("of", "an older fold")}, Type: graph.Notification}
	batch := graph.Batch{Journal: journal, Session: session, From: at, To: to, Ops: []graph.Op{{Kind: graph.PutNode, Node: alien}}}
	if err := store.Apply(context.Background(), []graph.Batch{batch}); err != nil {
		t.Fatal(err)
	}
}
