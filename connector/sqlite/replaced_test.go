package sqlite_test

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/actiongraph/actiongraph/connector/sqlite"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/schema"
)

func statusBatch(session string, from, to schema.Position) graph.Batch {
	ref := graph.Ref{Label: graph.LabelSession, Key: session}
	return graph.Batch{Journal: "j", Session: session, From: from, To: to,
		Ops: []graph.Op{{Kind: graph.PutNode, Node: graph.Node{Ref: ref, Props: []graph.Prop{{Name: "status", Value: "active"}}}}}}
}

// TestReplacedAndNotOpened: where the file is gone and another cannot be opened at once,
// the store answers from no file that is not there any more.
func TestReplacedAndNotOpened(t *testing.T) {
	path := filepath.Join(t.TempDir(), "graph.db")
	s := open(t, path, sqlite.Options{})
	first := schema.Position{Offset: 10, Sum: 10, First: 1}
	if err := s.Apply(ctx, []graph.Batch{statusBatch("a", schema.Position{}, first)}); err != nil {
		t.Fatal(err)
	}
	if at, err := s.Positions(ctx, "j"); err != nil || at["a"] != first {
		t.Fatal(at, err)
	}
	remove(t, path)
	if err := os.Mkdir(path, 0o700); err != nil { // what cannot be opened for a moment
		t.Fatal(err)
	}
	next := statusBatch("a", first, schema.Position{Offset: 20, Sum: 20, First: 1})
	if err := s.Apply(ctx, []graph.Batch{next}); err == nil {
		t.Fatal("a folder was written to")
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := s.Apply(ctx, []graph.Batch{next}); !errors.Is(err, graph.ErrConflict) {
		t.Fatalf("the new file took a batch that begins at %v: %v", next.From, err)
	}
	at, err := s.Positions(ctx, "j")
	if err != nil || len(at) > 0 {
		t.Fatalf("positions of the file that is gone: %v %v", at, err)
	}
	if err := s.Apply(ctx, []graph.Batch{statusBatch("a", schema.Position{}, first)}); err != nil {
		t.Fatal(err)
	}
}

// TestReplacedByAnotherVersion: a file of another layout that takes the place of an open
// one is refused each time.
func TestReplacedByAnotherVersion(t *testing.T) {
	dir := t.TempDir()
	path, newer := filepath.Join(dir, "graph.db"), filepath.Join(dir, "newer.db")
	s := open(t, path, sqlite.Options{})
	open(t, newer, sqlite.Options{}).Close()
	db, err := sql.Open("sqlite", newer)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("PRAGMA user_version = 999"); err != nil {
		t.Fatal(err)
	}
	db.Close()
	remove(t, path)
	if err := os.Rename(newer, path); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		err := s.Apply(ctx, []graph.Batch{statusBatch("a", schema.Position{}, schema.Position{Offset: 1, Sum: 1, First: 1})})
		if err == nil || !strings.Contains(err.Error(), "layout version 999") {
			t.Fatalf("Apply: %v", err)
		}
	}
}

// remove removes a store's files.
func remove(t *testing.T, path string) {
	t.Helper()
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(path + suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
	}
}
