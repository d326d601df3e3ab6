package e2e

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	actiongraph "github.com/actiongraph/actiongraph"
	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/connector/neo4j"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/internal/neo4jtest"
)

// watchful is a store that looks every half second whether the database is still its own,
// rather than every minute.
func (d *database) watchful(t testing.TB, url string) *neo4j.Store {
	t.Helper()
	s, err := neo4j.Open(context.Background(), neo4j.Options{URL: url, User: d.user, Password: d.password, CheckEvery: 500 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// TestWiped: somebody empties the database under daemons. One that has something to write
// finds out by that; those that have nothing look, also the one whose database is on
// another continent.
func TestWiped(t *testing.T) {
	d := emptied(t)
	far := neo4jtest.NewProxy(t, d.url)
	direct := d.store(t, "")
	near, distant, busy := newMachine(t, d.watchful(t, d.url)), newMachine(t, d.watchful(t, far.URL)), newMachine(t, d.store(t, ""))
	machines := []*machine{near, distant, busy}
	for i, m := range machines {
		m.work(t, fmt.Sprint("s", i), 20)
		m.start(t)
	}
	for _, m := range machines {
		m.await(t, direct)
	}
	far.Break(func(piece neo4jtest.Piece) neo4jtest.Fate {
		if piece.ToServer {
			time.Sleep(100 * time.Millisecond)
		}
		return neo4jtest.Pass
	})
	d.ask(t, "MATCH (n) DETACH DELETE n", nil)
	busy.work(t, "s2", 1)
	for _, m := range []*machine{near, distant} { // nothing is appended meanwhile
		eventually(t, func() error {
			if said := m.replica.Health().LastError; !strings.Contains(said, "emptied") {
				return fmt.Errorf("not noticed: %q", said)
			}
			return nil
		})
	}
	far.Break(nil)
	want := map[string]*graph.Graph{}
	for _, m := range machines {
		m.await(t, direct)
		m.verify(t, direct)
		maps.Copy(want, folded(t, m.dir))
	}
	d.holds(t, want)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestTwoDaemons: a home was copied with its journal's id, and both copies are recorded
// into one database at once. They take the sessions from each other, and when one of the
// two is stopped the other's record is what stays.
func TestTwoDaemons(t *testing.T) {
	d := emptied(t)
	direct := d.store(t, "")
	a := newMachine(t, d.watchful(t, d.url))
	a.work(t, "s", 20)
	a.work(t, "quiet", 5)
	a.sync(t)
	dir := filepath.Join(t.TempDir(), "copy")
	must(t, os.CopyFS(dir, os.DirFS(a.dir)))
	b := openMachine(t, dir, d.watchful(t, d.url))
	b.step = 1000
	if a.journal.ID() != b.journal.ID() {
		t.Fatal("not a copy")
	}
	a.start(t)
	stopB := b.start(t)
	var both sync.WaitGroup
	for _, m := range []*machine{a, b} {
		both.Go(func() {
			for range 30 {
				m.work(t, "s", 1)
				time.Sleep(10 * time.Millisecond) // a pace, no proof
			}
		})
	}
	both.Wait()
	eventually(t, func() error {
		if a.replica.Health().LastError == "" || b.replica.Health().LastError == "" {
			return errors.New("one has not noticed the other")
		}
		return nil
	})
	stopB()
	a.work(t, "s", 1)
	a.await(t, direct)
	eventually(t, func() error { // what was b's last is b's, until a looks
		changes, err := connector.Verify(context.Background(), a.journal, direct, "")
		if err == nil && len(changes) > 0 {
			err = errors.New(changes[0].String())
		}
		return err
	})
	d.holds(t, folded(t, a.dir))
}

// TestForeignNodes: the database has nodes with our labels and keys that somebody made by
// hand. They are taken over where a key is unique.
func TestForeignNodes(t *testing.T) {
	d := emptied(t)
	d.ask(t, "CREATE (:Tool {name: 'Bash', mine: 1}), (:Session {session_id: 's', name: 'mine'}), (:Canary {name: 'Bash'})", nil)
	m := newMachine(t, d.store(t, ""))
	m.work(t, "s", 10)
	m.sync(t)
	changes, err := connector.Verify(context.Background(), m.journal, m.replica.Store, "")
	t.Log(changes, err)
	if n := d.count(t, "MATCH (t:Tool {name: 'Bash'}) RETURN count(t)"); n != 1 {
		t.Errorf("%d Tools of one name", n)
	}
	if n := d.count(t, "MATCH (t:Canary {name: 'Bash'}) RETURN count(t)"); n != 1 {
		t.Error("somebody else's node is gone")
	}
}

// TestDuplicates: the database had no constraints and holds one key twice. Nothing can be
// written safely then: the error says how to find the nodes, and all goes on by itself when they are
// gone.
func TestDuplicates(t *testing.T) {
	d := emptied(t)
	setup := d.store(t, "")
	must(t, setup.Drop(t.Context()))
	d.ask(t, "CREATE (:Session {session_id: 's'}), (:Session {session_id: 's'})", nil)
	m := newMachine(t, d.store(t, ""))
	m.work(t, "s", 10)
	m.work(t, "other", 10)
	m.start(t)
	eventually(t, func() error {
		if h := m.replica.Health(); h.State != connector.Down {
			return errors.New(string(h.State))
		}
		return nil
	})
	if said := m.replica.Health().LastError; !strings.Contains(said, "nodes of the label Session share their session_id") || !strings.Contains(said, "MATCH (n:Session)") {
		t.Errorf("it does not say how to find the nodes: %s", said)
	} else {
		t.Log(said)
	}
	d.ask(t, "MATCH (s:Session {session_id: 's'}) DELETE s", nil)
	m.await(t, d.store(t, ""))
	d.holds(t, folded(t, m.dir))
}

// TestForeignConstraint: somebody put a constraint of their own on our nodes, and one
// session's actions do not hold it. The error names it; the other sessions, in the same
// transaction or behind it, arrive all the same, and it does when the constraint is gone.
func TestForeignConstraint(t *testing.T) {
	d := emptied(t)
	const drop = "DROP CONSTRAINT foreign IF EXISTS"
	d.ask(t, "CREATE CONSTRAINT foreign IF NOT EXISTS FOR (a:ToolCall) REQUIRE a.command IS UNIQUE", nil)
	t.Cleanup(func() { d.ask(t, drop, nil) })
	direct := d.store(t, "")
	m := newMachine(t, d.store(t, ""))
	for i := range 6 {
		m.call(t, fmt.Sprint("s", i), "c", fmt.Sprint("command ", i))
	}
	m.call(t, "bad", "c1", "twice")
	m.call(t, "bad", "c2", "twice")
	m.call(t, "after", "c", "command after")
	_, err := m.replica.Sync(t.Context(), nil)
	if err == nil || !strings.Contains(err.Error(), "bad") || !strings.Contains(err.Error(), "command") {
		t.Errorf("%v: want one that names the session and the property", err)
	}
	stop := m.start(t)
	m.call(t, "live", "c", "command live")
	eventually(t, func() error {
		if n := d.count(t, "MATCH (s:Session) WHERE s.stub IS NULL RETURN count(s)"); n != 8 {
			return fmt.Errorf("%d sessions: one holds up others", n)
		}
		if h := m.replica.Health(); h.State != connector.Up || h.Refused != 1 || !strings.Contains(h.LastError, "bad") {
			return fmt.Errorf("%+v: want one that says what it is about", h)
		}
		return nil
	})
	d.ask(t, drop, nil)
	m.await(t, direct)
	stop()
	m.verify(t, direct)
	d.holds(t, folded(t, m.dir))
}

// call records one call of a session.
func (m *machine) call(t *testing.T, session, id, command string) {
	t.Helper()
	_, err := m.Recorder("").RecordToolCall(actiongraph.ToolCall{SessionID: session, ToolName: "Bash", ToolUseID: id, ToolInput: map[string]any{"command": command}})
	must(t, err)
}
