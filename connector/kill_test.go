package connector_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/connector/sqlite"
	"github.com/actiongraph/actiongraph/journal"
)

func openSQLite(t testing.TB, home string) *sqlite.Store {
	t.Helper()
	store, err := sqlite.Open(filepath.Join(home, "graph.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return store
}

// followUntilKilled is the child: what a daemon does, on SQLite.
func followUntilKilled() {
	home := os.Getenv("AG_HOME")
	j, err := journal.Open(home)
	if err == nil {
		_, err = connector.LockHome(home, connector.GraphLock, 10*time.Second)
	}
	var store *sqlite.Store
	if err == nil {
		store, err = sqlite.Open(filepath.Join(home, "graph.db"), sqlite.Options{})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	log := zerolog.New(os.Stderr)
	connector.Follow(context.Background(), j, log, &connector.Replica{Journal: j, Store: store, Log: log, MaxEvents: 25})
}

// A daemon is killed again and again while events arrive. After the last start the
// store is what a fresh fold gives.
func TestKilledWhileEventsArrive(t *testing.T) {
	kills := 20
	if os.Getenv("AG_SOAK") == "1" {
		kills = 200
	}
	j, rnd := newJournal(t), newRand(t)
	store := openSQLite(t, j.Home())
	sessions := []string{"a", "b", "c", "d", "e"}
	ctx, cancel := context.WithCancel(t.Context())
	written := make(chan int)
	go func() {
		n := 0
		rnd := rand.New(rand.NewPCG(1, 2))
		agents := map[string]*agent{}
		for ; ctx.Err() == nil; n++ {
			s := sessions[rnd.IntN(len(sessions))]
			if agents[s] == nil {
				agents[s] = newAgent(rnd, s)
			}
			record(t, j, s, agents[s].next())
			time.Sleep(time.Duration(rnd.IntN(1500)) * time.Microsecond)
		}
		written <- n
	}()
	moved := 0 // lives in which something reached the store
	for range kills {
		before := folded(t, j, store)
		cmd := child(t, "follow", j.Home())
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		// Some die while they start, some in the catch-up, some when they are live.
		time.Sleep(time.Duration(rnd.IntN(150)) * time.Millisecond)
		cmd.Process.Kill()
		if err := cmd.Wait(); err == nil || err.(*exec.ExitError).Exited() {
			t.Fatalf("the child ended by itself: %v", err)
		}
		if folded(t, j, store) > before {
			moved++
		}
	}
	cancel()
	events := <-written
	lag, _ := connector.Behind(t.Context(), j, store)
	t.Logf("%d kills, %d events; %d of the lives wrote; %d bytes behind at the last", kills, events, moved, lag.Bytes)
	cmd := child(t, "follow", j.Home())
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	await(t, j, store, 30*time.Second)
	cmd.Process.Kill()
	cmd.Wait()
	equalsFreshFold(t, j, store, sessions...)
	if changes, err := connector.Verify(t.Context(), j, store, ""); err != nil || len(changes) > 0 {
		t.Errorf("Verify: %v, %v", changes, err)
	}
	if moved == 0 {
		t.Error("no killed daemon ever wrote: this test proves nothing")
	}
}

// folded is how many bytes of the journal a store has.
func folded(t *testing.T, j *journal.Journal, s connector.Store) (n int64) {
	t.Helper()
	positions, err := s.Positions(t.Context(), j.ID())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range positions {
		n += p.Offset
	}
	return n
}
