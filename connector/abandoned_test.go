package connector_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/schema"
)

// openSessions is a Reader that says that these sessions are open.
type openSessions struct {
	connector.Reader
	ids []string
}

func (o openSessions) Sessions(_ context.Context, f graph.SessionFilter) ([]graph.SessionRow, error) {
	if f.Status != schema.StatusActive {
		return nil, fmt.Errorf("asked for %q", f.Status)
	}
	var rows []graph.SessionRow
	for _, id := range o.ids {
		rows = append(rows, graph.SessionRow{SessionID: id, Status: schema.StatusActive})
	}
	return rows, nil
}

func age(t *testing.T, j *journal.Journal, session string, d time.Duration) {
	t.Helper()
	when := time.Now().Add(-d)
	if err := os.Chtimes(file(j, session), when, when); err != nil {
		t.Fatal(err)
	}
}

func abandoned(t *testing.T, j *journal.Journal, dir string, open ...string) map[string]schema.Event {
	t.Helper()
	facts, err := connector.Abandoned(t.Context(), j, openSessions{ids: open}, dir, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	m := map[string]schema.Event{}
	for _, e := range facts {
		if err := e.Validate(); err != nil {
			t.Error(err)
		}
		m[e.SessionID] = e
	}
	return m
}

func TestSilentSessionsAreAbandoned(t *testing.T) {
	j, rnd := newJournal(t), newRand(t)
	silent := newAgent(rnd, "silent")
	lines := silent.lines(10)
	lines[3], lines[9] = lines[9], lines[3] // the last fact need not be the last line
	record(t, j, "silent", lines...)
	record(t, j, "fresh", newAgent(rnd, "fresh").lines(10)...)
	ended := newAgent(rnd, "ended") // by what the store does not know yet
	record(t, j, "ended", append(ended.lines(10), ended.endLine())...)
	record(t, j, "closed", newAgent(rnd, "closed").lines(10)...) // not open in the store
	for _, s := range []string{"silent", "ended", "closed"} {
		age(t, j, s, 25*time.Hour)
	}
	age(t, j, "fresh", 23*time.Hour)

	got := abandoned(t, j, "", "silent", "fresh", "ended", "elsewhere")
	want := map[string]schema.Event{"silent": {
		V: schema.Version, EventType: schema.SessionEnd, SessionID: "silent", Timestamp: silent.now,
		EventID:   schema.EventID(schema.OriginAPI, "abandoned", "silent", schema.FormatTime(silent.now)),
		SourceSDK: "claude-code", Origin: schema.OriginAPI, Status: schema.StatusAbandoned, Reason: "silent",
		CausedBy: got["silent"].CausedBy,
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("-want +got\n%s", diff)
	}

	e := got["silent"]
	record(t, j, "silent", e.AppendJSON(nil), lines[3]) // the fact of the same moment, once more
	age(t, j, "silent", 30*time.Hour)
	if again := abandoned(t, j, "", "silent"); len(again) > 0 {
		t.Errorf("once it is recorded: %v", again)
	}
	record(t, j, "silent", silent.next()) // resumed, and left again
	age(t, j, "silent", 30*time.Hour)
	if again := abandoned(t, j, "", "silent"); !again["silent"].Timestamp.Equal(silent.now) || again["silent"].EventID == e.EventID {
		t.Errorf("after a resume: %v", again)
	}
}

func (a *agent) endLine() []byte {
	e := a.event(schema.SessionEnd)
	return e.AppendJSON(nil)
}

// What a process that is gone left in the runtime's directory.
func TestSessionsOfDeadProcesses(t *testing.T) {
	j, rnd, dir := newJournal(t), newRand(t), t.TempDir()
	all := []string{"dead", "reused", "alive", "unclear", "resumed", "dying"}
	for _, s := range all {
		record(t, j, s, newAgent(rnd, s).lines(5)...)
		age(t, j, s, 10*time.Minute)
	}
	age(t, j, "dying", time.Minute) // its last hooks may still run
	gone := deadPID(t)
	write := func(pid int, session string, startedAt any) {
		text, err := json.Marshal(map[string]any{"sessionId": session, "startedAt": startedAt, "procStart": "1"})
		if err != nil {
			t.Fatal(err)
		}
		// One file a process id: what several would need is put in several directories.
		sub := filepath.Join(dir, session)
		os.MkdirAll(sub, 0o700)
		if err := os.WriteFile(filepath.Join(sub, fmt.Sprintf("%d.json", pid)), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	now := time.Now()
	write(gone, "dead", now.UnixMilli())
	write(gone, "dying", now.UnixMilli())
	write(os.Getpid(), "alive", now.UnixMilli())
	write(os.Getpid(), "unclear", "once upon a time")
	write(os.Getpid(), "reused", now.Add(-time.Hour).Format(time.RFC3339))
	write(gone, "resumed", now.UnixMilli())
	write(os.Getpid(), "resumed", now.UnixMilli())
	os.WriteFile(filepath.Join(dir, "dead", "notes.json"), []byte("{"), 0o600)
	os.WriteFile(filepath.Join(dir, "dead", "1.json"), []byte("{"), 0o600)

	want := map[string]string{"dead": "process_died", "reused": "process_died"}
	if !knowsProcessStart {
		delete(want, "reused")
	}
	got := map[string]string{}
	for _, s := range all {
		for session, e := range abandoned(t, j, filepath.Join(dir, s), all...) {
			got[session] = e.Reason
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if got := abandoned(t, j, filepath.Join(dir, "none"), all...); len(got) > 0 {
		t.Errorf("without the directory: %v", got)
	}
}

func TestLoggerWritesTheSeedsFields(t *testing.T) {
	var out, human bytes.Buffer
	log := connector.NewLogger(&out, "connector.replica", false)
	log.Warn().Str("session_id", "s").Msg("a \"quoted\" message")
	log.Info().Msg("fine")
	var first, second map[string]any
	dec := json.NewDecoder(&out)
	if err := dec.Decode(&first); err != nil {
		t.Fatal(err)
	}
	if err := dec.Decode(&second); err != nil {
		t.Fatal(err)
	}
	if _, err := time.Parse(time.RFC3339Nano, fmt.Sprint(first["timestamp"])); err != nil {
		t.Error(err)
	}
	delete(first, "timestamp")
	delete(second, "timestamp")
	want := map[string]any{"level": "WARNING", "logger": "connector.replica", "session_id": "s", "message": `a "quoted" message`}
	if diff := cmp.Diff(want, first); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if second["level"] != "INFO" {
		t.Errorf("%v", second)
	}
	log = connector.NewLogger(&human, "run", true)
	log.Error().Str("reason", "r").Msg("no")
	if got := human.String(); !bytes.HasSuffix([]byte(got), []byte(" ERROR    run no reason=r\n")) {
		t.Errorf("console: %q", got)
	}
}
