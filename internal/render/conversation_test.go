package render

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/actiongraph/actiongraph/graph"
)

// spoken is a session as transcripts tell it: thinking, answers, model calls, and a
// subagent with its prompt and its last message.
func spoken() SessionView {
	at := func(s int) time.Time { return start.Add(time.Duration(s) * time.Second) }
	long := "a line that is longer than the terminal is wide, as a log's lines often are, and goes on " + strings.Repeat("xy", 50)
	return SessionView{
		Session: graph.SessionRow{SessionID: "s", Title: "Spoken", Status: "completed", StartedAt: start, EndedAt: at(30), WorkingDirectory: "/w"},
		Agents: []graph.AgentRow{{AgentID: "g", AgentType: "Explore", Prompt: "look around\nand \x1b[31mtell\x1b[0m", Status: "completed", SpawnedByActionID: "c2",
			LastAssistantMessage: "Nothing there.", StartedAt: at(10), EndedAt: at(20)}},
		Actions: []graph.ActionRow{
			{ActionID: "p", ActionType: graph.UserMessage, Timestamp: at(1), Text: "Where is the bug?"},
			{ActionID: "l", ActionType: graph.LLMCall, Timestamp: at(2), Model: "claude-x", Status: "completed", Properties: map[string]any{
				"input_tokens": int64(12), "output_tokens": int64(345), "cache_read_input_tokens": int64(67890)}},
			{ActionID: "t", ActionType: graph.AssistantMessage, Timestamp: at(3), Text: "Perhaps in main.\nOr not.", Thinking: true},
			{ActionID: "t2", ActionType: graph.AssistantMessage, Timestamp: at(4), Thinking: true},
			{ActionID: "a", ActionType: graph.AssistantMessage, Timestamp: at(5), Text: "I look.\n\n```go\nfunc main() {}\n```"},
			{ActionID: "c1", ActionType: graph.ToolCall, ToolName: "Bash", Status: "completed", Timestamp: at(6), Properties: map[string]any{"command": "cat log " + long}},
			{ActionID: "r1", ActionType: graph.ToolResult, ParentActionID: "c1", Timestamp: at(7), Text: "one\n" + long + "\n" + strings.Repeat("more\n", 70)},
			{ActionID: "c2", ActionType: graph.ToolCall, ToolName: "Agent", Status: "completed", Timestamp: at(8), Properties: map[string]any{
				"properties": `{"tool_input":{"description":"look","prompt":"look around\nand \u001b[31mtell\u001b[0m"}}`}},
			{ActionID: "n1", ActionType: graph.ToolCall, ToolName: "Read", AgentID: "g", Status: "failed", Timestamp: at(12), Properties: map[string]any{"file_path": "/w/x", "error_message": "no such file"}},
			{ActionID: "r2", ActionType: graph.ToolResult, ParentActionID: "c2", Timestamp: at(21), Text: "Nothing there."},
			{ActionID: "c3", ActionType: graph.ToolCall, ToolName: "Edit", Status: "completed", Timestamp: at(21), Properties: map[string]any{
				"file_path": "/w/x", "properties": `{"tool_input":{"old_string":"a\nb","new_string":"a\nc","replace_all":false}}`}},
			{ActionID: "r3", ActionType: graph.ToolResult, ParentActionID: "c3", Timestamp: at(21), Properties: map[string]any{
				"properties": `{"result":{"structuredPatch":[{"oldStart":1,"lines":[" a","-b","+c"]}]}}`}},
			{ActionID: "c4", ActionType: graph.ToolCall, ToolName: "Glob", Status: "completed", Timestamp: at(21), Properties: map[string]any{"pattern": "*.go"}},
			{ActionID: "r4", ActionType: graph.ToolResult, ParentActionID: "c4", Timestamp: at(21), Properties: map[string]any{
				"properties": `{"result":{"filenames":["main.go"]}}`}},
			{ActionID: "c5", ActionType: graph.ToolCall, ToolName: "Read", Status: "completed", Timestamp: at(21), Properties: map[string]any{"file_path": "/w/cat.png"}},
			{ActionID: "r5", ActionType: graph.ToolResult, ParentActionID: "c5", Timestamp: at(21), Properties: map[string]any{
				"properties": `{"result":{"type":"image","file":{"base64":"iVBORw0KGgo","type":"image/png","originalSize":812}}}`}},
			{ActionID: "l2", ActionType: graph.LLMCall, Timestamp: at(22), Model: "claude-x", Status: "failed", Text: "overloaded"},
			{ActionID: "b", ActionType: graph.AssistantMessage, Timestamp: at(23), Text: "There is none."},
		},
	}
}

func TestConversation(t *testing.T) {
	old := time.Local
	time.Local = time.UTC
	defer func() { time.Local = old }()
	for _, tc := range []struct {
		name string
		full bool
	}{{"conversation", false}, {"conversation_full", true}} {
		v := spoken()
		v.Full = tc.full
		var b strings.Builder
		style := Style{Width: 80, UTF8: true}
		if err := style.Session(&b, v); err != nil {
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
			t.Errorf("%s -want +got:\n%s", tc.name, diff)
		}
		for line := range strings.Lines(b.String()) {
			if n := width(strings.TrimSuffix(line, "\n")); n > style.Width {
				t.Errorf("%d columns of %d: %q", n, style.Width, line)
			}
		}
		if strings.Contains(b.String(), "\x1b") {
			t.Error("a control character is printed")
		}
	}
}

// Lines are broken where they fit, and nothing of a text is lost; however long it is.
func TestWrapLine(t *testing.T) {
	signs := []rune("ab  \u0301日\u200d👩🇩🇪…")
	without := func(s string) string { return strings.ReplaceAll(s, " ", "") }
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOf(rapid.SampledFrom(signs)).Draw(t, "text")
		text = strings.Repeat(text, rapid.IntRange(1, 9).Draw(t, "times"))
		room := rapid.IntRange(10, 14).Draw(t, "room")
		p := &painter{Style: Style{Width: 80}}
		for what, lines := range map[string][]string{"wrapLine": p.wrapLine(text, room), "wrapped": wrapped(text, room)} {
			if got := strings.Join(lines, ""); without(got) != without(text) {
				t.Fatalf("%s(%q) = %q", what, text, lines)
			}
			for _, l := range lines {
				if width(l) > room {
					t.Fatalf("%s(%q): %q is %d columns of %d", what, text, l, width(l), room)
				}
			}
		}
	})
	// The time must not grow with the square of the length: of ten times as much, a hundred
	// times. What else the machine does makes some runs slow, and none fast.
	p := &painter{Style: Style{Width: 40}}
	for _, unit := range []string{"日本", "xxx", "é é", "\u0301"} {
		least := func(n int) time.Duration {
			text, best := "a"+strings.Repeat(unit, n), time.Hour
			for range 5 {
				begin := time.Now()
				p.wrapLine(text, 40)
				wrapped(text, 40)
				best = min(best, time.Since(begin))
			}
			return best
		}
		if short, long := least(1_000), least(10_000); long > 50*short {
			t.Errorf("%q: 1,000 times %v, 10,000 times %v", unit, short, long)
		}
	}
}
