package sqlite_test

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph/connector/sqlite"
	"github.com/actiongraph/actiongraph/connector/storetest"
	"github.com/actiongraph/actiongraph/graph"
)

const killEnv = "AG_TEST_SQLITE_APPLY"

const killSessions = 5

// TestMain turns the test binary into the process that TestKilled kills.
func TestMain(m *testing.M) {
	if path := os.Getenv(killEnv); path != "" {
		if err := applyForever(path); err != nil {
			fmt.Println("error:", err)
			os.Exit(1)
		}
	}
	if path := os.Getenv(compactEnv); path != "" {
		if err := compactForever(path); err != nil {
			fmt.Println("error:", err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// applyForever goes on where the store is, and says so after each transaction.
func applyForever(path string) error {
	s, err := sqlite.Open(path, sqlite.Options{})
	if err != nil {
		return err
	}
	f := newFeed(killSessions)
	for {
		at, err := s.Positions(ctx, "j")
		if err != nil {
			return err
		}
		batches := killBatches(f)
		if at[batches[0].Session].Offset >= batches[0].To.Offset {
			continue // an earlier life did this one
		}
		if err := s.Apply(ctx, batches); err != nil {
			return err
		}
		fmt.Println("applied")
	}
}

func killBatches(f *feed) []graph.Batch { return f.take(20 * killSessions) }

// TestKilled kills a writer again and again: what is found afterwards is whole
// transactions, the positions belong to the graph, and the next writer goes on.
func TestKilled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "graph.db")
	rounds := 12
	if testing.Short() {
		rounds = 3
	}
	seen := int64(0)
	for range rounds {
		seen = killOnce(t, path, seen)
	}
}

func killOnce(t *testing.T, path string, seen int64) int64 {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), killEnv+"="+path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for n := 1 + rand.IntN(8); n > 0 && lines.Scan(); n-- {
		if lines.Text() != "applied" {
			t.Fatal(lines.Text())
		}
	}
	time.Sleep(time.Duration(rand.IntN(3000)) * time.Microsecond) // into the next transaction
	cmd.Process.Kill()
	cmd.Wait()

	s, err := sqlite.Open(path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	at, err := s.Positions(ctx, "j")
	if err != nil {
		t.Fatal(err)
	}
	m, f := storetest.NewMemory(), newFeed(killSessions)
	reached := int64(0)
	for {
		batches := killBatches(f)
		last := batches[0]
		if err := m.Apply(ctx, batches); err != nil {
			t.Fatal(err)
		}
		if reached = last.To.Offset; reached >= at[last.Session].Offset {
			break
		}
	}
	if reached <= seen {
		t.Fatalf("an acknowledged transaction is lost: at %d, was at %d", reached, seen)
	}
	sameAs(t, m, s)
	return reached
}
