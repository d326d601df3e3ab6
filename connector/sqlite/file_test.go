package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/actiongraph/actiongraph/connector/sqlite"
	"github.com/actiongraph/actiongraph/connector/storetest"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/schema"
)

var ctx = context.Background()

// fill applies the feed's first events and returns what they fold to.
func fill(t *testing.T, s *sqlite.Store, events, sessions int) *storetest.Memory {
	t.Helper()
	m := storetest.NewMemory()
	batches := newFeed(sessions).take(events)
	if err := s.Apply(ctx, batches); err != nil {
		t.Fatal(err)
	}
	if err := m.Apply(ctx, batches); err != nil {
		t.Fatal(err)
	}
	return m
}

// sameAs compares a store with the reference, session by session.
func sameAs(t *testing.T, m *storetest.Memory, s *sqlite.Store) {
	t.Helper()
	want, _ := m.Positions(ctx, "j")
	got, err := s.Positions(ctx, "j")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Fatalf("positions:\n%s", d)
	}
	for id := range want {
		a, _ := m.Load(ctx, id)
		b, err := s.Load(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		if d := storetest.Diff(a, b); d != "" {
			t.Fatalf("session %s:\n%s", id, d)
		}
	}
}

func TestReopen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a folder?#%", "graph.db")
	if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	s := open(t, path, sqlite.Options{})
	m := fill(t, s, 300, 3)
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
			t.Errorf("%s has permissions %v", info.Name(), info.Mode().Perm())
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	sameAs(t, m, open(t, path, sqlite.Options{}))
	sameAs(t, m, open(t, path, sqlite.Options{ReadOnly: true}))
}

func TestReadOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "graph.db")
	if _, err := sqlite.Open(path, sqlite.Options{ReadOnly: true}); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), path) {
		t.Fatalf("a missing file: %v", err)
	}
	w := open(t, path, sqlite.Options{})
	r := open(t, path, sqlite.Options{ReadOnly: true})
	sameAs(t, fill(t, w, 100, 2), r) // what a writer commits is seen
	if err := r.Apply(ctx, nil); err == nil {
		t.Error("a read-only store was written")
	}
	if err := r.Maintain(ctx); err == nil {
		t.Error("a read-only store was maintained")
	}
}

// TestTwoWriters: a second process may write other sessions; on the same one the
// later is told.
func TestTwoWriters(t *testing.T) {
	path := filepath.Join(t.TempDir(), "graph.db")
	stores := []*sqlite.Store{open(t, path, sqlite.Options{}), open(t, path, sqlite.Options{})}
	m, f := storetest.NewMemory(), newFeed(2)
	for i := range 6 {
		for n, b := range f.take(20) { // a batch of each session
			if err := stores[n].Apply(ctx, []graph.Batch{b}); err != nil {
				t.Fatal(err)
			}
			if err := m.Apply(ctx, []graph.Batch{b}); err != nil {
				t.Fatal(err)
			}
			if err := stores[1-n].Apply(ctx, []graph.Batch{b}); !errors.Is(err, graph.ErrConflict) {
				t.Fatalf("round %d: the same batch again: %v", i, err)
			}
		}
	}
	sameAs(t, m, stores[0])
	sameAs(t, m, stores[1])
}

// TestConcurrentReaders reads while it writes: every answer is one state.
func TestConcurrentReaders(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "graph.db"), sqlite.Options{})
	f := newFeed(1)
	done := make(chan error, 3)
	stop := make(chan struct{})
	for range cap(done) {
		go func() { done <- readUntil(s, f.sessions[0].id, stop) }()
	}
	for range 30 {
		if err := s.Apply(ctx, f.take(20)); err != nil {
			t.Fatal(err)
		}
		if err := s.Maintain(ctx); err != nil {
			t.Fatal(err)
		}
	}
	close(stop)
	for range cap(done) {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// readUntil checks that a chain is whole whenever it looks.
func readUntil(s *sqlite.Store, session string, stop <-chan struct{}) error {
	for {
		select {
		case <-stop:
			return nil
		default:
		}
		g, err := s.Load(ctx, session)
		if err != nil {
			return err
		}
		actions, links := 0, 0
		for _, n := range g.Nodes() {
			if n.Label == graph.LabelAction {
				actions++
			}
		}
		for _, e := range g.Edges() {
			if e.Type == graph.FollowedBy {
				links++
			}
		}
		if actions > 0 && links != actions-1 || actions%20 != 0 {
			return fmt.Errorf("%d actions with %d links", actions, links)
		}
	}
}

// TestOpenErrors: what cannot be opened says which file and what to do, and stays
// as it is.
func TestOpenErrors(t *testing.T) {
	dir := t.TempDir()
	valid := filepath.Join(dir, "valid.db")
	open(t, valid, sqlite.Options{}).Close()
	copied := func(name string, change func(path string)) string {
		data, err := os.ReadFile(valid)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		change(path)
		return path
	}
	exec := func(statement string) func(string) {
		return func(path string) {
			db, err := sql.Open("sqlite", path)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			if _, err := db.Exec(statement); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, c := range []struct{ path, says string }{
		{copied("newer.db", exec("PRAGMA user_version = 99")), "layout version 99"},
		{copied("foreign.db", exec("PRAGMA application_id = 7; PRAGMA journal_mode = DELETE")), "not an actiongraph store"},
		{copied("garbage.db", func(p string) { os.WriteFile(p, []byte(strings.Repeat("garbage ", 2000)), 0o600) }), "move it away"},
		{copied("cut.db", func(p string) { os.Truncate(p, 20000) }), "move it away"},
		{copied("readonly.db", func(p string) { os.Chmod(p, 0o400) }), "read-only"},
		{filepath.Join(dir, "no", "such", "folder.db"), "no such"},
		{dir, filepath.Base(dir)},
	} {
		before, _ := os.ReadFile(c.path)
		s, err := sqlite.Open(c.path, sqlite.Options{})
		if err == nil {
			// Damage beyond the first pages shows when it is read.
			_, err = s.Sessions(ctx, graph.SessionFilter{})
			s.Close()
		}
		if err == nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), c.path) {
			t.Errorf("%s: %v; want it to say %q", filepath.Base(c.path), err, c.says)
		}
		if after, _ := os.ReadFile(c.path); string(before) != string(after) {
			t.Errorf("%s was changed", filepath.Base(c.path))
		}
	}
}

// TestDamaged flips bytes all over a filled file: every answer is right or an
// error, never a crash.
func TestDamaged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "graph.db")
	s := open(t, path, sqlite.Options{})
	fill(t, s, 500, 2)
	s.Close()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	failed := 0
	for at := 100; at < len(data); at += len(data) / 40 {
		bad := append([]byte(nil), data...)
		for i := at; i < min(at+300, len(bad)); i++ {
			bad[i] ^= 0xa5
		}
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := sqlite.Open(path, sqlite.Options{})
		if err != nil {
			failed++
			continue
		}
		rows, err := s.Sessions(ctx, graph.SessionFilter{})
		for _, r := range rows {
			_, e := s.Load(ctx, r.SessionID)
			err = errors.Join(err, e)
		}
		_, e := s.Search(ctx, graph.SearchQuery{Words: "bash"})
		if errors.Join(err, e) != nil {
			failed++
		}
		s.Close()
	}
	if failed == 0 {
		t.Error("no damage was noticed: the test does not reach the data")
	}
}

func TestSettings(t *testing.T) {
	path := filepath.Join(t.TempDir(), "graph.db")
	open(t, path, sqlite.Options{}).Close()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for pragma, want := range map[string]string{"page_size": "8192", "journal_mode": "wal", "user_version": strconv.Itoa(sqlite.Version)} {
		var got string
		if err := db.QueryRow("PRAGMA " + pragma).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %s, want %s (%v)", pragma, got, want, err)
		}
	}
	config := map[string]int{}
	rows, err := db.Query("SELECT k, v FROM fts_config")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var k string
		var v int
		if err := rows.Scan(&k, &v); err != nil {
			t.Fatal(err)
		}
		config[k] = v
	}
	want := map[string]int{"automerge": 0, "crisismerge": 128, "hashsize": 32 << 20, "version": 4}
	if d := cmp.Diff(want, config); d != "" {
		t.Errorf("fts settings:\n%s", d)
	}
}

// TestEdgesView: whoever asks in SQL sees the edges that Load gives.
func TestEdgesView(t *testing.T) {
	path := filepath.Join(t.TempDir(), "graph.db")
	s := open(t, path, sqlite.Options{})
	fill(t, s, 200, 1)
	rows, err := s.Sessions(ctx, graph.SessionFilter{})
	if err != nil || len(rows) != 1 {
		t.Fatal(rows, err)
	}
	g, err := s.Load(ctx, rows[0].SessionID)
	if err != nil {
		t.Fatal(err)
	}
	want := map[graph.EdgeKey]bool{}
	for _, e := range g.Edges() {
		want[e.EdgeKey] = true
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	got := map[graph.EdgeKey]bool{}
	edges, err := db.Query("SELECT type, from_label, from_key, to_label, to_key FROM edges")
	if err != nil {
		t.Fatal(err)
	}
	defer edges.Close()
	for edges.Next() {
		var k graph.EdgeKey
		if err := edges.Scan(&k.Type, &k.From.Label, &k.From.Key, &k.To.Label, &k.To.Key); err != nil {
			t.Fatal(err)
		}
		got[k] = true
	}
	if d := cmp.Diff(want, got); d != "" || len(got) == 0 {
		t.Errorf("edges (-Load +view):\n%s", d)
	}
	var n int
	if err := db.QueryRow("SELECT count(*) FROM actions WHERE action_type = 'tool_call' AND session_id = ?", rows[0].SessionID).Scan(&n); err != nil || n == 0 {
		t.Errorf("the view actions has %d tool calls, %v", n, err)
	}
}

// TestStatusChangeIsNarrow: a status change writes neither text nor index.
func TestStatusChangeIsNarrow(t *testing.T) {
	path := filepath.Join(t.TempDir(), "graph.db")
	s := open(t, path, sqlite.Options{})
	ref := graph.Ref{Label: graph.LabelAction, Key: schema.NewID("x")}
	apply := func(n int64, props ...graph.Prop) {
		t.Helper()
		b := graph.Batch{Journal: "j", Session: "s", From: schema.Position{Offset: n}, To: schema.Position{Offset: n + 1},
			Ops: []graph.Op{{Kind: graph.PutNode, Node: graph.Node{Ref: ref, Type: graph.ToolCall, Props: props}}}}
		if err := s.Apply(ctx, []graph.Batch{b}); err != nil {
			t.Fatal(err)
		}
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	index := func() (blocks string) {
		t.Helper()
		if err := db.QueryRow("SELECT hex(group_concat(block)) || count(*) FROM fts_data").Scan(&blocks); err != nil {
			t.Fatal(err)
		}
		return blocks
	}
	apply(0, graph.Prop{Name: "status", Value: "in_progress"}, graph.Prop{Name: "command", Value: "make test"})
	before := index()
	apply(1, graph.Prop{Name: "status", Value: "completed"}, graph.Prop{Name: "duration_ms", Value: 1.5})
	apply(2, graph.Prop{Name: "command", Value: "make test"}) // the same again
	if index() != before {
		t.Error("a status change rewrote the full-text index")
	}
	apply(3, graph.Prop{Name: "command", Value: "make bench"})
	if index() == before {
		t.Error("a changed command did not change the index: the test sees nothing")
	}
}
