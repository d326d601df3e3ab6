package graph

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"unicode"
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

// gistOf is a caption of at most max characters, white space as one blank each.
func gistOf(s string, max int) string {
	s = strings.TrimLeftFunc(s, unicode.IsSpace)
	if len(s) > 16*max {
		s = s[:16*max]
	}
	out := make([]byte, 0, min(len(s), 4*max))
	cut, n, blank := 0, 0, false // cut is where the last character that fits begins
	for i, r := range s {
		switch {
		case unicode.IsSpace(r):
			blank = n > 0
			continue
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD"):
			continue // no UTF-8
		}
		if blank {
			if n++; n == max {
				cut = len(out)
			}
			out, blank = append(out, ' '), false
		}
		if n++; n == max {
			cut = len(out)
		}
		if n > max {
			return string(append(out[:cut], "…"...))
		}
		out = utf8.AppendRune(out, r)
	}
	return string(out)
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
	all := members(e.ToolInput)
	for _, m := range all {
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
	if g := gist(inputGist(e.ToolInput, all)); g != "" {
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
func inputGist(input []byte, members []member) string {
	for _, k := range []string{
		"command", "file_path", "notebook_path", "url", "pattern", "description", "query", "skill",
		"subject", "summary", "prompt",
	} {
		for _, m := range members {
			if m.name != k {
				continue
			}
			if v := schema.Unquote(m.value); v != "" {
				return v
			}
			break
		}
	}
	for _, m := range members {
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

func isAgentTool(name string) bool { return name == "Agent" || name == "Task" }

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
	set("message_id", e.MessageID)
	set("error_type", e.ErrorType)
	set("error_message", clip(e.ErrorMessage))
	reason := e.Reason
	if reason == reasonThinking && thinks(e) {
		reason = "" // the property thinking says it
	}
	set("reason", reason)
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
	if t == ErrorEvent || t == RateLimitEvent {
		if v := apiStatus(e); v != nil || replace {
			props = append(props, Prop{"api_error_status", v})
		}
	}
	set("properties", leftovers(e))
	meta := ""
	if len(e.Metadata) > 2 && e.Origin != schema.OriginHook {
		meta = string(cutJSON(e.Metadata))
	}
	set("metadata", meta)
	return props
}

// stated is what else a producer that is no runtime says of what it did, but for some
// members: a JSON object, "" where it is nothing. Runtimes say little there, again and
// again.
func stated(e *schema.Event, but ...string) string {
	if len(e.Extra) == 0 || e.Origin != schema.OriginAudit && e.Origin != schema.OriginAPI {
		return ""
	}
	out := []byte{'{'}
	for k, v := range schema.Fields(e.Extra) {
		if string(v) == "null" || slices.Contains(but, k) {
			continue
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(append(schema.AppendString(out, k), ':'), cutJSON(v)...)
	}
	if len(out) == 1 {
		return ""
	}
	return string(append(out, '}'))
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
		if e.Origin == schema.OriginAudit && saidElsewhere(e, k, v) {
			continue
		}
		switch k {
		case "transcript_path", "permission_mode", "effort", "parent_uuid", "request_id", "is_sidechain":
		default:
			if k == "api_error_status" && apiStatus(e) != nil {
				continue
			}
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

// saidElsewhere reports a member of a record of an audit that says nothing, or what the
// record's typed fields, or the action that its decision led to, say.
func saidElsewhere(e *schema.Event, name string, v []byte) bool {
	switch {
	case len(v) == 0, string(v) == "null", string(v) == "{}":
		return true
	case e.EventType == schema.Decision && name == "parameters":
		return e.Title == "call_tool" && e.ToolName != ""
	case v[0] != '"':
		return false
	case e.EventType == schema.Decision && name == "response":
		return e.Title == "respond" || e.Title == "final_message" // a text is the message that it led to
	}
	text := schema.Unquote(v)
	return text == "" || slices.Contains([]string{e.Title, e.Content, e.Reason, e.ToAgent, e.ToolName, e.ErrorType, e.ErrorMessage}, text)
}

// eventName is the caption of an action that is one event.
func eventName(e *schema.Event, t ActionType) string {
	head := e.HookEventName
	switch {
	case head == "", e.Origin == schema.OriginAudit && t != Unknown:
		head = string(t) // a record's kind says less
	case e.Origin == schema.OriginTranscript && (t == ErrorEvent || t == RateLimitEvent):
		head = "API error"
	}
	var tail string
	switch t {
	case UserMessage, AssistantMessage, SystemMessage, SubagentStop, TurnEnd:
		if g := gist(e.Content); g != "" {
			return g
		}
	case ErrorEvent, RateLimitEvent:
		tail = strings.TrimSpace(e.ErrorType + " " + e.ErrorMessage)
	case Decision, Callback, Memory:
		if t == Memory && e.Reason != "" {
			head = e.Reason // the operation
		}
		tail = caption(e.Title, cmp.Or(e.ToAgent, e.ToolName), e.Content)
	case Context:
		if e.Origin == schema.OriginAudit {
			tail = caption(e.Title, e.ToolName, e.Content)
			break
		}
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

// caption says what something is, of whom or what, and what was said of it.
func caption(what, of, said string) string {
	what = strings.TrimSpace(what + " " + of)
	if what == "" || said == "" {
		return what + said
	}
	return what + ": " + said
}
