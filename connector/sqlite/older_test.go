package sqlite_test

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/actiongraph/actiongraph/connector/sqlite"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/schema"
)

// earlier makes a store of an earlier layout, of the sessions "a" and "b", as a writer leaves it
// that was killed: "b" is in the log alone.
func earlier(t *testing.T, layout int) (path string) {
	t.Helper()
	made := filepath.Join(t.TempDir(), "graph.db")
	s, err := sqlite.Open(made, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	fold(t, s, "a")
	if err := s.Maintain(ctx); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", made)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(fmt.Sprintf("PRAGMA user_version = %d; PRAGMA wal_checkpoint(TRUNCATE)", layout)); err != nil {
		t.Fatal(err)
	}
	fold(t, s, "b")
	path = filepath.Join(t.TempDir(), "graph.db")
	for _, suffix := range []string{"", "-wal"} { // while it is open: closed, it would be one file
		text, err := os.ReadFile(made + suffix)
		if err != nil || len(text) == 0 {
			t.Fatalf("%s: %d bytes, %v", suffix, len(text), err)
		}
		if err := os.WriteFile(path+suffix, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

func fold(t *testing.T, s *sqlite.Store, session string) {
	t.Helper()
	ops := []graph.Op{{Kind: graph.PutNode, Node: graph.Node{Ref: graph.Ref{Label: graph.LabelSession, Key: session}}}}
	if err := s.Apply(ctx, []graph.Batch{{Journal: "j", Session: session, To: schema.Position{Offset: 1}, Ops: ops}}); err != nil {
		t.Fatal(err)
	}
}

// names are the files in a folder.
func names(t *testing.T, dir string) (all []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

// aside wants one file put aside, which holds both sessions.
func aside(t *testing.T, path string, layout int64) sqlite.Aside {
	t.Helper()
	all, err := sqlite.Asides(path)
	if err != nil || len(all) != 1 || all[0].Layout != layout || all[0].Err != nil || !slices.Equal(all[0].Sessions, []string{"a", "b"}) {
		t.Fatalf("put aside: %+v, %v; want one of layout %d with a and b", all, err, layout)
	}
	return all[0]
}

// TestEarlierLayout: a writer begins anew and keeps what was there, the log included, until it is
// told that the journal has it all.
func TestEarlierLayout(t *testing.T) {
	t.Parallel()
	path := earlier(t, 5)
	reader, err := sqlite.Open(path, sqlite.Options{ReadOnly: true})
	if err == nil {
		reader.Close()
	}
	if !errors.Is(err, sqlite.ErrOlder) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "version 5") {
		t.Errorf("to read: %v, want ErrOlder", err)
	}

	// Somebody has it open as an idle daemon of before has.
	idle, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer idle.Close()
	asks := func() (n int) {
		t.Helper()
		if runtime.GOOS == "windows" {
			return 2 // a file that is open cannot be put aside there: the writer says so
		}
		if err := idle.QueryRow("SELECT count(*) FROM position").Scan(&n); err != nil {
			t.Error(err)
		}
		return n
	}
	if n := asks(); n != 2 {
		t.Errorf("%d sessions in the old one, want 2", n)
	}

	s, err := sqlite.Open(path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if s.Superseded() != 5 {
		t.Errorf("superseded %d, want 5", s.Superseded())
	}
	if at, err := s.Positions(ctx, "j"); err != nil || len(at) > 0 {
		t.Errorf("positions of the new one: %v, %v", at, err)
	}
	fold(t, s, "a")
	if n := asks(); n != 2 {
		t.Errorf("who has the old one open finds %d sessions, want 2", n)
	}
	kept := aside(t, path, 5)

	for _, has := range []func(string) bool{func(string) bool { return false }, func(id string) bool { return id == "a" }} {
		if err := s.DropOlder(func(all []string) bool { return !slices.ContainsFunc(all, func(id string) bool { return !has(id) }) }); err != nil {
			t.Fatal(err)
		}
		aside(t, path, 5)
	}
	if only := sqlite.Only(kept, func(id string) bool { return id == "a" }); !slices.Equal(only, []string{"b"}) {
		t.Errorf("only in it: %v, want b", only)
	}
	if err := s.DropOlder(func(all []string) bool { return slices.Equal(all, []string{"a", "b"}) }); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if got := names(t, filepath.Dir(path)); !slices.Equal(got, []string{"graph.db"}) {
		t.Errorf("left: %v", got)
	}
	if s, err = sqlite.Open(path, sqlite.Options{}); err != nil || s.Superseded() != 0 {
		t.Fatalf("again: %v, superseded %d", err, s.Superseded())
	}
}

// TestPutAsideTwice: what was put aside is not written over, whatever came back meanwhile.
func TestPutAsideTwice(t *testing.T) {
	t.Parallel()
	path := earlier(t, 5)
	for range 2 {
		s, err := sqlite.Open(path, sqlite.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(path + ".v5")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, text, 0o600); err != nil { // from a backup
			t.Fatal(err)
		}
	}
	if s, err := sqlite.Open(path, sqlite.Options{}); err != nil {
		t.Fatal(err)
	} else if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	want := []string{"graph.db", "graph.db.v5", "graph.db.v5-2", "graph.db.v5-3"}
	if got := names(t, filepath.Dir(path)); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if all, err := sqlite.Asides(path); err != nil || len(all) != 3 {
		t.Errorf("%+v, %v", all, err)
	}
}

// TestKilledAside: every state between two steps of putting a file aside is gone on from, and none
// of them loses a session.
func TestKilledAside(t *testing.T) {
	t.Parallel()
	for name, step := range map[string]func(t *testing.T, path string){
		"not begun": func(*testing.T, string) {},
		"log folded in": func(t *testing.T, path string) {
			db, err := sql.Open("sqlite", path)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			if _, err := db.Exec("PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
				t.Fatal(err)
			}
		},
		"renamed, its log still there": func(t *testing.T, path string) {
			log, err := os.ReadFile(path + "-wal")
			if err != nil {
				t.Fatal(err)
			}
			made(t, path)
			gone(t, path)
			for suffix, text := range map[string][]byte{"-wal": log, "-shm": make([]byte, 32<<10)} {
				if err := os.WriteFile(path+suffix, text, 0o600); err != nil {
					t.Fatal(err)
				}
			}
		},
		"nothing at its place": func(t *testing.T, path string) { made(t, path); gone(t, path) },
		"an empty file":        func(t *testing.T, path string) { made(t, path); gone(t, path); write(t, path) },
		"a new one":            func(t *testing.T, path string) { made(t, path) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := earlier(t, 3)
			step(t, path)
			s, err := sqlite.Open(path, sqlite.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if at, err := s.Positions(ctx, "j"); err != nil || len(at) > 0 {
				t.Errorf("the new one holds %v, %v", at, err)
			}
			fold(t, s, "a")
			aside(t, path, 3)
		})
	}
}

func made(t *testing.T, path string) {
	t.Helper()
	s, err := sqlite.Open(path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func gone(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, path string) {
	t.Helper()
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestLaterLayout: what a later version wrote is refused and left as it is, its log included.
func TestLaterLayout(t *testing.T) {
	t.Parallel()
	path := earlier(t, sqlite.Version+1)
	before := contents(t, filepath.Dir(path))
	for _, o := range []sqlite.Options{{}, {ReadOnly: true}} {
		s, err := sqlite.Open(path, o)
		if err == nil {
			s.Close()
		}
		want := fmt.Sprintf("layout version %d, this program reads version %d", sqlite.Version+1, sqlite.Version)
		if err == nil || errors.Is(err, sqlite.ErrOlder) || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "later version") {
			t.Errorf("%+v: %v, want %q", o, err, want)
		}
	}
	after := contents(t, filepath.Dir(path))
	for name := range after {
		if !bytes.Equal(before[name], after[name]) {
			t.Errorf("%s was changed or made", name)
		}
	}
	if len(after) != len(before) {
		t.Errorf("%d files, were %d", len(after), len(before))
	}
}

func contents(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	for _, name := range names(t, dir) {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		all[name] = text
	}
	return all
}
