package journal

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestForgetAmongWriters: whatever 16 writers append while a session is forgotten, nothing of
// it is there afterwards, and nothing comes back.
func TestForgetAmongWriters(t *testing.T) {
	home := filepath.Join(t.TempDir(), "home")
	for round := range 20 {
		session := fmt.Sprintf("s%d", round)
		var begun, stop atomic.Bool
		var writers sync.WaitGroup
		for w := range 16 {
			writers.Go(func() {
				j, err := Open(home) // a process of its own, as far as the journal knows
				if err != nil {
					t.Error(err)
					return
				}
				r := j.Redactor("")
				for n := 0; !stop.Load(); n++ {
					if err := j.Append(r.Event(in(session, fmt.Sprint(w, n), "/p"))); err != nil {
						t.Error(err)
					}
					begun.Store(true)
				}
			})
		}
		for !begun.Load() {
			time.Sleep(time.Millisecond)
		}
		j, err := Open(home)
		if err == nil {
			err = j.Forget([]string{session}, "forget", time.Unix(1, 0))
		}
		time.Sleep(2 * time.Millisecond)
		stop.Store(true)
		writers.Wait()
		if err != nil {
			t.Fatal(err)
		}
		if left, err := os.ReadDir(Dir(home)); err != nil || len(left) > 0 {
			t.Fatalf("round %d: %v is left, %v", round, left, err)
		}
		if !j.Forgotten(session) || !j.StaysOut(session) || j.Forgotten("another") {
			t.Error("the wrong session is forgotten")
		}
		if err := j.Sync(session); err != nil {
			t.Errorf("what was forgotten cannot be synced: %v", err)
		}
	}
}

// TestAppendAfterARename: a record that was written to a file which is no longer the session's
// is in the one that is, whenever its name was taken away.
func TestAppendAfterARename(t *testing.T) {
	for _, remove := range []bool{false, true} {
		j, err := Open(filepath.Join(t.TempDir(), "home"))
		if err != nil {
			t.Fatal(err)
		}
		r := j.Redactor("")
		mustAppend(t, j, r.Event(in("s", "first", "/p")))
		path := filepath.Join(Dir(j.Home()), "s"+Suffix)
		write, moved := j.write, false
		j.write = func(f *os.File, p []byte) (int, error) {
			if !moved && bytes.Contains(p, []byte(`"late"`)) {
				moved = true
				if err := os.Rename(path, path+".aside"); err != nil {
					t.Fatal(err)
				}
				if !remove {
					if err := os.WriteFile(path, nil, 0o600); err != nil {
						t.Fatal(err)
					}
				}
			}
			return write(f, p)
		}
		mustAppend(t, j, r.Event(in("s", "late", "/p")), r.Event(in("s", "later", "/p")))
		data, err := os.ReadFile(path)
		for _, id := range []string{"late", "later"} {
			if err != nil || !bytes.Contains(data, []byte(`"event_id":"`+id+`"`)) {
				t.Errorf("removed %v: %s is not in %s, %v", remove, id, data, err)
			}
		}
	}
}

// TestTombstones: what a tombstone tells, and that it tells nothing of the session; a Forget
// that was killed before it removed the files is completed.
func TestTombstones(t *testing.T) {
	j, err := Open(filepath.Join(t.TempDir(), "home"))
	if err != nil {
		t.Fatal(err)
	}
	r := j.Redactor("")
	mustAppend(t, j, r.Event(in("secret-session", "1", "/p")), r.Event(in("other", "2", "/p")))
	at := time.Date(2026, 11, 22, 1, 2, 3, 4, time.UTC)
	if err := j.Forget([]string{"secret-session", "never-seen"}, "prune", at); err != nil {
		t.Fatal(err)
	}
	name := j.TombstoneName("secret-session")
	for range 2 {
		if err := j.GoneFrom(name, "neo4j"); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Forget([]string{"secret-session"}, "forget", at.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	want := []Tombstone{{name, at, "prune", []string{"neo4j"}}, {j.TombstoneName("never-seen"), at, "prune", nil}}
	slices.SortFunc(want, func(a, b Tombstone) int { return strings.Compare(a.Name, b.Name) })
	got, err := j.Tombstones()
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("tombstones (-want +got): %v\n%s", err, diff)
	}
	for _, e := range []string{"other", "unknown", "source-0123456789abcdef", "../other"} {
		if err := j.Forget([]string{e}, "forget", at); (err == nil) != (e == "other") {
			t.Errorf("Forget(%q) = %v", e, err)
		}
	}
	if err := j.GoneFrom("../../id", "x"); err == nil {
		t.Error("a path was taken for a tombstone")
	}
	for _, more := range suffixes() {
		err = os.WriteFile(filepath.Join(Dir(j.Home()), "secret-session"+more), []byte("\n{}\n"), 0o600)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := j.RemoveForgotten(); n != 1 || err != nil {
			t.Errorf("%q: RemoveForgotten() = %d, %v", more, n, err)
		}
	}
	filepath.Walk(j.Home(), func(path string, info os.FileInfo, err error) error {
		data, _ := os.ReadFile(path)
		if strings.Contains(path+string(data), "secret-session") {
			t.Errorf("%s tells which session was forgotten", path)
		}
		if perm := info.Mode().Perm(); perm&0o077 != 0 {
			t.Errorf("%s has mode %v", path, perm)
		}
		return err
	})
}
