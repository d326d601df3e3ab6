package render

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/usage"
)

var update = flag.Bool("update", false, "write the goldens anew")

var start = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

// session is a session in which everything happens that the tree has a form for.
func session() SessionView {
	ms := func(n float64) *float64 { return &n }
	at := func(s int) time.Time { return start.Add(time.Duration(s) * time.Second) }
	var rows []graph.ActionRow
	add := func(id string, second int, t graph.ActionType, change func(*graph.ActionRow)) {
		r := graph.ActionRow{ActionID: id, ActionType: t, Timestamp: at(second)}
		if change != nil {
			change(&r)
		}
		rows = append(rows, r)
	}
	call := func(id string, second int, lane, tool, status string, props map[string]any, change func(*graph.ActionRow)) {
		add(id, second, graph.ToolCall, func(r *graph.ActionRow) {
			r.AgentID, r.ToolName, r.Status, r.Properties = lane, tool, status, props
			if change != nil {
				change(r)
			}
		})
	}
	result := func(id, parent string, second int, lane, text string) {
		add(id, second, graph.ToolResult, func(r *graph.ActionRow) {
			r.AgentID, r.ParentActionID, r.Text = lane, parent, text
		})
	}
	add("ctx0", 0, graph.Context, func(r *graph.ActionRow) { r.Name = "InstructionsLoaded: CLAUDE.md" })
	add("p1", 1, graph.UserMessage, func(r *graph.ActionRow) { r.Text = "Fix the test\nand \x1b[31mreport\x1b[0m\nthree\nfour\nfive" })
	call("c1", 2, "", "Bash", "completed", map[string]any{"command": "go test ./...\n# second line"}, func(r *graph.ActionRow) { r.DurationMS = ms(1234) })
	result("r1", "c1", 3, "", "ok")
	call("c2", 4, "", "Bash", "failed", map[string]any{"command": "exit 3"}, func(r *graph.ActionRow) { r.DurationMS = ms(30) })
	result("r2", "c2", 4, "", "\nExit code 3\nmore")
	call("c3", 5, "", "Write", "denied", map[string]any{"file_path": "/w/repo/a.txt", "properties": `{"tool_input":{"content":"hello\nworld\n"}}`}, nil)
	add("q3", 5, graph.PermissionRequest, func(r *graph.ActionRow) { r.ParentActionID, r.ToolName = "c3", "Write" })
	call("c4", 6, "", "Nope", "failed", nil, func(r *graph.ActionRow) { r.NeverRan, r.Name = true, "Nope: x" })
	call("c5", 7, "", "Agent", "completed", map[string]any{"properties": `{"tool_input":{"description":"find callers","subagent_type":"Explore","prompt":"look"}}`}, func(r *graph.ActionRow) { r.DurationMS = ms(65000) })
	add("s1", 8, graph.SubagentStart, func(r *graph.ActionRow) { r.AgentID, r.ParentActionID = "a1", "c5" })
	call("n1", 9, "a1", "Grep", "completed", map[string]any{"pattern": "foo", "properties": map[string]any{"tool_input": map[string]any{"path": "/w/repo/sub"}}}, func(r *graph.ActionRow) { r.ParentActionID = "s1" })
	result("nr1", "n1", 10, "a1", "sub/x.go")
	add("nctx", 10, graph.Context, func(r *graph.ActionRow) { r.AgentID, r.ParentActionID = "a1", "s1" })
	call("n2", 11, "a1", "Agent", "completed", map[string]any{"properties": `{"tool_input":{"description":"deeper"}}`}, func(r *graph.ActionRow) { r.ParentActionID = "s1" })
	call("m1", 12, "a2", "Read", "completed", map[string]any{"file_path": "/etc/hosts"}, nil)
	add("s1e", 13, graph.SubagentStop, func(r *graph.ActionRow) { r.AgentID, r.ParentActionID = "a1", "s1" })
	call("o1", 14, "lost", "Bash", "interrupted", map[string]any{"command": "sleep 100"}, nil)
	add("cmp", 15, graph.Compaction, func(r *graph.ActionRow) { r.Name = "PreCompact: auto" })
	add("note", 16, graph.Notification, func(r *graph.ActionRow) { r.Text = "Claude needs your permission" })
	add("err", 17, graph.ErrorEvent, func(r *graph.ActionRow) { r.Text = "API Error: 529\noverloaded" })
	add("perm", 17, graph.PermissionRequest, func(r *graph.ActionRow) {
		r.ParentUnknown, r.ToolName, r.Properties = true, "Bash", map[string]any{"command": "rm -rf build"}
	})
	add("end", 18, graph.TurnEnd, func(r *graph.ActionRow) { r.Text = "Done.\nAll green." })
	add("sys", 19, graph.SystemMessage, func(r *graph.ActionRow) { r.Text = "<task-notification>\n<task-id>1</task-id>" })
	add("p2", 20, graph.UserMessage, func(r *graph.ActionRow) {
		r.Text = strings.Repeat("very long prompt ", 20)
		r.Properties = map[string]any{"images": `[{"type":"image","media_type":"image/png","bytes":34127},{"type":"document","media_type":"application/pdf"}]`}
	})
	call("c6", 21, "", "mcp__db__query", "in_progress", map[string]any{"properties": `{"tool_input":{"limit":3,"filter":{"a":1}}}`}, nil)
	add("end2", 22, graph.TurnEnd, nil)
	return SessionView{
		Session: graph.SessionRow{
			SessionID: "c8813339-2b81", FirstPrompt: "Fix the test\nand report", Status: "active", StartedAt: start, LastEventAt: at(22),
			Model: "claude-x", SourceSDK: "claude-code", WorkingDirectory: "/w/repo", GitBranch: "main", Tags: []string{"a", "b"},
			ActionCount: int64(len(rows)), ToolCallCount: 10, AgentCount: 3, ErrorCount: 2,
		},
		Usage: usage.Report{Total: usage.Sums{Calls: 4, Input: 12345, Output: 6, CacheRead: 7, CacheWrite: 8, Tokens: 12366, LowerBound: true,
			CostUSD: dollars(1.5), CostLowerBound: true}, Unpriced: []string{"my-model-7"}, Missing: 1, Rows: []usage.Row{
			{Key: "main", Sums: usage.Sums{Calls: 2, Tokens: 12000, CostUSD: dollars(1.496)}},
			{Key: "Explore", Sums: usage.Sums{Calls: 2, Tokens: 366, LowerBound: true, CostUSD: dollars(0.004), CostLowerBound: true}},
			{Key: "general-purpose", Sums: usage.Sums{LowerBound: true, CostLowerBound: true}},
		}},
		Actions: rows,
		Agents: []graph.AgentRow{
			{AgentID: "a1", AgentType: "Explore", Status: "completed", SpawnedByActionID: "c5", StartedAt: at(8), EndedAt: at(13),
				TotalInputTokens: 300, TotalOutputTokens: 50, TotalCacheReadTokens: 10, TotalCacheCreationTokens: 6, TotalLowerBound: true},
			{AgentID: "a2", AgentType: "general-purpose", Status: "failed", SpawnedByActionID: "n2", StartedAt: at(12), TotalLowerBound: true},
		},
	}
}

func dollars(f float64) *float64 { return &f }

func TestSession(t *testing.T) {
	old := time.Local
	time.Local = time.UTC
	defer func() { time.Local = old }()
	for _, tc := range []struct {
		name  string
		style Style
		full  bool
	}{
		{"show", Style{Width: 80, UTF8: true}, false},
		{"show_full", Style{Width: 80, UTF8: true}, true},
		{"show_ascii", Style{Width: 60}, false},
		{"show_color", Style{Width: 80, UTF8: true, Color: true}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			v := session()
			v.Full = tc.full
			var b strings.Builder
			if err := tc.style.Session(&b, v); err != nil {
				t.Fatal(err)
			}
			golden := "testdata/" + tc.name + ".txt"
			if *update {
				if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), b.String()); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if tc.style.Color {
				return
			}
			for line := range strings.Lines(b.String()) {
				if n := width(strings.TrimSuffix(line, "\n")); n > tc.style.Width {
					t.Errorf("%d columns of %d: %q", n, tc.style.Width, line)
				}
				if !tc.style.UTF8 && strings.ContainsFunc(line, func(r rune) bool { return r > 0x7f }) {
					t.Errorf("not ASCII: %q", line)
				}
			}
		})
	}
}

// Whatever order a reader gives actions of one time in, each is drawn once: as a
// line, folded into another one, or counted as hidden.
func TestSessionDrawsEverything(t *testing.T) {
	v := session()
	for i := range v.Actions {
		v.Actions[i].Text = fmt.Sprintf("text%02d.", i)
	}
	v.Full = true
	var b strings.Builder
	if err := (Style{UTF8: true}).Session(&b, v); err != nil {
		t.Fatal(err)
	}
	for i, a := range v.Actions {
		switch a.ActionType {
		case graph.ToolCall, graph.SubagentStart, graph.SubagentStop, graph.PermissionRequest:
			continue // their texts are not what is shown of them
		}
		if n := strings.Count(b.String(), fmt.Sprintf("text%02d.", i)); n != 1 {
			t.Errorf("%s (%s) is drawn %d times", a.ActionID, a.ActionType, n)
		}
	}
}

func TestWithoutTags(t *testing.T) {
	for in, want := range map[string]string{
		"<task-notification>\n<task-id>b1</task-id>\n<summary>done</summary>": "b1 done",
		"a < b, c > d": "a < b, c > d", "x <y": "x <y", "<>": "<>", "": "", "1 <2> 3": "1 3",
	} {
		if got := WithoutTags(OneLine(in)); got != want {
			t.Errorf("WithoutTags(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestSessionLarge(t *testing.T) {
	v := SessionView{Session: graph.SessionRow{SessionID: "s"}}
	for i := range 100_000 {
		v.Actions = append(v.Actions, graph.ActionRow{
			ActionID: fmt.Sprint(i), ActionType: graph.ToolCall, ToolName: "Bash", Status: "completed",
			Timestamp: start.Add(time.Duration(i) * time.Millisecond), Properties: map[string]any{"command": "true"},
		})
	}
	var b strings.Builder
	begin := time.Now()
	if err := (Style{Width: 80, UTF8: true}).Session(&b, v); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(b.String(), "Bash"); n != 100_000 {
		t.Errorf("%d of 100,000 calls", n)
	}
	t.Logf("100,000 actions in %v", time.Since(begin))
}

// A pasted file is not printed because somebody asks what a session did; with --full
// it is, every word of it. A notification is shown by its summary.
func TestLongPrompts(t *testing.T) {
	long := strings.Repeat("word ", 5400) + "end"
	v := SessionView{
		Session: graph.SessionRow{SessionID: "s", FirstPrompt: long},
		Actions: []graph.ActionRow{
			{ActionID: "p", ActionType: graph.UserMessage, Text: long},
			{ActionID: "n", ActionType: graph.SystemMessage, Timestamp: start, Text: "<task-notification>\n<task-id>1</task-id>\n<summary>make is\ndone</summary>\n</task-notification>"},
		},
	}
	for _, columns := range []int{0, 80, 5000} {
		for _, full := range []bool{false, true} {
			v.Full = full
			var b strings.Builder
			if err := (Style{Width: columns, UTF8: true}).Session(&b, v); err != nil {
				t.Fatal(err)
			}
			out, _, _ := strings.Cut(b.String(), "· ")
			_, prompt, _ := strings.Cut(out, "❯ ")
			switch {
			case full && strings.Join(strings.Fields(strings.TrimRight(prompt, "└ \n")), " ") != long:
				t.Errorf("width %d: not all of the prompt with --full: %d bytes", columns, len(prompt))
			case !full && (len(out) > 1200 || !strings.Contains(prompt, "… (27.0 kB, --full)")):
				t.Errorf("width %d: %d bytes, %.2000q", columns, len(out), out)
			case !full && !strings.Contains(b.String(), "· make is done\n"):
				t.Errorf("width %d: the notification's summary is not there", columns)
			}
		}
	}
}
