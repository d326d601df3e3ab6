package journal

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/actiongraph/actiongraph/schema"
)

// TestLift: what is appended after a tombstone was taken away is recorded, and nothing of
// before comes back.
func TestLift(t *testing.T) {
	j, err := Open(filepath.Join(t.TempDir(), "home"))
	if err != nil {
		t.Fatal(err)
	}
	r := j.Redactor("")
	mustAppend(t, j, r.Event(in("a", "1", "/p")), r.Event(in("b", "1", "/p")))
	if err := j.Forget([]string{"a", "b"}, "forget", time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	forgotten, err := j.AllForgotten()
	if err != nil || !forgotten("a") || !forgotten("b") || forgotten("c") {
		t.Errorf("AllForgotten: %v %v %v, %v", forgotten("a"), forgotten("b"), forgotten("c"), err)
	}
	for _, want := range []bool{true, false} {
		if lifted, err := j.Lift("a"); lifted != want || err != nil {
			t.Errorf("Lift() = %v, %v, want %v", lifted, err, want)
		}
	}
	mustAppend(t, j, r.Event(in("a", "2", "/p")), r.Event(in("b", "2", "/p")))
	files, err := j.Files()
	if err != nil || len(files) != 1 || files[0].Session != "a" {
		t.Errorf("%v, %v", files, err)
	}
	if ids, _, _ := read(t, j, "a", Position{}); len(ids) != 1 || ids[0] != "2" {
		t.Errorf("records: %q", ids)
	}
}

// TestDiscardPositions: only positions are listed and removed so.
func TestDiscardPositions(t *testing.T) {
	j, err := Open(filepath.Join(t.TempDir(), "home"))
	if err != nil {
		t.Fatal(err)
	}
	id := schema.PositionsID(7)
	mustAppend(t, j, typed(schema.SourcePosition, id, "p", "1"), line("s", "e", "1"), line(schema.ProbeID(3), "e", "1"))
	if got, err := j.Positions(); err != nil || cmp.Diff([]string{id}, got) != "" {
		t.Errorf("%v, %v", got, err)
	}
	for id, refused := range map[string]bool{id: false, "s": true, schema.ProbeID(3): true, "../id": true} {
		for range 2 {
			if err := j.DiscardPositions(id); (err != nil) != refused {
				t.Errorf("DiscardPositions(%q) = %v", id, err)
			}
		}
	}
	if got, err := j.Positions(); err != nil || len(got) != 0 {
		t.Errorf("%v, %v", got, err)
	}
	if files, err := j.Files(); err != nil || len(files) != 1 {
		t.Errorf("%v, %v", files, err)
	}
}
