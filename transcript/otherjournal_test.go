package transcript

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/schema"
)

// TestFollowerWithAnotherJournal: a journal is put back from a backup, or begun anew by hooks, and
// gets longer than it was, before a daemon starts or while it runs: nothing of the transcript
// is missing in it. One that only grew is not written to again.
func TestFollowerWithAnotherJournal(t *testing.T) {
	text := must(os.ReadFile(filepath.Join(testdata, "-home-dev-work-a-tools-repo", "a775679a-ad01-47b1-a60d-82e9792d81b3.jsonl")))(t)
	dir, home := realDir(t), filepath.Join(realDir(t), "home")
	path := write(t, strings.ReplaceAll(string(text), "a775679a-ad01-47b1-a60d-82e9792d81b3", uuidA), dir, uuidA+suffix)
	old(t, path)
	clean(t, newReader(t, home), Options{}, dir)
	file := filepath.Join(journal.Dir(home), uuidA+journal.Suffix)
	other := []byte(strings.Repeat("\n{}\n", 50_000))

	appendTo(t, file, other)
	live := start(t, &Follower{Reader: newReader(t, home), Trees: []string{dir}})
	live.await("it is followed", func() bool { return live.Health().Files == 1 })
	time.Sleep(100 * time.Millisecond)
	live.stop()
	if h := live.Health(); h.Lines != 0 || h.Events != 0 {
		t.Errorf("the journal only grew: %+v", h)
	}

	if err := os.WriteFile(file, bytes.Repeat(other, 2), 0o600); err != nil {
		t.Fatal(err)
	}
	live = start(t, &Follower{Reader: newReader(t, home), Trees: []string{dir}})
	live.awaitLines(uuidA, dir)
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, bytes.Repeat(other, 4), 0o600); err != nil {
		t.Fatal(err)
	}
	appendTo(t, path, []byte("\n")) // something changes
	live.awaitLines(uuidA, dir)
}

// awaitLines is awaitFacts of a journal that has garbage, too.
func (r *running) awaitLines(session, dir string) {
	r.t.Helper()
	want := oracle(r.t, r.Reader, dir)[session]
	r.await("the journal has what the file says", func() bool {
		text, err := os.ReadFile(filepath.Join(journal.Dir(r.Reader.Journal.Home()), session+journal.Suffix))
		if err != nil || len(want) == 0 {
			return false
		}
		found := 0
		for line := range bytes.Lines(text) {
			if e, err := schema.Decode(bytes.TrimSpace(line)); err == nil && e.EventID != "" && e.EventType != schema.SessionUpdate && want[factOf(&e, bytes.TrimSpace(line))] {
				found++
			}
		}
		return found >= len(want)
	})
}
