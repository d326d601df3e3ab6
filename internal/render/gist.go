package render

import (
	"cmp"
	"encoding/json"
	"fmt"
	"path"
	"strconv"
	"strings"

	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/schema"
)

// Gist says in one line what an action is about: a call's command, file, pattern or
// address, a message's first line. dir is the session's directory, to which file
// names are relative.
func Gist(a *graph.ActionRow, dir string) string {
	switch a.ActionType {
	case graph.ToolCall:
		return callGist(a, dir)
	case graph.PermissionRequest:
		if what := OneLine(property(a, "resource")); what != "" {
			return strings.TrimSpace(OneLine(property(a, "action")) + " " + what)
		}
		if g := callGist(a, dir); g != "" {
			return g
		}
	}
	if text := notice(a.Text); text != "" {
		return text
	}
	if a.ActionType == graph.ErrorEvent || a.ActionType == graph.RateLimitEvent {
		if text := errorGist(a); text != "" {
			return text
		}
	}
	if text := FirstLine(a.Text); text != "" {
		if a.ActionType == graph.SystemMessage {
			text = WithoutTags(OneLine(a.Text))
		}
		if a.Thinking {
			text = "(thinking) " + text
		}
		return asked(a, text)
	}
	if picture := Picture(Rest(a)); picture != "" {
		return picture
	}
	if images := Images(a); len(images) > 0 {
		return strings.Join(images, " ")
	}
	if text := asked(a, ""); text != "" {
		return text
	}
	name := OneLine(a.Name)
	if strings.EqualFold(name, string(a.ActionType)) {
		return ""
	}
	return strings.TrimPrefix(name, typeWords(a.ActionType)+": ")
}

// asked is a decision's text after its kind and what it chose, and a callback's after its
// intent, with what was answered.
func asked(a *graph.ActionRow, text string) string {
	what := FirstLine(property(a, "title"))
	if strings.EqualFold(what, string(a.ActionType)) {
		what = ""
	}
	switch a.ActionType {
	case graph.Callback:
	case graph.Decision:
		what = strings.TrimSpace(what + " " + OneLine(cmp.Or(a.ToolName, property(a, "to_agent"))))
	default:
		return text
	}
	if what != "" && text != "" {
		what += ": "
	}
	text = what + text
	if answer := FirstLine(schema.FieldString(rawJSON(a.Properties["properties"]), "response")); answer != "" {
		text += " → " + answer
	}
	return text
}

// errorGist is what an error says, and its kind where that is known.
func errorGist(a *graph.ActionRow) string {
	text := FirstLine(property(a, "error_message"))
	if text == "" {
		text = FirstLine(a.Text)
	}
	if kind := OneLine(strings.ReplaceAll(property(a, "error_type"), "_", " ")); text != "" && kind != "" && kind != "unknown" {
		text = kind + ": " + text
	}
	return text
}

// gistKeys are the members of a tool's input that say what a call is about, the
// most telling first.
func gistKeys() []string {
	return []string{
		"command", "file_path", "notebook_path", "pattern", "url", "query", "description", "skill",
		"subject", "prompt", "path", "name", "task_id", "message", "plan",
	}
}

func callGist(a *graph.ActionRow, dir string) string {
	input := toolInput(a)
	for _, key := range gistKeys() {
		v := property(a, key)
		if v == "" {
			v = input[key]
		}
		switch key {
		case "file_path", "notebook_path", "path": // a newline is a part of a name
			v = OneLine(Relative(v, dir))
		default:
			v = FirstLine(v)
		}
		if v == "" {
			continue
		}
		switch key {
		case "pattern":
			if in := OneLine(Relative(input["path"], dir)); in != "" {
				return v + " in " + in
			}
		case "description":
			if kind := OneLine(input["subagent_type"]); kind != "" {
				return kind + ": " + v
			}
		}
		return v
	}
	// Else what the node is called after: "Bash: ls" without the tool.
	if _, what, ok := strings.Cut(OneLine(a.Name), ": "); ok {
		return what
	}
	return inputGist(input)
}

// inputGist is an input that no known member speaks for: its members.
func inputGist(input map[string]string) string {
	var parts []string
	for _, k := range sortedKeys(input) {
		if v := OneLine(input[k]); v != "" && len(parts) < 4 {
			parts = append(parts, OneLine(k)+"="+v)
		}
	}
	return strings.Join(parts, " ")
}

// property returns a property of the node as text, "" where it is absent.
func property(a *graph.ActionRow, name string) string {
	switch v := a.Properties[name].(type) {
	case nil:
		return ""
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	default:
		return fmt.Sprint(v)
	}
}

// toolInput returns the members of a call's input as text.
func toolInput(a *graph.ActionRow) map[string]string {
	out := map[string]string{}
	for k, v := range schema.Fields(rawInput(a)) {
		if len(v) > 0 && v[0] == '"' {
			out[k] = schema.Unquote(v)
		} else {
			out[k] = string(v)
		}
	}
	return out
}

// rawInput returns a call's input as JSON but for the members that are properties
// of their own, or nil.
func rawInput(a *graph.ActionRow) json.RawMessage {
	if raw := rawJSON(a.Properties["tool_input"]); raw != nil {
		return raw
	}
	return schema.Field(rawJSON(a.Properties["properties"]), "tool_input")
}

// Rest is what a result says beside its text, as JSON, or nil.
func Rest(r *graph.ActionRow) json.RawMessage {
	if r == nil {
		return nil
	}
	return schema.Field(rawJSON(r.Properties["properties"]), "result")
}

// Tells reports whether what a result says beside its text is worth reading: flags alone,
// as a command without output gives, are not, and a new file's content is the input.
func Tells(rest json.RawMessage) bool {
	some := false
	for k, v := range schema.Fields(rest) {
		if k == "structuredPatch" {
			return false
		}
		some = some || len(v) > 2 && (v[0] == '"' || v[0] == '[' || v[0] == '{')
	}
	return some || len(rest) > 2 && rest[0] != '{'
}

// Patch is a result's list of changes, as a diff has them; "" where it has none.
func Patch(r *graph.ActionRow) string {
	var text strings.Builder
	for hunk := range schema.Elements(schema.Field(Rest(r), "structuredPatch")) {
		for line := range schema.Elements(schema.Field(hunk, "lines")) {
			text.WriteString(schema.Unquote(line) + "\n")
		}
	}
	return text.String()
}

// rawJSON is a property that holds JSON, whether a reader gives it as text or
// decoded.
func rawJSON(v any) json.RawMessage {
	switch v := v.(type) {
	case nil:
		return nil
	case string:
		return json.RawMessage(v)
	case json.RawMessage:
		return v
	}
	b, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	return b
}

// Input is a call's input with the members that are properties of their own.
func Input(a *graph.ActionRow) map[string]json.RawMessage {
	out := map[string]json.RawMessage{}
	for k, v := range schema.Fields(rawInput(a)) {
		out[k] = v
	}
	for _, k := range []string{"command", "file_path", "url", "pattern"} {
		if v, ok := a.Properties[k].(string); ok && out[k] == nil {
			out[k] = schema.AppendString(nil, v)
		}
	}
	return out
}

// Relative is file as seen from dir, where that is shorter.
func Relative(file, dir string) string {
	if dir == "" || dir == "/" {
		return file
	}
	if file == dir {
		return "."
	}
	dir = strings.TrimRight(dir, `/\`)
	if rest, ok := strings.CutPrefix(file, dir); ok && rest != "" && (rest[0] == '/' || rest[0] == '\\') {
		return rest[1:]
	}
	// A neighbour of the directory is nearer than the root.
	if rest, ok := strings.CutPrefix(file, path.Dir(dir)+"/"); ok && path.Dir(dir) != "/" && path.Dir(dir) != "." {
		return "../" + rest
	}
	return file
}
