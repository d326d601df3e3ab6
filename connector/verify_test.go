package connector_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/graph"
)

// raw appends bytes that are not framed.
func raw(t testing.TB, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
}

// What writers left that were killed neither differs nor lags, wherever it is.
func TestTornEndsAreNoDifferenceAndNoLag(t *testing.T) {
	for _, tail := range []string{"\n{\"torn\n", "\n{\"torn", "\n", "\n\n\n", "\n{\"torn\n{\"torn", "garbage\n", "\n\n[1]\n\n"} {
		for _, before := range []int{0, 5} {
			j, store := newJournal(t), newMemory()
			a := newAgent(newRand(t), "a")
			record(t, j, "a", a.lines(before)...)
			raw(t, file(j, "a"), tail)
			check := func() {
				t.Helper()
				sync1(t, replica(j, store))
				if changes, err := connector.Verify(t.Context(), j, store, ""); err != nil || len(changes) > 0 {
					t.Errorf("%d records and %q: Verify: %v, %v", before, tail, changes, err)
				}
				if lag, err := connector.Behind(t.Context(), j, store); err != nil || lag != (connector.Lag{}) {
					t.Errorf("%d records and %q: behind by %+v, %v", before, tail, lag, err)
				}
			}
			check()
			record(t, j, "a", a.next())
			if lag, err := connector.Behind(t.Context(), j, store); err != nil || lag.Sessions != 1 || lag.Bytes < 50 {
				t.Errorf("%d records, %q and one more: behind by %+v, %v", before, tail, lag, err)
			}
			check()
			equalsFreshFold(t, j, store, "a")
		}
	}
}

// A session's file may be a link to one on another disk.
func TestLinkedFile(t *testing.T) {
	j, store := newJournal(t), newMemory()
	record(t, j, "a", newAgent(newRand(t), "a").lines(5)...)
	elsewhere := t.TempDir() + "/elsewhere"
	if err := os.Rename(file(j, "a"), elsewhere); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(elsewhere, file(j, "a")); err != nil {
		t.Skip(err)
	}
	sync1(t, replica(j, store))
	equalsFreshFold(t, j, store, "a")
	if lag, err := connector.Behind(t.Context(), j, store); err != nil || lag != (connector.Lag{}) {
		t.Errorf("behind by %+v, %v", lag, err)
	}
}

// moving is a store in which something happens before each Load.
type moving struct {
	connector.Store
	before func(session string)
}

func (m moving) Load(ctx context.Context, session string) (*graph.Graph, error) {
	m.before(session)
	return m.Store.Load(ctx, session)
}

// stray puts an action that no journal knows of.
func stray(key string) graph.Op {
	return graph.Op{Kind: graph.PutNode, Node: graph.Node{
		Ref: graph.Ref{Label: graph.LabelAction, Key: key}, Type: graph.ToolCall}}
}

// A session that is recorded while it is verified does not differ for that.
func TestVerifyWhileRecorded(t *testing.T) {
	for _, tc := range []struct {
		name  string
		moves int
		err   error
	}{{"once", 1, nil}, {"a few times", 4, nil}, {"all the time", 1 << 30, connector.ErrBeingWritten}} {
		t.Run(tc.name, func(t *testing.T) {
			j, store := newJournal(t), newMemory()
			rnd := newRand(t)
			a, b := newAgent(rnd, "a"), newAgent(rnd, "b")
			record(t, j, "a", a.lines(5)...)
			record(t, j, "b", b.lines(5)...)
			r := replica(j, store)
			sync1(t, r)
			store.graphs["b"].Apply(stray("nobody's"))
			moves := 0
			changes, err := connector.Verify(t.Context(), j, moving{store, func(session string) {
				if session == "a" && moves < tc.moves {
					moves++
					record(t, j, "a", a.lines(3)...)
					sync1(t, r)
				}
			}}, "")
			if !errors.Is(err, tc.err) || tc.err != nil && !strings.Contains(err.Error(), "session a") {
				t.Errorf("error %v, want %v", err, tc.err)
			}
			if len(changes) != 1 || !strings.Contains(changes[0].What, "nobody's") {
				t.Errorf("changes %v, want b's alone", changes)
			}
		})
	}
}

// The same with a writer that nobody waits for.
func TestVerifyBesideFollow(t *testing.T) {
	j, store := newJournal(t), newMemory()
	a := newAgent(newRand(t), "a")
	record(t, j, "a", a.lines(200)...)
	r := replica(j, store)
	sync1(t, r)
	start(t, func(ctx context.Context) { connector.Follow(ctx, j, zerolog.Nop(), r) })
	stop := start(t, func(ctx context.Context) {
		// Each Verify folds all there is: without an end, a slow machine would see the
		// session outgrow it.
		for n := 0; n < 1000 && ctx.Err() == nil; n++ {
			record(t, j, "a", a.next())
			time.Sleep(2 * time.Millisecond)
		}
	})
	first := must(store.Positions(t.Context(), j.ID()))(t)["a"]
	for n, end := 0, time.Now().Add(5*time.Second); n < 100 && time.Now().Before(end); n++ {
		changes, err := connector.Verify(t.Context(), j, store, "")
		if len(changes) > 0 || err != nil && !errors.Is(err, connector.ErrBeingWritten) {
			t.Fatalf("%v, %v", changes, err)
		}
	}
	stop()
	if last := must(store.Positions(t.Context(), j.ID()))(t)["a"]; last == first {
		t.Error("nothing was recorded meanwhile: this test proves nothing")
	}
}

// A file that cannot be read is named, beside what is wrong with the others.
func TestVerifyGoesOnPastUnreadableFiles(t *testing.T) {
	j, store := newJournal(t), newMemory()
	rnd := newRand(t)
	for _, session := range []string{"a", "b", "c", "d"} {
		record(t, j, session, newAgent(rnd, session).lines(5)...)
	}
	sync1(t, replica(j, store))
	for _, session := range []string{"a", "d"} {
		store.graphs[session].Apply(stray("of " + session))
	}
	for _, session := range []string{"b", "c"} {
		if err := os.Remove(file(j, session)); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(file(j, session), file(j, session)); err != nil { // permissions mean nothing to root
			t.Skip(err)
		}
	}
	changes, err := connector.Verify(t.Context(), j, store, "")
	if len(changes) != 2 || !strings.Contains(changes[0].What, "of a") || !strings.Contains(changes[1].What, "of d") {
		t.Errorf("changes %v, want one each of a and d", changes)
	}
	if err == nil || !strings.Contains(err.Error(), "session b") || !strings.Contains(err.Error(), "session c") {
		t.Errorf("error %v, want b and c", err)
	}
}
