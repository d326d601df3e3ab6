package connector_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph/connector/sqlite"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/schema"
)

// TestReplacedLeavesNothing: what was rewritten out of a journal file is in no byte of the
// embedded store after the next Sync: no text, no file that only it named, no word of the index.
func TestReplacedLeavesNothing(t *testing.T) {
	j := newJournal(t)
	path := filepath.Join(t.TempDir(), "graph.db")
	store, err := sqlite.Open(path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	rnd := newRand(t)
	record(t, j, "other", newAgent(rnd, "other").lines(50)...)
	for i, input := range []string{`{"file_path":"/p/xyzzysecret1/a"}`, `{"command":"say xyzzysecret2 aloud"}`} {
		err := j.Append(j.Redactor("").Event(schema.Event{EventID: []string{"e1", "e2"}[i], EventType: schema.ToolStart, SessionID: "s",
			Timestamp: time.Unix(int64(i+1), 0).UTC(), Origin: schema.OriginHook, ToolName: []string{"Read", "Bash"}[i], ToolUseID: []string{"t1", "t2"}[i], ToolInput: []byte(input)}))
		if err != nil {
			t.Fatal(err)
		}
	}
	r := replica(j, store)
	sync1(t, r)
	if raw := rawStore(t, path); !strings.Contains(raw, "xyzzysecret1") || !strings.Contains(raw, "xyzzysecret2") {
		t.Fatal("the test would find nothing")
	}
	_, err = j.Rewrite("s", func(line []byte) []byte { return bytes.ReplaceAll(line, []byte("xyzzysecret"), []byte("[REDACTED:x]")) })
	if err != nil {
		t.Fatal(err)
	}
	asks := replica(j, store)
	asks.LeaveCompact = true
	if report := sync1(t, asks); report.Resets != 1 || report.Forgotten != 0 {
		t.Errorf("%+v", report)
	}
	sync1(t, r) // takes nothing back itself
	if raw := rawStore(t, path); strings.Contains(raw, "xyzzysecret") {
		t.Error("the store still has it")
	}
	if g, err := store.Load(t.Context(), "s"); err != nil || len(g.Nodes()) < 3 {
		t.Errorf("%d nodes, %v", len(g.Nodes()), err)
	}
	if some, err := store.Sessions(t.Context(), graph.SessionFilter{}); err != nil || len(some) != 2 {
		t.Errorf("%d sessions, %v", len(some), err)
	}
}

func rawStore(t *testing.T, path string) string {
	t.Helper()
	var all []byte
	for _, suffix := range []string{"", "-wal", "-shm"} {
		data, err := os.ReadFile(path + suffix)
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		all = append(all, data...)
	}
	return strings.ToLower(string(all))
}
