package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// TestWriter: a statement that fails leaves nothing to the next one, and a value of
// another type than is asked for is an error, not a zero.
func TestWriter(t *testing.T) {
	s, err := Open(filepath.Join(t.TempDir(), "graph.db"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	w := s.conn
	for _, tc := range []struct {
		text string
		args []any
		err  string
	}{
		{"INSERT INTO nowhere VALUES (?)", []any{"x"}, "no such table"},
		{"INSERT INTO tag (id, key) VALUES (?, ?)", []any{int64(1)}, "missing argument"},
		{"INSERT INTO tag (id, key) VALUES (?, ?)", []any{int64(1), struct{}{}}, "invalid driver.Value type"},
		{"INSERT INTO tag (id, key) VALUES (?, ?)", []any{int64(1), nil}, "NOT NULL constraint failed"},
		{"INSERT INTO tag (id, key) VALUES (?, ?)", []any{int64(1), "one"}, ""},
		{"INSERT INTO tag (id, key) VALUES (?, ?)", []any{int64(1), "two"}, "UNIQUE constraint failed"},
		{"INSERT INTO tag (id, key) VALUES (?, ?)", []any{int64(2), "two"}, ""},
	} {
		if err := w.exec(tc.text, tc.args...); (err == nil) != (tc.err == "") || err != nil && !strings.Contains(err.Error(), tc.err) {
			t.Errorf("%s with %v: %v, want %q", tc.text, tc.args, err, tc.err)
		}
		if len(w.args) != 0 {
			t.Errorf("%s leaves %v", tc.text, w.args)
		}
	}
	var got []string
	each := func(vals []any) error { got = append(got, fmt.Sprint(vals)); return nil }
	if err := w.query(each, "SELECT id, key, put FROM tag WHERE id > ? ORDER BY id", int64(0)); err != nil || strings.Join(got, "; ") != "[1 one <nil>]; [2 two <nil>]" {
		t.Errorf("%q, %v", got, err)
	}
	enough := errors.New("enough")
	if err := w.query(func([]any) error { return enough }, "SELECT id FROM tag"); err != enough {
		t.Errorf("a row that is not wanted: %v", err)
	}
	var n int64
	var put bool
	var key any
	var blob []byte
	if err := w.queryRow("SELECT id, put IS NULL, key, x'01' FROM tag ORDER BY id DESC").Scan(&n, &put, &key, &blob); err != nil || n != 2 || !put || key != "two" || len(blob) != 1 {
		t.Errorf("the first row: %v %v %v %v, %v", n, put, key, blob, err)
	}
	if err := w.queryRow("SELECT key FROM tag").Scan(&n); err == nil || !strings.Contains(err.Error(), "string where a *int64") {
		t.Errorf("a text as a number: %v", err)
	}
	if err := w.queryRow("SELECT id FROM tag WHERE id = 3").Scan(&n); err != sql.ErrNoRows {
		t.Errorf("no row: %v", err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if err := w.do(ended, "BEGIN IMMEDIATE"); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end: %v", err)
	}
}
