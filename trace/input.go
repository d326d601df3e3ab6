package trace

import (
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/schema"
)

// toolInput is the input of a call as JSON, "" where none is known: the members that the graph
// has as properties of their own come first.
func toolInput(a *graph.ActionRow) string {
	rest := schema.Field([]byte(text(a, "properties")), "tool_input")
	if len(rest) > 0 && rest[0] != '{' {
		return string(rest)
	}
	out := []byte{'{'}
	add := func(name string, value []byte) {
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(append(schema.AppendString(out, name), ':'), value...)
	}
	for _, name := range []string{"command", "file_path", "url", "pattern"} {
		if v := text(a, name); v != "" {
			add(name, schema.AppendString(nil, v))
		}
	}
	for name, v := range schema.Fields(rest) {
		add(name, v)
	}
	if len(out) == 1 {
		return ""
	}
	return string(append(out, '}'))
}
