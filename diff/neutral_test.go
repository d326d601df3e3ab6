package diff

import (
	"testing"
	"time"

	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/history"
)

// What two recordings of the same work never have in common is one sign, and nothing else is.
func TestNeutral(t *testing.T) {
	r := &recording{
		session: graph.SessionRow{WorkingDirectory: "/home/dev/repo", StartedAt: time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC), LastEventAt: time.Date(2026, 11, 2, 23, 59, 0, 0, time.UTC)},
		actions: []graph.ActionRow{{ToolUseID: "step-12345"}, {ToolUseID: "7"}},
		agents:  []graph.AgentRow{{AgentID: "a3ab088230cc607a4"}},
	}
	n := newNeutral(&history.Log{Segments: []history.Segment{{Session: "sess-0001"}}}, r)
	for _, c := range []struct{ text, input, printed string }{
		{"cat /home/dev/repo/a.go", "cat •dir/a.go", ""},
		{"ls ~/.claude/projects/-home-dev-repo", "ls ~/.claude/projects/•dir", ""},
		{"agent a3ab088230cc607a4, call step-12345 of sess-0001.", "agent •id, call •id of •id.", ""},
		{"tasks/a3ab088230cc607a4.output", "tasks/•id.output", ""},
		{"toolu_01KcNEl71XRVdhPke2QBqopP msg_01kzl7yQkWhwrnPfnODJ78rG", "•id •id", ""},
		{"x/4adf4e78-b4db-4fb4-b707-e01fd49f7b0f.jsonl", "x/•id.jsonl", ""},
		{"at 2026-11-02T09:10:11.123Z, on 2026-11-02, not on 2026-11-20", "at •time, on •day, not on 2026-11-20", ""},
		{"-rw-r--r-- 1 dev dev 12 Nov  2 09:10 a.go", "-rw-r--r-- 1 dev dev 12 •day 09:10 a.go", "-rw-r--r-- 1 dev dev 12 •day • a.go"},
		{"/tmp/tmp.Xa81hd9 /tmp/go-build2166102529/b155 /tmp/claude-1000/x /tmp/notes.txt /tmp/v2", "/tmp/•tmp /tmp/•tmp/b155 /tmp/•tmp/x /tmp/notes.txt /tmp/v2", ""},
		{"ok  pkg 0.512s (12ms), 1m3.5s at 09:10:11", "ok  pkg 0.512s (12ms), 1m3.5s at 09:10:11", "ok  pkg • (•), • at •"},
		{"duration_ms: 1535, total_tokens: 42, exit 7", "duration_ms: 1535, total_tokens: 42, exit 7", "duration_ms: •, total_tokens: •, exit 7"},
		{"[main 1a2b3c4] fix\n9f8e7d6 before\ncommit 0123456789abcdef0123456789abcdef01234567", "[main 1a2b3c4] fix\n9f8e7d6 before\ncommit 0123456789abcdef0123456789abcdef01234567", "[main •] fix\n• before\ncommit •"},
		// What is content, and not chance.
		{"port = 8080", "port = 8080", ""},
		{"sleep 5s; v1.2.3; 127.0.0.1:8080; 100 ms", "sleep 5s; v1.2.3; 127.0.0.1:8080; 100 ms", ""},
		{"d41d8cd98f00b204e9800998ecf8427e  a.txt", "d41d8cd98f00b204e9800998ecf8427e  a.txt", ""},
		{"step 7 of 12345678", "step 7 of 12345678", ""},
		{"", "", ""},
	} {
		if got := n.text(c.text, false); got != c.input {
			t.Errorf("%q: %q, want %q", c.text, got, c.input)
		}
		want := c.printed
		if want == "" {
			want = c.input
		}
		if got := n.text(c.text, true); got != want {
			t.Errorf("%q, printed: %q, want %q", c.text, got, want)
		}
	}
}
