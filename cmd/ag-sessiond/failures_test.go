package main

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph"
	"github.com/actiongraph/actiongraph/failure"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/schema"
)

// failed are the failures of a home, by reason and what names them.
func failed(t *testing.T, home string) []failure.Failure {
	t.Helper()
	h, err := actiongraph.Open(home, actiongraph.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	all, err := h.Failures(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func awaitFailures(t *testing.T, home string, want ...failure.Reason) []failure.Failure {
	t.Helper()
	slices.Sort(want)
	var got []failure.Reason
	for deadline := time.Now().Add(60 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		got = nil
		all := failed(t, home)
		for _, f := range all {
			got = append(got, f.Reason)
		}
		if slices.Sort(got); slices.Equal(got, want) {
			return all
		}
	}
	t.Fatalf("recorded %q, want %q", got, want)
	return nil
}

// appendTo appends text to a file, as another program would.
func appendTo(t *testing.T, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
}

// fileSizes are those of the journal's files.
func fileSizes(t *testing.T, home string) map[string]int64 {
	t.Helper()
	all := map[string]int64{}
	entries, err := os.ReadDir(journal.Dir(home))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil && strings.HasSuffix(e.Name(), journal.Suffix) {
			all[e.Name()] = info.Size()
		}
	}
	return all
}

// TestDaemonRecordsFailures: what goes wrong under a daemon is in the journal once, with the next
// daemon too, and in none of what the sessions say of themselves.
func TestDaemonRecordsFailures(t *testing.T) {
	home, dumps, projects := filepath.Join(t.TempDir(), "home"), t.TempDir(), t.TempDir()
	record(t, home, 3, 0)
	torn := filepath.Join(journal.Dir(home), "session-0"+journal.Suffix)
	appendTo(t, torn, "\n"+`{"v":1,"event_id":"cut sho`+"\n")
	appendTo(t, filepath.Join(dumps, "events.jsonl"),
		`{"event_type":"message","session_id":"other","timestamp":"2026-03-01T09:15:01Z","source_sdk":"x","role":"user","content":"hi"}`+"\n"+`{"event_type": nonsense`+"\n"+
			`{"event_type":"message","session_id":"other","timestamp":"2026-03-01T09:15:02Z","source_sdk":"x","role":"user","content":"ho"}`+"\n")
	line := `{"type":"user","uuid":"u1","sessionId":"session-1","cwd":"/w","timestamp":"2026-03-01T09:15:01.000Z","message":{"role":"user","content":"go"}}` + "\n"
	transcript := filepath.Join(projects, "-w", "session-1.jsonl")
	if err := os.Mkdir(filepath.Dir(transcript), 0o700); err != nil {
		t.Fatal(err)
	}
	appendTo(t, transcript, line+`{"type":"user","uuid":"u2", torn`+"\n"+strings.ReplaceAll(line, "u1", "u3"))

	run := func() *daemon {
		return startDaemon(t, home, "--transcripts", projects, "--source", filepath.Join(dumps, "events.jsonl"))
	}
	d := run()
	all := awaitFailures(t, home, failure.JournalTorn, failure.TranscriptBroken, failure.SourceBroken)
	for _, f := range all {
		want := map[failure.Reason]string{failure.JournalTorn: "session-0", failure.TranscriptBroken: "session-1", failure.SourceBroken: schema.Recorder}[f.Reason]
		if f.SessionID != want || f.DocURL != f.Reason.Doc() || f.Timestamp.IsZero() {
			t.Errorf("%+v", f)
		}
		if n := d.log.count(f.EventID); n != 1 {
			t.Errorf("%s is in the log %d times", f.Reason, n)
		}
	}
	visible(t, home)
	d.stop()
	before := fileSizes(t, home)
	again := run()
	visible(t, home)
	again.stop()
	if after := fileSizes(t, home); !maps.Equal(before, after) {
		t.Errorf("another daemon wrote again: %v, before %v", after, before)
	}
	h, err := actiongraph.Open(home, actiongraph.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	rows, err := h.Sessions(t.Context(), graph.SessionFilter{})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		if row.ErrorCount != 0 || row.Status == schema.StatusFailed || row.SessionID == schema.Recorder {
			t.Errorf("%+v", row)
		}
	}
}

// TestKilledDaemonRecordsFailuresOnce: daemons that are killed at any moment record each failure
// once, and lose none.
func TestKilledDaemonRecordsFailuresOnce(t *testing.T) {
	home := filepath.Join(t.TempDir(), "home")
	record(t, home, 1, 0)
	path := filepath.Join(journal.Dir(home), "session-0"+journal.Suffix)
	const lines = 40
	for n := range lines {
		appendTo(t, path, fmt.Sprintf("\n{\"v\":1,\"event_id\":\"cut %d\n", n))
		if n%5 != 0 {
			continue
		}
		cmd := exec.Command("ag-sessiond", "run", "--home", home, "--log", "json") // this binary: TestMain
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(n) * 10 * time.Millisecond) // any moment: nothing is asserted of it
		cmd.Process.Kill()
		cmd.Wait()
	}
	d := startDaemon(t, home)
	want := slices.Repeat([]failure.Reason{failure.JournalTorn}, lines)
	ids := map[string]bool{}
	for _, f := range awaitFailures(t, home, want...) {
		ids[f.EventID] = true
	}
	d.stop()
	if len(ids) != lines {
		t.Errorf("%d of %d", len(ids), lines)
	}
	text, err := os.ReadFile(path)
	if n := strings.Count(string(text), `"reason":"journal.torn"`); err != nil || n != lines {
		t.Errorf("%d events of %d failures (%v)", n, lines, err)
	}
}
