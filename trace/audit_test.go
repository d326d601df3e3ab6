package trace_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/actiongraph/actiongraph"
	"github.com/actiongraph/actiongraph/adapters/jsonl"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/schema"
	"github.com/actiongraph/actiongraph/trace"
)

// A dump that was imported is given back line by line, byte by byte but for the offset of its
// times, which are in UTC.
func TestAuditGivesADumpBack(t *testing.T) {
	const file = "../adapters/jsonl/testdata/audit/trace-260301_101500.jsonl"
	h := newHome(t)
	_, err := h.ImportJSONL(t.Context(), []string{file}, nil, actiongraph.JSONLOptions{}, nil)
	ok(t, err)
	session := h.sessions(t)[0]
	given, err := os.ReadFile(file)
	ok(t, err)
	text, report := h.written(t, session, trace.Audit, trace.Options{})
	want := strings.Split(string(given), "\n")
	for i := range want {
		want[i] = inUTC(t, want[i])
	}
	if diff := gocmp.Diff(want, strings.Split(text, "\n")); diff != "" {
		t.Errorf("(-dump +export):\n%s", diff)
	}
	if report.Items != len(want)-1 || len(report.Left) > 0 {
		t.Errorf("%+v of %d lines", report, len(want)-1)
	}
}

// inUTC is a line with its times in UTC, as Python writes them.
func inUTC(t *testing.T, line string) string {
	t.Helper()
	const key = `"timestamp": "`
	for from := 0; ; {
		i := strings.Index(line[from:], key)
		if i < 0 {
			return line
		}
		i += from + len(key)
		n := strings.IndexByte(line[i:], '"')
		at, err := time.Parse(time.RFC3339, line[i:i+n])
		ok(t, err)
		line = line[:i] + at.UTC().Format("2006-01-02T15:04:05.000000-07:00") + line[i+n:]
		from = i
	}
}

// What the format says in other ways than the seed's own writer: fields that are not there, ids
// that are numbers, a note that is no object, a kind that nobody knows, a line without a time.
func TestAuditGivesOddLinesBack(t *testing.T) {
	lines := []string{
		`{"timestamp": "2026-03-01T10:00:00+00:00", "run_id": 7, "agent_name": "a", "user_prompt": "p", "more": [1, {"x": ": ,"}], "events": ["just a text", {"type": "output", "text": "é\n"}]}`,
		`{"timestamp": "2026-03-01T10:00:01.000000123+00:00", "run_id": "r2", "caller_id": "a", "agent_name": "", "agent_decision": {"kind": "call_tool", "tool_name": "t", "parameters": {"a": 1}}}`,
		`{"type": "user_output", "timestamp": "2026-03-01T10:00:02+00:00", "role": "stranger", "text": ""}`,
		`{"type": "new_kind", "timestamp": "whenever", "x": 1}`,
		`{"run_id": "r3", "agent_name": "b", "callbacks": [{"intent": "ask", "prompt": "why?"}], "skill_invocations": [{"timestamp": "2026-03-01T10:00:03+00:00", "skill_name": "s"}]}`,
		`{"type": "memory_operation", "timestamp": "2026-03-01T10:00:04+00:00", "operation": "put", "title": null}`,
	}
	h := imported(t, strings.Join(lines, "\n")+"\n", actiongraph.JSONLOptions{Format: jsonl.Audit})
	text, _ := h.written(t, h.sessions(t)[0], trace.Audit, trace.Options{})
	got := strings.Split(strings.TrimSpace(text), "\n")
	if len(got) != len(lines) {
		t.Fatalf("%d lines:\n%s", len(got), text)
	}
	for i := range lines {
		want, have := plain(t, lines[i]), plain(t, got[i])
		if diff := gocmp.Diff(want, have); diff != "" {
			t.Errorf("line %d (-want +got):\n%s\n%s", i+1, diff, got[i])
		}
	}
}

// plain is what a line says, without what says no more than if it were not there.
func plain(t *testing.T, line string) map[string]any {
	t.Helper()
	m := map[string]any{}
	if err := json.Unmarshal([]byte(line), &m); err != nil {
		t.Fatalf("%v: %s", err, line)
	}
	if m["type"] != nil {
		return m
	}
	for name, v := range m {
		if list, is := v.([]any); v == nil || v == "" || is && len(list) == 0 {
			delete(m, name)
		}
	}
	return m
}

// said is what an audit dump can say of a session: see docs/export-trace.md.
func said(t *testing.T, h home, session, main string) []string {
	t.Helper()
	g, out := h.graph(t, session), []string(nil)
	prop := func(n *graph.Node, name string) string { s, _ := n.Prop(name).(string); return s }
	for _, n := range g.Nodes() {
		if n.Label != graph.LabelAction || n.Prop("timestamp") == nil {
			continue
		}
		at := time.Unix(0, int64(n.Prop("timestamp").(graph.Time))).Round(time.Microsecond).UTC().Format(time.RFC3339Nano)
		lane := prop(n, "agent_id")
		if lane == main { // the main thread is a run in a dump
			lane = ""
		}
		switch n.Type {
		case graph.ToolCall:
			members := map[string]any{}
			if in := schema.Field([]byte(prop(n, "properties")), "tool_input"); len(in) > 0 {
				ok(t, json.Unmarshal(in, &members))
			}
			for _, name := range []string{"command", "file_path", "url", "pattern"} {
				if v := prop(n, name); v != "" {
					members[name] = v
				}
			}
			input, err := json.Marshal(members)
			ok(t, err)
			out = append(out, fmt.Sprintf("%s call %q %s %s", at, lane, prop(n, "tool_name"), input))
		case graph.UserMessage, graph.SystemMessage:
			if lane == "" && prop(n, "text") != "" {
				out = append(out, fmt.Sprintf("%s %s %s", at, n.Type, prop(n, "text")))
			}
		case graph.AssistantMessage:
			if thinking, _ := n.Prop("thinking").(bool); !thinking && prop(n, "text") != "" {
				out = append(out, fmt.Sprintf("%s answer %q %s", at, lane, prop(n, "text")))
			}
		case graph.PermissionRequest:
			out = append(out, at+" permission "+prop(n, "tool_name"))
		case graph.ErrorEvent:
			out = append(out, at+" error "+cmp.Or(prop(n, "error_message"), prop(n, "text"), prop(n, "name")))
		}
	}
	slices.Sort(out)
	return slices.Compact(out) // what is said twice at one time is one line
}

// auditAgain fails where a dump of a session does not say what it can, or says another thing when
// it was imported.
func auditAgain(t *testing.T, h home) {
	t.Helper()
	for _, session := range h.sessions(t) {
		text, report := h.written(t, session, trace.Audit, trace.Options{})
		want := said(t, h, session, session)
		if text == "" && len(want) == 0 {
			continue
		}
		other := imported(t, text, actiongraph.JSONLOptions{Format: jsonl.Audit})
		dumped := other.sessions(t)[0]
		if diff := gocmp.Diff(want, said(t, other, dumped, session)); diff != "" {
			t.Errorf("%s (-session +dump):\n%s", session, diff)
		}
		if n := strings.Count(text, "\n"); n != report.Items {
			t.Errorf("%s: %d lines of %+v", session, n, report)
		}
		if again, _ := other.written(t, dumped, trace.Audit, trace.Options{}); again != text {
			t.Errorf("%s: exported again:\n%s", session, gocmp.Diff(strings.Split(text, "\n"), strings.Split(again, "\n")))
		}
	}
}
