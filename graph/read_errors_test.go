package graph

import (
	"testing"
	"time"
)

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
