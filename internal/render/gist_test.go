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
