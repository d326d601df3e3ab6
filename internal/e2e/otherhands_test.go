package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/connector/neo4j"
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

// TestWiped: somebody empties the database under daemons that have nothing to write. They
// find out, also the one whose database is on another continent.
func TestWiped(t *testing.T) {
	d := emptied(t)
	far := neo4jtest.NewProxy(t, d.url)
	far.Break(func(piece neo4jtest.Piece) neo4jtest.Fate {
		if piece.ToServer {
			time.Sleep(100 * time.Millisecond)
		}
		return neo4jtest.Pass
	})
	direct := d.store(t, "")
	near, distant := newMachine(t, d.watchful(t, d.url)), newMachine(t, d.watchful(t, far.URL))
	for i, m := range []*machine{near, distant} {
		m.work(t, fmt.Sprint("s", i), 20)
		m.start(t)
		m.await(t, direct)
	}
	d.ask(t, "MATCH (n) DETACH DELETE n", nil)
	for _, m := range []*machine{near, distant} {
		m.await(t, direct) // nothing is appended meanwhile
		m.verify(t, direct)
	}
	want := folded(t, near.dir)
	want["s1"] = folded(t, distant.dir)["s1"]
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
// written safely then: the error names the nodes, and all goes on by itself when they are
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
	if said := m.replica.Health().LastError; !strings.Contains(said, "Session") || !strings.Contains(said, "'s'") {
		t.Errorf("it does not name the node: %s", said)
	} else {
		t.Log(said)
	}
	d.ask(t, "MATCH (s:Session {session_id: 's'}) DELETE s", nil)
	m.await(t, d.store(t, ""))
	d.holds(t, folded(t, m.dir))
}
