package graph

import (
	"bytes"
	"encoding/json"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/actiongraph/actiongraph/schema"
)

// maxText is how many bytes of a text a store keeps; the journal keeps more.
const maxText = 64 << 10

func clip(s string) string {
	s, _ = schema.CutString(s, maxText)
	return s
}

// gist is a caption's worth of a text: its first line, at most 80 characters.
func gist(s string) string { return gistOf(s, 80) }

func gistOf(s string, max int) string {
	s = strings.TrimSpace(s)
	if len(s) > 16*max {
		s = s[:16*max]
	}
	s = strings.ToValidUTF8(strings.Join(strings.Fields(s), " "), "")
	if utf8.RuneCountInString(s) > max {
		s = string([]rune(s)[:max-1]) + "…"
	}
	return s
}

func baseName(p string) string {
	if i := strings.LastIndexAny(p, `/\`); i >= 0 && i+1 < len(p) {
		return p[i+1:]
	}
	return p
}

// toolNode returns the shared node of a tool: everything its name determines.
func toolNode(name string) (Ref, []Prop) {
	ref := Ref{LabelTool, name}
	if server, _, ok := schema.SplitMCP(name); ok {
		return ref, []Prop{{"is_mcp", true}, {"mcp_server", server}}
	}
	return ref, []Prop{{"is_mcp", false}}
}

// promoted are the members of a tool's input that people filter on: properties of
// their own, taken out of the JSON so that nothing is stored twice.
func promoted(name string) string {
	switch name {
	case "command", "file_path", "url", "pattern":
		return name
	case "notebook_path":
		return "file_path"
	}
	return ""
}

// inputProps gives the properties of a call's input. replace nulls those that an
// earlier input may have left.
func inputProps(e *schema.Event, replace bool) []Prop {
	values := map[string]any{}
	rest := []byte{'{'}
	for _, m := range members(e.ToolInput) {
		k, v := m.name, m.value
		if p := promoted(k); p != "" && len(v) > 0 && v[0] == '"' && values[p] == nil {
			values[p] = clip(schema.Unquote(v))
			continue
		}
		if len(rest) > 1 {
			rest = append(rest, ',')
		}
		rest = append(schema.AppendString(rest, k), ':')
		rest = append(rest, cutJSON(v)...)
	}
	rest = append(rest, '}')
	if input := bytes.TrimSpace(e.ToolInput); len(input) > 0 && input[0] != '{' {
		rest = cutJSON(input)
	}
	name := e.ToolName
	if g := gist(inputGist(e.ToolInput)); g != "" {
		name += ": " + g
	}
	props := []Prop{{"name", name}}
	for _, p := range []string{"command", "file_path", "url", "pattern"} {
		if values[p] != nil || replace {
			props = append(props, Prop{p, values[p]})
		}
	}
	if string(rest) != "{}" {
		props = append(props, Prop{"properties", `{"tool_input":` + string(rest) + `}`})
	} else if replace {
		props = append(props, Prop{"properties", nil})
	}
	return props
}

// inputGist is the member of an input by which a person knows the call.
func inputGist(input []byte) string {
	for _, k := range []string{
		"command", "file_path", "notebook_path", "url", "pattern", "description", "query", "skill",
		"subject", "summary", "prompt",
	} {
		if v := schema.FieldString(input, k); v != "" {
			return v
		}
	}
	for _, m := range members(input) {
		if v := schema.Unquote(m.value); v != "" {
			return v
		}
	}
	return schema.Unquote(input)
}

type member struct {
	name  string
	value json.RawMessage
}

// members returns the members of an object sorted by name: the sources of one input
// write them in different orders, and Event.InputHash takes these for equal.
func members(obj []byte) []member {
	var out []member
	for k, v := range schema.Fields(obj) {
		out = append(out, member{k, v})
	}
	slices.SortStableFunc(out, func(a, b member) int { return strings.Compare(a.name, b.name) })
	return out
}

// cutJSON returns raw, or where it is longer than a store keeps the same value with
// its long strings cut, so that it stays JSON.
func cutJSON(raw []byte) []byte {
	if len(raw) <= maxText {
		return raw
	}
	var v any
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if d.Decode(&v) == nil {
		for _, limit := range []int{maxText, maxText / 16, 256} {
			if out, err := json.Marshal(cutStrings(v, limit)); err == nil && len(out) <= 2*maxText {
				return out
			}
		}
	}
	return schema.AppendString(nil, clip(string(raw)))
}

func cutStrings(v any, limit int) any {
	switch v := v.(type) {
	case string:
		s, _ := schema.CutString(v, limit)
		return s
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = cutStrings(v[i], limit)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k := range v {
			out[k] = cutStrings(v[k], limit)
		}
		return out
	}
	return v
}

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

func isAgentTool(name string) bool { return name == "Agent" || name == "Task" }

// fileOf names the file that a tool reads or writes.
func fileOf(tool string, input []byte) (EdgeType, string) {
	var edge EdgeType
	switch tool {
	case "Read", "NotebookRead":
		edge = Read
	case "Write", "Edit", "MultiEdit", "NotebookEdit":
		edge = Wrote
	default:
		return "", ""
	}
	p := schema.FieldString(input, "file_path")
	if p == "" {
		p = schema.FieldString(input, "notebook_path")
	}
	return edge, p
}

// repoPath gives p relative to the working tree that the recorder saw it in.
func repoPath(e *schema.Event, p string) string {
	root := schema.FieldString(e.Metadata, schema.MetaRepoRoot)
	if root == "" {
		return ""
	}
	rel, ok := strings.CutPrefix(path.Clean(p), strings.TrimSuffix(root, "/")+"/")
	if !ok {
		return ""
	}
	return rel
}

// eventProps gives the properties of an action that is one event. replace nulls
// those that another record of the event may have left.
func eventProps(e *schema.Event, t ActionType, replace bool) []Prop {
	props := []Prop{{"name", eventName(e, t)}}
	set := func(name, v string) {
		if v != "" {
			props = append(props, Prop{name, v})
		} else if replace {
			props = append(props, Prop{name, nil})
		}
	}
	set("text", clip(e.Content))
	set("role", e.Role)
	set("model", e.Model)
	set("tool_name", e.ToolName)
	set("tool_use_id", e.ToolUseID)
	set("error_type", e.ErrorType)
	set("error_message", clip(e.ErrorMessage))
	set("reason", e.Reason)
	set("title", e.Title)
	set("agent_name", e.AgentName)
	set("from_agent", e.FromAgent)
	set("to_agent", e.ToAgent)
	set("hook_event_name", e.HookEventName)
	if e.DurationMS != nil {
		props = append(props, Prop{"duration_ms", *e.DurationMS})
	} else if replace {
		props = append(props, Prop{"duration_ms", nil})
	}
	set("properties", leftovers(e))
	meta := ""
	if len(e.Metadata) > 2 && e.Origin != schema.OriginHook {
		meta = string(cutJSON(e.Metadata))
	}
	set("metadata", meta)
	return props
}

// leftovers is what else the payload said, but for what every payload repeats.
func leftovers(e *schema.Event) string {
	out := []byte{'{'}
	add := func(k string, v []byte) {
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(append(schema.AppendString(out, k), ':'), cutJSON(v)...)
	}
	for k, v := range schema.Fields(e.Extra) {
		switch k {
		case "transcript_path", "permission_mode", "effort":
		default:
			add(k, v)
		}
	}
	if len(e.ToolInput) > 0 {
		add("tool_input", e.ToolInput)
	}
	if len(e.Result) > 0 {
		add("result", e.Result)
	}
	if len(out) == 1 {
		return ""
	}
	return string(append(out, '}'))
}

// eventName is the caption of an action that is one event.
func eventName(e *schema.Event, t ActionType) string {
	head := e.HookEventName
	if head == "" {
		head = string(t)
	}
	var tail string
	switch t {
	case UserMessage, AssistantMessage, SystemMessage, SubagentStop, TurnEnd:
		if g := gist(e.Content); g != "" {
			return g
		}
	case ErrorEvent, RateLimitEvent:
		tail = strings.TrimSpace(e.ErrorType + " " + e.ErrorMessage)
	case Context:
		for _, k := range []string{"file_path", "new_cwd", "directory", "worktree_path", "name", "to_model", "trigger", "source"} {
			if v := schema.FieldString(e.Extra, k); v != "" {
				tail = v
				break
			}
		}
	default:
		tail = e.Content
		if e.Title != "" {
			tail = e.Title
		}
	}
	if g := gist(tail); g != "" {
		return head + ": " + g
	}
	return head
}
