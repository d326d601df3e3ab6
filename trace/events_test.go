package trace_test

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/actiongraph/actiongraph"
	"github.com/actiongraph/actiongraph/adapters/jsonl"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/schema"
	"github.com/actiongraph/actiongraph/trace"
)

// sameAgain fails where a session's trace, imported into an empty home, is another graph or
// another trace.
func sameAgain(t *testing.T, h home, session string) {
	t.Helper()
	text, report := h.written(t, session, trace.Events, trace.Options{})
	if n := strings.Count(text, "\n"); n != report.Items || n == 0 {
		t.Fatalf("%s: %d lines, the report says %+v", session, n, report)
	}
	other := imported(t, text, actiongraph.JSONLOptions{})
	if changes := graph.Diff(h.graph(t, session), other.graph(t, session)); len(changes) > 0 {
		t.Errorf("%s: %d changes, the first is %v", session, len(changes), changes[0])
	}
	if again, _ := other.written(t, session, trace.Events, trace.Options{}); again != text {
		t.Errorf("%s: exported again it differs:\n%s", session, cmp.Diff(strings.Split(text, "\n"), strings.Split(again, "\n")))
	}
}

// eventsAgain fails where a session of a capture is another one behind its trace.
func eventsAgain(t *testing.T, h home) {
	t.Helper()
	sessions := h.sessions(t)
	if len(sessions) == 0 {
		t.Fatal("nothing was recorded")
	}
	for _, session := range sessions {
		sameAgain(t, h, session)
	}
}

func TestEventsOfTranscripts(t *testing.T) {
	dirs, err := filepath.Glob("../adapters/claude/testdata/transcripts/*")
	ok(t, err)
	if len(dirs) < 20 {
		t.Fatalf("%d folders of transcripts", len(dirs))
	}
	n := 0
	for _, dir := range dirs {
		h := newHome(t)
		_, err := h.ImportTranscripts(t.Context(), []string{dir}, actiongraph.TranscriptOptions{}, nil)
		if err != nil && !errors.Is(err, actiongraph.ErrPartial) { // some have broken lines
			t.Fatal(err)
		}
		for _, session := range h.sessions(t) {
			sameAgain(t, h, session)
			n++
		}
	}
	if n < 20 {
		t.Errorf("%d sessions", n)
	}
}

func TestEventsOfRecords(t *testing.T) {
	h := newHome(t)
	for _, file := range []string{"audit/trace-260301_101500.jsonl", "trace/agent-host.jsonl", "trace/agent-host-tools.jsonl", "events/reference.jsonl"} {
		_, err := h.ImportJSONL(t.Context(), []string{filepath.Join("../adapters/jsonl/testdata", file)}, nil, actiongraph.JSONLOptions{}, nil)
		ok(t, err)
	}
	for _, session := range h.sessions(t) {
		sameAgain(t, h, session)
	}
}

// A fork's trace alone is what it recorded; with its parents it stands alone.
func TestEventsOfForks(t *testing.T) {
	var lines bytes.Buffer
	add := func(session, id string, second int, more string) {
		fmt.Fprintf(&lines, `{"v":1,"event_id":%q,"event_type":"message","session_id":%q,"timestamp":"2026-03-01T10:00:%02d.000000000Z","source_sdk":"test","origin":"api","role":"user","content":%q%s}`+"\n",
			id, session, second, "said "+id, more)
	}
	add("parent", "p1", 1, "")
	add("parent", "p2", 2, "")
	add("parent", "p3", 3, "")
	fork := func(session, id string, second int, parent, at string) {
		fmt.Fprintf(&lines, `{"v":1,"event_id":%q,"event_type":"fork","session_id":%q,"timestamp":"2026-03-01T10:00:%02d.000000000Z","source_sdk":"test","origin":"api","parent_session_id":%q,"parent_event_id":%q}`+"\n",
			id, session, second, parent, at)
	}
	fork("child", "f1", 2, "parent", "p2")
	add("child", "c1", 4, "")
	add("child", "c2", 5, "")
	fork("grandchild", "f2", 4, "child", "c1")
	add("grandchild", "g1", 6, "")
	h := imported(t, lines.String(), actiongraph.JSONLOptions{Format: jsonl.Events})

	for session, want := range map[string][]string{"parent": {"p1", "p2", "p3"}, "child": {"f1", "c1", "c2"}, "grandchild": {"f2", "g1"}} {
		sameAgain(t, h, session)
		text, _ := h.written(t, session, trace.Events, trace.Options{})
		if diff := cmp.Diff(want, ids(t, text)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", session, diff)
		}
	}
	text, report := h.written(t, "grandchild", trace.Events, trace.Options{Parents: true})
	if diff := cmp.Diff([]string{"p1", "p2", "f1", "c1", "f2", "g1"}, ids(t, text)); diff != "" {
		t.Errorf("with its parents (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"parent", "child", "grandchild"}, report.Sessions); diff != "" {
		t.Error(diff)
	}
	alone := imported(t, text, actiongraph.JSONLOptions{})
	again, _ := alone.written(t, "grandchild", trace.Events, trace.Options{Parents: true})
	if again != text {
		t.Errorf("imported and exported again:\n%s", cmp.Diff(text, again))
	}
	orphan, _ := h.written(t, "grandchild", trace.Events, trace.Options{})
	_, report = imported(t, orphan, actiongraph.JSONLOptions{}).written(t, "grandchild", trace.Events, trace.Options{Parents: true})
	if report.Missing != "child" || len(report.Sessions) != 1 {
		t.Errorf("without its parent: %+v", report)
	}
}

func ids(t *testing.T, text string) (out []string) {
	t.Helper()
	for line := range strings.Lines(text) {
		e, err := schema.Decode([]byte(strings.TrimSpace(line)))
		ok(t, err)
		out = append(out, e.EventID)
	}
	return out
}
