package e2e

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/internal/neo4jtest"
)

// TestDiskFull fills the database's disk under a running daemon, and gives it more. It
// mounts one, which takes root, so that it is no part of make test.
func TestDiskFull(t *testing.T) {
	if os.Getenv("AG_SOAK") != "1" || os.Getuid() != 0 {
		t.Log("not run: it takes AG_SOAK=1 and root")
		return
	}
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=256m"); err != nil {
		t.Log("not run: ", err)
		return
	}
	t.Cleanup(func() { must(t, syscall.Unmount(disk, syscall.MNT_DETACH)) })
	server := neo4jtest.Start(t, neo4jtest.Options{DataDir: disk})
	d := connect(t, server.URL, "", "")
	m := newMachine(t, d.store(t, ""))
	m.work(t, "s", 20)
	stop := m.start(t)
	direct := d.store(t, "")
	m.await(t, direct)
	fill, err := os.Create(filepath.Join(disk, "somebody else's"))
	must(t, err)
	for err == nil {
		_, err = fill.Write(make([]byte, 4<<10))
	}
	fill.Close()
	eventually(t, func() error {
		lag, err := connector.Behind(t.Context(), m.journal, direct)
		if err == nil && lag.Sessions == 0 {
			m.work(t, "s", 200)
		}
		if h := m.replica.Health(); h.State != connector.Down {
			return errors.New("the disk is full, and all is well")
		}
		return nil
	})
	t.Log(m.replica.Health().LastError)
	must(t, os.Remove(fill.Name()))
	// Neo4j does not go on by itself after it could not write its log.
	server.Kill()
	must(t, server.Restart())
	m.await(t, direct)
	stop()
	m.verify(t, direct)
	d.holds(t, folded(t, m.dir))
}
