package claude_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/actiongraph/actiongraph/adapters/claude"
	"github.com/actiongraph/actiongraph/schema"
)

// member is one member of a payload, its value in canonical form.
type member struct{ Key, Value string }

// canonical writes a JSON value so that equal values are equal strings. Numbers
// keep every digit.
func canonical(raw []byte) string {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return "not JSON: " + string(raw)
	}
	out, _ := json.Marshal(v)
	return string(out)
}

func membersOf(obj []byte) (list []member) {
	for key, raw := range schema.Fields(obj) {
		list = append(list, member{key, canonical(raw)})
	}
	return list
}

// inverse is written against the table in the package comment, not against the
// code: it gives back the members of the payload that made the events.
func inverse(t testing.TB, events []schema.Event) []member {
	t.Helper()
	first := events[0]
	extra := first.Extra
	var list []member
	add := func(key, value string) {
		if value != "" {
			list = append(list, member{key, canonical(schema.AppendString(nil, value))})
		}
	}
	if !strings.Contains(schema.FieldString(first.Metadata, "hook_error"), "no session_id") {
		if original := schema.FieldString(first.Metadata, "session_id_original"); original != "" {
			add("session_id", original)
		} else {
			add("session_id", first.SessionID)
		}
	}
	add("hook_event_name", first.HookEventName)
	add("cwd", first.WorkingDirectory)
	add("prompt_id", first.PromptID)
	add("agent_id", first.AgentID)
	add("agent_type", first.AgentType)

	switch {
	case first.EventType == schema.ToolBatch && schema.Field(extra, "tool_calls") == nil:
		var entries []string
		for _, e := range events {
			entries = append(entries, entryOf(t, e))
		}
		list = append(list, member{"tool_calls", "[" + strings.Join(entries, ",") + "]"})
		extra = without(extra, "tool_call")
	case first.EventType == schema.ToolBatch:
	default:
		names := namesIn(first.HookEventName)
		for _, f := range []struct{ field, value string }{
			{"content", first.Content}, {"model", first.Model}, {"reason", first.Reason}, {"title", first.Title},
			{"error_type", first.ErrorType}, {"error_message", first.ErrorMessage}, {"task_id", first.TaskID},
			{"tool_name", first.ToolName}, {"tool_use_id", first.ToolUseID},
		} {
			if f.value != "" && names[f.field] == "" {
				t.Errorf("%s has a %s, which the table does not know", first.HookEventName, f.field)
			}
			add(names[f.field], f.value)
		}
		list = append(list, rawMembers(first, "tool_response")...)
		if first.DurationMS != nil {
			list = append(list, member{"duration_ms", strconv.FormatFloat(*first.DurationMS, 'f', -1, 64)})
		}
	}
	return append(list, membersOf(extra)...)
}

// namesIn is the table, read from right to left: the payload's name of each typed
// text field.
func namesIn(hook string) map[string]string {
	call := map[string]string{"tool_name": "tool_name", "tool_use_id": "tool_use_id", "error_message": "error", "reason": "reason"}
	task := map[string]string{"task_id": "task_id", "title": "task_subject", "content": "task_description"}
	message := map[string]string{"content": "message"}
	return map[string]map[string]string{
		"PreToolUse": call, "PostToolUse": call, "PostToolUseFailure": call, "PermissionDenied": call, "PermissionRequest": call,
		"SessionStart":        {"reason": "source", "model": "model", "title": "session_title"},
		"SessionEnd":          {"reason": "reason"},
		"UserPromptSubmit":    {"content": "prompt", "title": "session_title"},
		"UserPromptExpansion": {"content": "prompt"},
		"MessageDisplay":      {"content": "delta"},
		"Stop":                {"content": "last_assistant_message"},
		"StopFailure":         {"error_type": "error", "error_message": "last_assistant_message"},
		"SubagentStop":        {"content": "last_assistant_message"},
		"PreCompact":          {"reason": "trigger", "content": "custom_instructions"},
		"PostCompact":         {"reason": "trigger", "content": "compact_summary"},
		"TaskCreated":         task, "TaskCompleted": task,
		"Notification": message, "Elicitation": message, "ElicitationResult": message,
		"PostModelSwitch": {"model": "to_model"},
	}[hook]
}

func rawMembers(e schema.Event, result string) (list []member) {
	if e.ToolInput != nil {
		list = append(list, member{"tool_input", canonical(e.ToolInput)})
	}
	if e.Result != nil {
		list = append(list, member{result, canonical(e.Result)})
	}
	return list
}

// entryOf gives back one entry of tool_calls, in canonical form.
func entryOf(t testing.TB, e schema.Event) string {
	left := schema.Field(e.Extra, "tool_call")
	if left != nil && left[0] != '{' {
		return canonical(left)
	}
	list := append(rawMembers(e, "tool_response"), membersOf(left)...)
	for name, value := range map[string]string{"tool_use_id": e.ToolUseID, "tool_name": e.ToolName} {
		if value != "" {
			list = append(list, member{name, canonical(schema.AppendString(nil, value))})
		}
	}
	obj := []byte{'{'}
	for i, m := range list {
		if i > 0 {
			obj = append(obj, ',')
		}
		obj = append(append(schema.AppendString(obj, m.Key), ':'), m.Value...)
	}
	return canonical(append(obj, '}'))
}

func without(obj []byte, name string) []byte {
	out := []byte{'{'}
	for key, raw := range schema.Fields(obj) {
		if key == name {
			continue
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(append(schema.AppendString(out, key), ':'), raw...)
	}
	return append(out, '}')
}

// journaled returns the events as a reader of the journal gets them.
func journaled(t testing.TB, events []schema.Event) []schema.Event {
	t.Helper()
	out := make([]schema.Event, len(events))
	for i := range events {
		line := events[i].AppendJSON(nil)
		if bytes.ContainsAny(line, "\n\r") {
			t.Fatalf("a newline in %q", line)
		}
		e, err := schema.Decode(line)
		if err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if diff := cmp.Diff(events[i], e); diff != "" {
			t.Fatalf("-event +as journaled:\n%s", diff)
		}
		out[i] = e
	}
	return out
}

// checkInverse holds the events against the payload that made them. A payload that
// is no JSON object must be there as text.
func checkInverse(t testing.TB, payload []byte, events []schema.Event) {
	t.Helper()
	events = journaled(t, events)
	payload = bytes.ToValidUTF8(payload, []byte("\ufffd"))
	if trimmed := bytes.TrimSpace(payload); !json.Valid(trimmed) || trimmed[0] != '{' {
		if got := schema.FieldString(events[0].Metadata, "payload"); got != string(payload) || events[0].EventType != schema.Unknown {
			t.Errorf("%s with payload %q, want an unknown that holds %q", events[0].EventType, got, payload)
		}
		return
	}
	byKey := func(a, b member) int { return strings.Compare(a.Key+"\x00"+a.Value, b.Key+"\x00"+b.Value) }
	want, got := membersOf(payload), inverse(t, events)
	slices.SortFunc(want, byKey)
	slices.SortFunc(got, byKey)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-payload +what the events give back:\n%.3000s", diff)
	}
}

func TestTypedFieldsAndExtraGiveThePayloadBack(t *testing.T) {
	ids := map[string]string{}
	kinds := map[string]int{}
	list := payloads(t)
	for _, p := range list {
		events := claude.Events(p.data, env(p.data))
		checkInverse(t, p.data, events)
		if t.Failed() {
			t.Fatalf("of %s", p.name)
		}
		kinds[events[0].HookEventName]++
		for _, e := range events {
			if err := e.Validate(); err != nil {
				t.Errorf("%s: %v", p.name, err)
			}
			if want := runtimeOf(p.name); e.SourceSDK != want {
				t.Errorf("%s: a %s of %s, want %s", p.name, e.HookEventName, e.SourceSDK, want)
			}
			if fault := schema.FieldString(e.Metadata, "hook_error"); fault != "" {
				// Nothing real is at fault.
				t.Errorf("%s: %s", p.name, fault)
			}
			if other, ok := ids[e.EventID]; ok && other != string(p.data) {
				t.Errorf("%s: one id for two payloads:\n%s\n%s", p.name, other, p.data)
			}
			ids[e.EventID] = string(p.data)
		}
	}
	t.Logf("%d payloads of %d hook events: %v", len(list), len(kinds), kinds)
}

func runtimeOf(file string) string {
	switch {
	case strings.Contains(file, "codex"):
		return "codex"
	case strings.Contains(file, "gemini"):
		return "gemini-cli"
	}
	return "claude-code"
}

// TestBigWrite: a Write of 1 MB arrives as a payload of 2 MB, content and result.
func TestBigWrite(t *testing.T) {
	data := bigWrite(1 << 20)
	if len(data) < 2<<20 {
		t.Fatalf("%d bytes", len(data))
	}
	events := claude.Events(data, env(data))
	checkInverse(t, data, events)
	e := events[0]
	if len(e.ToolInput) < 1<<20 || len(e.Result) < 1<<20 {
		t.Fatalf("tool_input of %d and result of %d bytes", len(e.ToolInput), len(e.Result))
	}
	if &e.ToolInput[0] != &data[bytes.Index(data, e.ToolInput)] {
		t.Error("tool_input was copied: the payload need not be held twice")
	}
}

// bigWrite is a PostToolUse of a Write of size bytes of text with quotes, escapes
// and characters beyond ASCII in it.
func bigWrite(size int) []byte {
	unit := `if x == \"é\" {\n\treturn \\n 漢字\n}\n`
	content := strings.Repeat(unit, size/len(unit)+1)
	return []byte(`{"session_id":"81ad0b07-7b67-43bc-acf6-ba3a9ed9bc25","transcript_path":"/home/dev/.claude/projects/-home-dev-repo/81ad0b07-7b67-43bc-acf6-ba3a9ed9bc25.jsonl","cwd":"/home/dev/repo","prompt_id":"5c6962a8-716d-4b8f-9629-45e1cd00d9e9","permission_mode":"acceptEdits","effort":{"level":"medium"},"hook_event_name":"PostToolUse","tool_name":"Write","tool_input":{"file_path":"/home/dev/repo/big.txt","content":"` + content +
		`"},"tool_response":{"type":"create","filePath":"/home/dev/repo/big.txt","content":"` + content +
		`","structuredPatch":[],"originalFile":null,"userModified":false},"tool_use_id":"toolu_01Big","duration_ms":12}` + "\n")
}
