package sqlite_test

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph/connector/sqlite"
)

// unfinished are files as a writer leaves them between its steps of making one.
func unfinished(t *testing.T) map[string]string {
	dir := t.TempDir()
	created, wal := filepath.Join(dir, "created.db"), filepath.Join(dir, "wal.db")
	if err := os.WriteFile(created, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", wal)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	// Open, and a transaction with the layout not yet committed.
	db.SetMaxOpenConns(1)
	for _, statement := range []string{"PRAGMA journal_mode = WAL", "BEGIN IMMEDIATE", "CREATE TABLE position (x)"} {
		if _, err := db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { db.Exec("ROLLBACK") })
	return map[string]string{"created": created, "wal": wal}
}

// TestBeingMade: a reader that comes while another process makes the file is told
// so, and never to move it away.
func TestBeingMade(t *testing.T) {
	t.Parallel()
	for name, path := range unfinished(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := sqlite.Open(path, sqlite.Options{ReadOnly: true})
			if err == nil {
				s.Close()
			}
			if !errors.Is(err, sqlite.ErrBeingMade) || !strings.Contains(err.Error(), path) || strings.Contains(err.Error(), "away") {
				t.Errorf("%v, want ErrBeingMade", err)
			}
		})
	}
}

// TestMadeMeanwhile: a reader that comes a moment too early waits, and reads.
func TestMadeMeanwhile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "graph.db")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	made := make(chan error, 1)
	go func() {
		time.Sleep(200 * time.Millisecond) // by then the reader has looked
		s, err := sqlite.Open(path, sqlite.Options{})
		if err == nil {
			err = s.Close()
		}
		made <- err
	}()
	s, err := sqlite.Open(path, sqlite.Options{ReadOnly: true})
	if err := <-made; err != nil {
		t.Fatal(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// TestForeign: an SQLite file with tables of its own is nobody's being made.
func TestForeign(t *testing.T) {
	path := filepath.Join(t.TempDir(), "graph.db")
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("CREATE TABLE mine (x)"); err != nil {
		t.Fatal(err)
	}
	for _, o := range []sqlite.Options{{}, {ReadOnly: true}} {
		if s, err := sqlite.Open(path, o); err == nil || !strings.Contains(err.Error(), "not an actiongraph store") {
			t.Errorf("%+v: %v, %v", o, s, err)
		}
	}
}
