package connector_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/journal"
)

// Two machines with one home, as a copied virtual machine has, undo what the other one
// wrote for ever: that is said, once, with its cure. One file that was restored is not it.
func TestCopiedHome(t *testing.T) {
	j, rnd, store := newJournal(t), newRand(t), newMemory()
	record(t, j, "s", newAgent(rnd, "s").lines(5)...)
	home := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(home, os.DirFS(j.Home())); err != nil {
		t.Fatal(err)
	}
	copied := must(journal.Open(home))(t)
	if copied.ID() != j.ID() {
		t.Fatal("not a copy")
	}
	var log syncBuffer
	r, other := replica(j, store), replica(copied, store)
	r.Log = connector.NewLogger(&log, "replica", false)
	start(t, func(ctx context.Context) { connector.Follow(ctx, j, zerolog.Nop(), r) })
	await(t, j, store, 10*time.Second)
	a, b := newAgent(rnd, "s"), newAgent(rnd, "s")
	for turn := range 8 {
		record(t, copied, "s", b.next())
		sync1(t, other)
		if turn == 1 && strings.Contains(log.String(), "journal.copied") {
			t.Errorf("said after one conflict:\n%s", log.String())
		}
		record(t, j, "s", a.next())
		awaitEqual(t, j, store, "s") // the copy's position may be beyond the end of this file: not behind
	}
	if n := strings.Count(log.String(), "journal.copied"); n != 1 {
		t.Errorf("said %d times:\n%s", n, log.String())
	}
	said := r.Health().LastError
	for _, want := range []string{"another machine uses this journal's id, " + j.ID(), "delete " + filepath.Join(j.Home(), "id")} {
		if !strings.Contains(said, want) {
			t.Errorf("last error %q, want %q in it", said, want)
		}
	}
	equalsFreshFold(t, j, store, "s")
}
