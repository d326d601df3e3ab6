package render

import (
	"testing"

	"github.com/actiongraph/actiongraph/graph"
)

func TestGist(t *testing.T) {
	row := func(typ graph.ActionType, text string, props map[string]any) graph.ActionRow {
		return graph.ActionRow{ActionType: typ, Text: text, Properties: props}
	}
	thought := row(graph.AssistantMessage, "\r\nhm\r\nso", nil)
	thought.Thinking = true
	for want, a := range map[string]graph.ActionRow{
		"ls":                        row(graph.ToolCall, "", map[string]any{"command": "\r\nls\rrm\nx"}),
		"a b|c.go":                  row(graph.ToolCall, "", map[string]any{"file_path": "/w/a\nb|c.go"}),
		"x in sub dir":              row(graph.ToolCall, "", map[string]any{"properties": `{"tool_input":{"pattern":"x","path":"/w/sub\r\ndir"}}`}),
		"(thinking) hm":             thought,
		"[image: image/png, 812 B]": row(graph.ToolResult, "", map[string]any{"properties": `{"result":{"type":"image","file":{"base64":"x","type":"image/png","originalSize":812}}}`}),
		"[image] [document: a/b]":   row(graph.UserMessage, " ", map[string]any{"images": `[{"type":"image","bytes":-1},{"type":"document","media_type":"a/b"}]`}),
		"[binary content: x y]":     row(graph.UserMessage, "", map[string]any{"properties": `{"images":[{"media_type":"x\ny"}]}`}),
		"":                          row(graph.UserMessage, "", map[string]any{"images": "1"}),
	} {
		if got := Gist(&a, "/w"); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestGistOfDecisions(t *testing.T) {
	row := func(typ graph.ActionType, name, text string, props map[string]any) graph.ActionRow {
		return graph.ActionRow{ActionType: typ, Name: name, Text: text, Properties: props}
	}
	of := func(tool string, a graph.ActionRow) graph.ActionRow { a.ToolName = tool; return a }
	for want, a := range map[string]graph.ActionRow{
		"call_tool web_search":         of("web_search", row(graph.Decision, "decision: call_tool web_search", "", map[string]any{"title": "call_tool"})),
		"call_tool web_search: look":   of("web_search", row(graph.Decision, "x", "look\nup", map[string]any{"title": "call_tool"})),
		"delegate weather":             row(graph.Decision, "decision: delegate weather", "", map[string]any{"title": "delegate", "to_agent": "weather"}),
		"delegate weather: ask it":     row(graph.Decision, "x", "ask it", map[string]any{"title": "delegate", "to_agent": "weather"}),
		"respond: yes":                 row(graph.Decision, "x", "yes", map[string]any{"title": "respond"}),
		"respond → done":               row(graph.Decision, "decision: respond", "", map[string]any{"title": "respond", "properties": `{"response":"done"}`}),
		"yes":                          row(graph.Decision, "decision: decision: yes", "yes", map[string]any{"title": "decision"}),
		"":                             row(graph.Decision, "decision", "", nil),
		"web_search":                   of("web_search", row(graph.Decision, "decision: web_search", "", nil)),
		"information: which? → today":  row(graph.Callback, "x", "which?", map[string]any{"title": "information", "properties": `{"response":"today"}`}),
		"approval":                     row(graph.Callback, "callback: approval", "", map[string]any{"title": "approval"}),
		"a title says nothing of this": row(graph.AssistantMessage, "x", "a title says nothing of this", map[string]any{"title": "t"}),
	} {
		if got := Gist(&a, "/w"); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
