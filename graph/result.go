package graph

import (
	"bytes"
	"encoding/json"
	"slices"
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
	var props []Prop
	set := func(name string, v any, present bool) {
		if present {
			props = append(props, Prop{name, v})
		} else if replace {
			props = append(props, Prop{name, nil})
		}
	}
	set("text", clip(text), text != "")
	set("error_message", errorOf(e.ErrorMessage, text), e.ErrorMessage != "")
	set("error_type", e.ErrorType, e.ErrorType != "")
	code, hasCode := exitCode(e.ErrorMessage)
	set("exit_code", code, hasCode)
	added, removed, counted := lineCounts(e)
	set("lines_added", added, counted)
	set("lines_removed", removed, counted)
	set("properties", `{"result":`+string(rest)+`}`, len(rest) > 2)
	set("metadata", string(e.Metadata), len(e.Metadata) > 2 && e.Origin != schema.OriginHook)
	return props
}

// errorOf is what is kept of an error: a caption where the text that is kept says it all,
// else the whole of it.
func errorOf(message, text string) string {
	if text == message || strings.Contains(clip(text), strings.TrimSpace(message)) {
		return gistOf(message, maxErrorGist)
	}
	return clip(message)
}

// maxErrorGist is how many characters the caption of an error has at most.
const maxErrorGist = 300

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
	repeated := repeatedMembers(e, raw)
	var parts []string
	rest = []byte{'{'}
	for k, v := range schema.Fields(raw) {
		if slices.Contains(repeated, k) {
			continue
		}
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

// repeatedMembers names the members of a result that only repeat the call's input, where
// the fact has no input to compare with: a tool_result line. A file as it was before an
// edit is nobody's to keep: the journal has it, and the patch says what changed.
func repeatedMembers(e *schema.Event, result []byte) (names []string) {
	edit := schema.Field(result, "structuredPatch") != nil
	if edit {
		names = append(names, "originalFile")
	}
	switch {
	case len(e.ToolInput) > 0:
	case edit:
		names = append(names, "filePath", "oldString", "newString", "content", "edits")
	case spawnedBy(e) != "":
		names = append(names, "prompt", "description")
	}
	return names
}

// lineCounts counts the lines that a call added to files and removed from them, if its
// result tells: by its patch, or because it made the file.
func lineCounts(e *schema.Event) (added, removed int64, ok bool) {
	if e.ToolName == "apply_patch" && !e.IsError {
		for line := range strings.Lines(patchText(e.ToolInput)) {
			countLine(line, &added, &removed)
		}
		return added, removed, added+removed > 0
	}
	patch := schema.Field(e.Result, "structuredPatch")
	if len(patch) == 0 || patch[0] != '[' {
		return 0, 0, false
	}
	hunks := 0
	for hunk := range schema.Elements(patch) {
		hunks++
		for line := range schema.Elements(schema.Field(hunk, "lines")) {
			countLine(schema.Unquote(line), &added, &removed)
		}
	}
	if hunks == 0 && schema.FieldString(e.Result, "type") == "create" {
		content := schema.FieldString(e.Result, "content")
		added = int64(strings.Count(content, "\n"))
		if content != "" && !strings.HasSuffix(content, "\n") {
			added++
		}
	}
	return added, removed, true
}

func countLine(line string, added, removed *int64) {
	switch {
	case strings.HasPrefix(line, "+"):
		*added++
	case strings.HasPrefix(line, "-"):
		*removed++
	}
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
