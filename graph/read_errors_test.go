package graph

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph/schema"
)

// TestErrorKept: the whole of an error is kept and shown where the text of the result does
// not say it, and once where it does.
func TestErrorKept(t *testing.T) {
	long := strings.Repeat("connection refused\n", 40) + "by proxy-7"
	quote := func(s string) json.RawMessage { return schema.AppendString(nil, s) }
	for _, c := range []struct {
		name            string
		result          json.RawMessage
		message         string
		wantKept, aside string
	}{
		{"beside a text", quote("rows: 3"), long, long, long},
		{"no text", nil, long, gistOf(long, 300), ""},
		{"the text", quote(long), long, gistOf(long, 300), ""},
		{"in the text", quote("curl said:\n" + long + "\n"), long, gistOf(long, 300), ""},
		{"in the text, other white space", quote("said: " + strings.ReplaceAll(long, "\n", "  ")), long, long, ""},
		{"in what is cut out of the text", quote(strings.Repeat("x", 40_000) + long + strings.Repeat("x", 40_000)), long, long, long},
		{"short", quote("rows: 3"), "no\n\tuse", "no\n\tuse", "no\n\tuse"},
		{"too long", quote("rows: 3"), strings.Repeat("y", 100_000), clip(strings.Repeat("y", 100_000)), clip(strings.Repeat("y", 100_000))},
		{"too long a text", nil, strings.Repeat("y ", 100_000), gistOf(strings.Repeat("y ", 100_000), 300), ""},
	} {
		for _, failed := range []bool{true, false} {
			s := NewSession("s", "j")
			s.Apply(&schema.Event{EventType: schema.ToolEnd, EventID: "e", ToolUseID: "t", ToolName: "fetch", Timestamp: time.Unix(9, 0),
				Result: c.result, IsError: failed, ErrorMessage: c.message})
			var got *Node
			for _, op := range s.Take() {
				if op.Kind == PutNode && op.Node.Type == ToolResult {
					got = &op.Node
				}
			}
			row := ActionRow{Text: asText(got.Prop("text")), Properties: map[string]any{"error_message": got.Prop("error_message")}}
			if kept := asText(got.Prop("error_message")); kept != c.wantKept || row.ErrorAside() != c.aside {
				t.Errorf("%s, failed %v: kept %.80q (%d bytes) with %.80q aside", c.name, failed, kept, len(kept), row.ErrorAside())
			}
		}
	}
}

func TestGroupErrors(t *testing.T) {
	at := func(s int64) time.Time { return time.Unix(s, 0) }
	hit := func(tool, status string, s int64, message, text string) SearchHit {
		return SearchHit{Action: ActionRow{ToolName: tool, Status: status, Timestamp: at(s)},
			Result: &ActionRow{Text: text, Properties: map[string]any{"error_message": message}}}
	}
	bare := SearchHit{Action: ActionRow{ToolName: "d", IsError: true, Properties: map[string]any{"error_message": "no  result"}}}
	got := GroupErrors([]SearchHit{
		hit("b", "failed", 5, "connection timeout after 5000ms", "x"), hit("a", "failed", 2, "connection  timeout\nafter 1,234.5ms", ""),
		hit("a", "failed", 9, "connection timeout after 1ms", ""), hit("c", "completed", 9, "", "fine"), hit("c", "failed", 1, "", "line 3: no."), bare,
	})
	want := []struct {
		text  string
		count int64
		tools int
	}{{"connection timeout after #ms", 3, 2}, {"line #: no.", 1, 1}, {"no result", 1, 1}}
	if len(got) != len(want) {
		t.Fatalf("%d groups: %v", len(got), got)
	}
	for i, w := range want {
		if got[i].Error != w.text || got[i].Count != w.count || len(got[i].Tools) != w.tools {
			t.Errorf("group %d is %+v, want %+v", i, got[i], w)
		}
	}
	if g := got[0]; !g.FirstAt.Equal(at(2)) || !g.LastAt.Equal(at(9)) || !g.Example.Action.Timestamp.Equal(at(9)) || g.Tools[0] != "a" {
		t.Errorf("%+v", g)
	}
}
