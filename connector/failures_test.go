package connector_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/failure"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/metrics"
	"github.com/actiongraph/actiongraph/schema"
)

func failuresOf(t *testing.T, j *journal.Journal, session string) (all []failure.Failure) {
	t.Helper()
	if err := connector.ReadFailures(t.Context(), j, session, func(f failure.Failure) { all = append(all, f) }); err != nil {
		t.Fatal(err)
	}
	return all
}

func reasonsOf(all []failure.Failure) string {
	var out []string
	for _, f := range all {
		out = append(out, string(f.Reason))
	}
	return strings.Join(out, " ")
}

// TestFailuresAreEvents: what is torn, refused, redacted or not understood is recorded once,
// whatever number of stores sees it and however often it is folded.
func TestFailuresAreEvents(t *testing.T) {
	j := newJournal(t)
	a := newAgent(newRand(t), "a")
	record(t, j, "a", a.lines(3)...)
	key := "AKIA" + "Q3EGRIQXYZ7MNOPQ"
	odd := schema.Event{V: schema.Version, EventID: "odd", EventType: schema.Unknown, SessionID: "a", Timestamp: time.Now(), SourceSDK: "claude-code",
		Origin: schema.OriginHook, Content: key, Metadata: []byte(`{"hook_error":"no JSON"}`)}
	again := odd
	again.EventID, again.Metadata = "odd2", nil
	if err := j.Append(j.Redactor("").Event(odd), j.Redactor("").Event(again)); err != nil {
		t.Fatal(err)
	}
	record(t, j, "a", []byte(`{}`), []byte(`{"v":1}`), []byte(`{"v":1,"event_id":"cut sho`), []byte("[1,2]"))
	var log syncBuffer
	failures := &connector.Failures{Journal: j, Log: connector.NewLogger(&log, "test", false)}
	store := newMemory()
	for _, s := range []connector.Store{store, newMemory()} {
		r := replica(j, s)
		r.Failures = failures
		sync1(t, r)
		sync1(t, r)
	}
	all := failuresOf(t, j, "a")
	if got := reasonsOf(all); got != "hook.payload redaction.hit journal.line_refused journal.torn journal.torn" {
		t.Fatal(got)
	}
	for _, f := range all {
		if f.SessionID != "a" || f.DocURL == "" || f.Message == "" || strings.Contains(f.Message, key) {
			t.Errorf("%+v", f)
		}
	}
	if all[0].CausedBy != "odd" || all[1].Rule == "" || all[2].Offset == nil {
		t.Errorf("%+v", all)
	}
	for _, line := range strings.Split(strings.TrimSpace(log.String()), "\n") {
		if !strings.Contains(line, `"level":"WARNING"`) || !strings.Contains(line, `"doc_url":"https://`) || !strings.Contains(line, `"event_id":"`) {
			t.Error(line)
		}
	}
	if n := strings.Count(log.String(), "\n"); n != len(all) {
		t.Errorf("%d lines in the log, of %d failures", n, len(all))
	}
	// Another process sees nothing new in a file that is folded from the beginning.
	r := replica(j, newMemory())
	r.Failures = &connector.Failures{Journal: j, Log: r.Log}
	sync1(t, r)
	if again := failuresOf(t, j, "a"); len(again) != len(all) {
		t.Errorf("again: %s", reasonsOf(again))
	}
	equalsFreshFold(t, j, store, "a")
	g, err := store.Load(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	node := g.Node(graph.Ref{Label: graph.LabelSession, Key: "a"})
	if node.Prop("error_count") != int64(0) || node.Prop("recording_failures") != int64(len(all)) {
		t.Errorf("%+v", node)
	}
}

// TestFailuresDoNoHarm: nothing is recorded of a session that is not recorded, was forgotten, or
// is silent for long; and not without bound.
func TestFailuresDoNoHarm(t *testing.T) {
	j := newJournal(t)
	record(t, j, "old", newAgent(newRand(t), "old").lines(1)...)
	record(t, j, "gone", newAgent(newRand(t), "gone").lines(1)...)
	record(t, j, "many", newAgent(newRand(t), "many").lines(1)...)
	past := time.Now().Add(-25 * time.Hour)
	if err := os.Chtimes(file(j, "old"), past, past); err != nil {
		t.Fatal(err)
	}
	if err := j.Forget([]string{"gone"}, "test", time.Now()); err != nil {
		t.Fatal(err)
	}
	must(j.RemoveForgotten())(t)
	var counts counted
	failures := &connector.Failures{Journal: j, Metrics: &counts}
	for _, session := range []string{"old", "gone", "never"} {
		if failures.Record(failure.New(session, failure.JournalTorn, "1"), "") {
			t.Errorf("%s: recorded", session)
		}
	}
	if info, err := os.Stat(file(j, "old")); err != nil || !info.ModTime().Equal(past) {
		t.Errorf("an idle session was touched: %v %v", info, err)
	}
	for i := range 300 {
		failures.Record(failure.New("many", failure.JournalTorn, fmt.Sprint(i)), "")
	}
	if all := failuresOf(t, j, "many"); len(all) != 100 {
		t.Errorf("%d of one session", len(all))
	}
	if !failures.Record(failure.New("", failure.SourceBroken, "/p", "1"), "") || reasonsOf(failuresOf(t, j, schema.Recorder)) != "source.broken_line" {
		t.Errorf("of no session: %+v", failuresOf(t, j, schema.Recorder))
	}
	// Those of sessions are counted by who folds them; of no session no store has any.
	failures.Record(failure.New("", failure.SourceBroken, "/p", "1"), "")
	if got := fmt.Sprint(counts.of); got != "[actiongraph_failures_total source.broken_line]" {
		t.Errorf("counted: %s", got)
	}
	if (*connector.Failures)(nil).Record(failure.New("many", failure.JournalTorn, "x"), "") {
		t.Error("nobody recorded it")
	}
	files, err := j.Files()
	if err != nil || len(files) != 2 {
		t.Errorf("%+v %v: the recorder's is no session", files, err)
	}
}

// counted has the counters that grew, with their labels.
type counted struct {
	metrics.Nop
	of []string
}

func (c *counted) Counter(name metrics.Name, _ float64, labels ...string) {
	c.of = append(c.of, strings.Join(append([]string{string(name)}, labels...), " "))
}
