package graph

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/actiongraph/actiongraph/schema"
)

// resultProps gives the properties of what a call returned.
func resultProps(e *schema.Event, replace bool) []Prop {
	text, rest := resultText(e)
	if e.ErrorMessage != "" && text == "" {
		text = e.ErrorMessage
	}
	props := []Prop{{"name", e.ToolName + " result"}}
	set := func(name string, v any, present bool) {
		if present {
			props = append(props, Prop{name, v})
		} else if replace {
			props = append(props, Prop{name, nil})
		}
	}
	set("text", clip(text), text != "")
	set("error_message", gistOf(e.ErrorMessage, 300), e.ErrorMessage != "")
	set("error_type", e.ErrorType, e.ErrorType != "")
	code, hasCode := exitCode(e.ErrorMessage)
	set("exit_code", code, hasCode)
	set("properties", `{"result":`+string(rest)+`}`, len(rest) > 2)
	set("metadata", string(e.Metadata), len(e.Metadata) > 2 && e.Origin != schema.OriginHook)
	return props
}

// exitCode reads "Exit code N", the first line of a failed Bash call; Claude Code
// gives no other exit code (facts/agent-hooks-observed.md §1.5).
func exitCode(message string) (int64, bool) {
	rest, ok := strings.CutPrefix(message, "Exit code ")
	if !ok {
		return 0, false
	}
	line, _, _ := strings.Cut(rest, "\n")
	n, err := strconv.ParseInt(strings.TrimSpace(line), 10, 64)
	return n, err == nil
}

// resultText takes the text a person would read out of a result, and returns the
// rest of it as a JSON object. What only repeats the call's input is in neither:
// Write returns the content that was written, Edit the whole strings it was given.
func resultText(e *schema.Event) (text string, rest []byte) {
	raw := bytes.TrimSpace(e.Result)
	if len(raw) == 0 {
		return "", nil
	}
	switch raw[0] {
	case '"':
		return schema.Unquote(raw), nil
	case '[':
		return blockText(raw), nil
	case '{':
	default:
		return string(raw), nil
	}
	inputs := map[string]bool{}
	for _, v := range schema.Fields(e.ToolInput) {
		inputs[string(v)] = true
	}
	var parts []string
	rest = []byte{'{'}
	for k, v := range schema.Fields(raw) {
		if inputs[string(v)] && len(v) > 2 && v[0] == '"' {
			continue
		}
		if t, ok := textMember(k, v); ok {
			if t != "" {
				parts = append(parts, t)
			}
			continue
		}
		if len(rest) > 1 {
			rest = append(rest, ',')
		}
		rest = append(schema.AppendString(rest, k), ':')
		rest = append(rest, cutJSON(v)...)
	}
	return strings.Join(parts, "\n"), append(rest, '}')
}

// textMember gives the text of those members of a structured result that hold what
// the tool printed.
func textMember(name string, v json.RawMessage) (string, bool) {
	switch name {
	case "stdout", "stderr", "message", "output", "text":
		if v[0] == '"' {
			return schema.Unquote(v), true
		}
	case "content":
		switch v[0] {
		case '"':
			return schema.Unquote(v), true
		case '[':
			return blockText(v), true
		}
	case "file":
		if c := schema.Field(v, "content"); len(c) > 0 && c[0] == '"' {
			return schema.Unquote(c), true
		}
	}
	return "", false
}

// blockText joins the text blocks of a content array; other blocks are named only.
func blockText(raw []byte) string {
	var parts []string
	for b := range schema.Elements(raw) {
		switch kind := schema.FieldString(b, "type"); kind {
		case "text":
			parts = append(parts, schema.FieldString(b, "text"))
		case "":
			parts = append(parts, string(b))
		default:
			parts = append(parts, "["+kind+"]")
		}
	}
	return strings.Join(parts, "\n")
}
