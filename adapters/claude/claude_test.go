package claude_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/actiongraph/actiongraph/adapters/claude"
	"github.com/actiongraph/actiongraph/schema"
)

// with builds a payload: the members every hook has, then those given as the inside
// of a JSON object.
func with(hook, members string) []byte {
	if members != "" {
		members = "," + members
	}
	return []byte(`{"session_id":"s-1","transcript_path":"/h/.claude/projects/p/s-1.jsonl","cwd":"/repo","prompt_id":"p-1","hook_event_name":"` + hook + `"` + members + `}`)
}

func one(t *testing.T, payload []byte) schema.Event {
	t.Helper()
	events := claude.Events(payload, claude.Env{Now: now(), Host: "h", User: "u"})
	if len(events) != 1 {
		t.Fatalf("%d events of %s", len(events), payload)
	}
	if err := events[0].Validate(); err != nil {
		t.Fatalf("%v of %s", err, payload)
	}
	return events[0]
}

// TestMapping states for each hook event which event it becomes and which fields
// take what: the members of the event beyond those that every event has. It is what
// the reducer in graph relies on.
func TestMapping(t *testing.T) {
	pre := schema.EventID(schema.OriginHook, "pre", "t-1")
	id := func(kind string, key ...string) string {
		return `"event_id":"` + schema.EventID(schema.OriginHook, kind, key...) + `",`
	}
	const call = `"tool_name":"Bash","tool_input":{"command":"ls"},"tool_use_id":"t-1"`
	const called = `"tool_name":"Bash","tool_use_id":"t-1","tool_input":{"command":"ls"}`
	for _, c := range []struct{ hook, members, want string }{
		{"SessionStart", `"source":"resume","model":"m","session_title":"T","context_tokens":7`,
			`"event_type":"session_start","actor":"runtime","model":"m","reason":"resume","title":"T","extra":{"context_tokens":7}`},
		{"SessionStart", `"source":"compact"`, `"event_type":"session_start","actor":"runtime","reason":"compact"`},
		{"SessionEnd", `"reason":"clear"`, `"event_type":"session_end","actor":"runtime","reason":"clear"`},
		{"UserPromptSubmit", `"prompt":"do it","session_title":"T"`, `"event_type":"message","actor":"user","role":"user","content":"do it","title":"T"`},
		{"UserPromptSubmit", `"prompt":""`, `"event_type":"message","actor":"user","role":"user","extra":{"prompt":""}`},
		{"UserPromptSubmit", `"prompt":"<task-notification>\nx"`, `"event_type":"message","actor":"runtime","role":"system","content":"<task-notification>\nx"`},
		{"UserPromptSubmit", `"prompt":"<command-name>/x"`, `"event_type":"message","actor":"runtime","role":"system","content":"<command-name>/x"`},
		{"UserPromptSubmit", `"prompt":"<local-command-stdout>"`, `"event_type":"message","actor":"runtime","role":"system","content":"<local-command-stdout>"`},
		{"UserPromptSubmit", `"prompt":"<bash-input>ls"`, `"event_type":"message","actor":"runtime","role":"system","content":"<bash-input>ls"`},
		{"UserPromptSubmit", `"prompt":"<system-reminder>"`, `"event_type":"message","actor":"runtime","role":"system","content":"<system-reminder>"`},
		{"UserPromptSubmit", `"prompt":"<html> is wrong"`, `"event_type":"message","actor":"user","role":"user","content":"<html> is wrong"`},
		{"UserPromptSubmit", `"prompt":"/greet world"`, `"event_type":"message","actor":"user","role":"user","content":"/greet world"`},
		{"UserPromptExpansion", `"expansion_type":"slash_command","command_name":"greet","prompt":"/greet"`,
			`"event_type":"skill","actor":"runtime","content":"/greet","extra":{"expansion_type":"slash_command","command_name":"greet"}`},
		{"MessageDisplay", `"turn_id":"x","delta":"text"`, `"event_type":"notification","actor":"runtime","content":"text","extra":{"turn_id":"x"}`},
		{"PreToolUse", call + `,"mcp_server":{"name":"n"}`, id("pre", "t-1") + `"event_type":"tool_start","actor":"agent",` + called + `,"extra":{"mcp_server":{"name":"n"}}`},
		{"PostToolUse", call + `,"tool_response":{"stdout":""},"duration_ms":12.5`,
			id("post", "t-1") + `"event_type":"tool_end","actor":"agent","caused_by":"` + pre + `",` + called + `,"result":{"stdout":""},"duration_ms":12.5`},
		{"PostToolUse", call + `,"tool_response":"text"`,
			id("post", "t-1") + `"event_type":"tool_end","actor":"agent","caused_by":"` + pre + `",` + called + `,"result":"text"`},
		{"PostToolUseFailure", call + `,"error":"Exit code 1","is_interrupt":false,"duration_ms":3`,
			id("post_failure", "t-1") + `"event_type":"tool_end","actor":"agent","caused_by":"` + pre + `",` + called +
				`,"is_error":true,"error_message":"Exit code 1","duration_ms":3,"extra":{"is_interrupt":false}`},
		{"PostToolBatch", `"tool_calls":[],"effort":{}`, `"event_type":"tool_batch","actor":"agent","extra":{"tool_calls":[],"effort":{}}`},
		{"PermissionRequest", `"tool_name":"Bash","tool_input":{"command":"ls"},"permission_suggestions":[]`,
			`"event_type":"permission","actor":"runtime","tool_name":"Bash","tool_input":{"command":"ls"},"status":"pending","extra":{"permission_suggestions":[]}`},
		{"PermissionDenied", call + `,"reason":"no"`, id("permission_denied", "t-1") + `"event_type":"permission","actor":"runtime",` + called + `,"status":"denied","reason":"no"`},
		{"SubagentStart", `"agent_id":"a-1","agent_type":"Explore"`, `"event_type":"agent_start","agent_id":"a-1","agent_type":"Explore","actor":"runtime"`},
		{"SubagentStop", `"agent_id":"a-1","agent_type":"Explore","last_assistant_message":"found"`,
			`"event_type":"agent_end","agent_id":"a-1","agent_type":"Explore","actor":"runtime","content":"found"`},
		{"SubagentStop", `"agent_id":"a-1","agent_type":"","last_assistant_message":"summary"`,
			`"event_type":"compaction","actor":"runtime","content":"summary","extra":{"agent_id":"a-1","agent_type":""}`},
		{"PreCompact", `"trigger":"auto","custom_instructions":null`, `"event_type":"compaction","actor":"runtime","reason":"auto","extra":{"custom_instructions":null}`},
		{"PreCompact", `"trigger":"manual","custom_instructions":"names"`, `"event_type":"compaction","actor":"runtime","content":"names","reason":"manual"`},
		{"PostCompact", `"trigger":"auto","compact_summary":"S"`, `"event_type":"compaction","actor":"runtime","content":"S","reason":"auto"`},
		{"Stop", `"stop_hook_active":false,"last_assistant_message":"done"`, `"event_type":"turn_end","actor":"runtime","content":"done","extra":{"stop_hook_active":false}`},
		{"StopFailure", `"error":"server_error","last_assistant_message":"API Error"`,
			`"event_type":"error","actor":"runtime","is_error":true,"error_type":"server_error","error_message":"API Error"`},
		{"StopFailure", `"error":"rate_limit","error_details":"429"`,
			`"event_type":"rate_limit","actor":"runtime","is_error":true,"error_type":"rate_limit","extra":{"error_details":"429"}`},
		{"Notification", `"message":"m","notification_type":"idle_prompt"`, `"event_type":"notification","actor":"runtime","content":"m","extra":{"notification_type":"idle_prompt"}`},
		{"TeammateIdle", `"teammate_name":"mate"`, `"event_type":"notification","actor":"runtime","extra":{"teammate_name":"mate"}`},
		{"Elicitation", `"message":"which?","mode":"form"`, `"event_type":"callback","actor":"runtime","content":"which?","extra":{"mode":"form"}`},
		{"ElicitationResult", `"action":"cancel"`, `"event_type":"callback","actor":"runtime","extra":{"action":"cancel"}`},
		{"TaskCreated", `"task_id":"1","task_subject":"S","task_description":"D"`,
			id("task_created", "s-1", "1") + `"event_type":"task","actor":"runtime","content":"D","status":"pending","title":"S","task_id":"1"`},
		{"TaskCompleted", `"task_id":"1","task_subject":"S"`, id("task_completed", "s-1", "1") + `"event_type":"task","actor":"runtime","status":"completed","title":"S","task_id":"1"`},
		{"PostModelSwitch", `"from_model":"a","to_model":"b"`, `"event_type":"context","actor":"runtime","model":"b","extra":{"from_model":"a"}`},
		{"PreModelSwitch", `"to_model":"b"`, `"event_type":"context","actor":"runtime","extra":{"to_model":"b"}`},
		{"ConfigChange", `"source":"user_settings"`, `"event_type":"context","actor":"runtime","extra":{"source":"user_settings"}`},
		{"CwdChanged", `"new_cwd":"/x"`, `"event_type":"context","actor":"runtime","extra":{"new_cwd":"/x"}`},
		{"DirectoryAdded", `"directory":"/x"`, `"event_type":"context","actor":"runtime","extra":{"directory":"/x"}`},
		{"FileChanged", `"event":"unlink"`, `"event_type":"context","actor":"runtime","extra":{"event":"unlink"}`},
		{"InstructionsLoaded", `"file_path":"/x"`, `"event_type":"context","actor":"runtime","extra":{"file_path":"/x"}`},
		{"WorktreeCreate", `"name":"w"`, `"event_type":"context","actor":"runtime","extra":{"name":"w"}`},
		{"WorktreeRemove", `"worktree_path":"/x"`, `"event_type":"context","actor":"runtime","extra":{"worktree_path":"/x"}`},
		{"Setup", `"trigger":"init"`, `"event_type":"context","actor":"runtime","extra":{"trigger":"init"}`},
		{"OfTomorrow", `"tool_name":"x","prompt":"y"`, `"event_type":"unknown","actor":"runtime","extra":{"tool_name":"x","prompt":"y"}`},
	} {
		e := one(t, with(c.hook, c.members))
		got := map[string]string{}
		for key, raw := range schema.Fields(e.AppendJSON(nil)) {
			got[key] = string(raw)
		}
		common := map[string]string{
			"v": `1`, "session_id": `"s-1"`, "timestamp": `"2026-11-21T22:50:59.852438717Z"`, "source_sdk": `"claude-code"`, "origin": `"hook"`,
			"hook_event_name": `"` + c.hook + `"`, "prompt_id": `"p-1"`, "host": `"h"`, "user_id": `"u"`, "working_directory": `"/repo"`,
		}
		want := map[string]string{}
		for key, raw := range schema.Fields([]byte("{" + c.want + "}")) {
			want[key] = string(raw)
		}
		for key, value := range common {
			want[key] = value
		}
		if want["event_id"] == "" {
			delete(got, "event_id")
		}
		// The transcript's path is in every Extra: first, as in the payload.
		want["extra"] = `{"transcript_path":"/h/.claude/projects/p/s-1.jsonl"` + strings.Replace(strings.TrimSuffix(want["extra"], "}"), "{", ",", 1) + "}"
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s {%s} (-want +got):\n%s", c.hook, c.members, diff)
		}
	}
}

func TestStructuredOutput(t *testing.T) {
	payload := with("PostToolUse", `"tool_name":"StructuredOutput","tool_input":{"n":3},"tool_response":"ok","tool_use_id":"t-1","duration_ms":1`)
	events := claude.Events(payload, env(payload))
	if len(events) != 2 || events[0].EventType != schema.ToolEnd || events[1].EventType != schema.StructuredOutput {
		t.Fatalf("got %+v", events)
	}
	e := events[1]
	if string(e.Result) != `{"n":3}` || e.ToolUseID != "t-1" || e.ToolName != "StructuredOutput" || e.Extra != nil || e.ToolInput != nil {
		t.Errorf("got %s", e.AppendJSON(nil))
	}
	if want := schema.EventID(schema.OriginHook, "structured_output", "t-1"); e.EventID != want {
		t.Errorf("event_id %s, want %s", e.EventID, want)
	}
	for _, none := range [][]byte{
		with("PreToolUse", `"tool_name":"StructuredOutput","tool_input":{"n":3},"tool_use_id":"t-1"`),
		with("PostToolUseFailure", `"tool_name":"StructuredOutput","tool_input":{"n":3},"tool_use_id":"t-1"`),
		with("PostToolUse", `"tool_name":"StructuredOutput","tool_use_id":"t-1"`),
	} {
		one(t, none)
	}
}

func TestBatchHasOneEventAnEntry(t *testing.T) {
	payload := with("PostToolBatch", `"effort":{"level":"high"},"tool_calls":[`+
		`{"tool_name":"Bash","tool_input":{"command":"ls"},"tool_use_id":"t-1","tool_response":"out","is_error":true},`+
		`{"tool_name":"Read","tool_input":{},"tool_use_id":"t-2","tool_response":[{"type":"text"}]},{"tool_name":"Nope"},7],"z":1`)
	events := claude.Events(payload, env(payload))
	checkInverse(t, payload, events)
	var got []string
	for _, e := range events {
		if err := e.Validate(); err != nil {
			t.Error(err)
		}
		got = append(got, strings.Join([]string{string(e.EventType), e.ToolUseID, e.ToolName, string(e.ToolInput), string(e.Result), string(e.Extra)}, " "))
	}
	want := []string{
		`tool_batch t-1 Bash {"command":"ls"} "out" {"transcript_path":"/h/.claude/projects/p/s-1.jsonl","effort":{"level":"high"},"z":1,"tool_call":{"is_error":true}}`,
		`tool_batch t-2 Read {} [{"type":"text"}] `,
		`tool_batch  Nope   `,
		`tool_batch     {"tool_call":7}`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if events[0].EventID != schema.EventID(schema.OriginHook, "batch", "t-1") {
		t.Error("the entry's event is not named by its tool_use_id")
	}
	ids := map[string]bool{}
	for _, e := range events {
		ids[e.EventID] = true
	}
	if len(ids) != len(events) {
		t.Errorf("%d ids for %d events", len(ids), len(events))
	}
}

func TestBatchThatCannotBeSplitIsUnknown(t *testing.T) {
	for _, members := range []string{`"tool_calls":[{}],"tool_call":1`, `"tool_calls":[{}],"tool_calls":[1]`} {
		payload := with("PostToolBatch", members)
		e := one(t, payload)
		if e.EventType != schema.Unknown || schema.FieldString(e.Metadata, "hook_error") == "" {
			t.Errorf("%s: %s", members, e.AppendJSON(nil))
		}
		checkInverse(t, payload, []schema.Event{e})
	}
	for _, members := range []string{``, `"tool_calls":null`, `"tool_calls":{"a":1}`, `"tool_calls":[]`} {
		payload := with("PostToolBatch", members)
		e := one(t, payload)
		if e.EventType != schema.ToolBatch || e.ToolUseID != "" {
			t.Errorf("%s: %s", members, e.AppendJSON(nil))
		}
	}
}

// TestOnlyLosslessValuesAreTyped: what a typed field would change stays in Extra, as
// it was.
func TestOnlyLosslessValuesAreTyped(t *testing.T) {
	for _, c := range []struct{ hook, member string }{
		{"SessionStart", `"source":7`}, {"SessionStart", `"model":{"id":"m"}`}, {"UserPromptSubmit", `"prompt":["a"]`}, {"UserPromptSubmit", `"prompt":null`},
		{"UserPromptSubmit", `"prompt":"half \ud83d pair"`}, {"UserPromptSubmit", `"prompt":"half \uDE00 pair"`}, {"Stop", `"last_assistant_message":""`},
		{"Notification", `"message":false`}, {"TaskCreated", `"task_id":1`}, {"PreCompact", `"trigger":[]`}, {"StopFailure", `"error":{"type":"x"}`},
		{"PostToolUse", `"duration_ms":"12"`}, {"PostToolUse", `"duration_ms":null`}, {"PostToolUse", `"duration_ms":0.1000000000000000055511151231257827`},
		{"PostToolUse", `"duration_ms":9007199254740993`}, {"PostToolUse", `"duration_ms":1e400`}, {"PostToolUse", `"tool_response":null`},
		{"PreToolUse", `"tool_input":null`}, {"PreToolUse", `"tool_name":1`},
		// Names of typed fields that mean nothing in a payload, or not this.
		{"Stop", `"v":2`}, {"Stop", `"timestamp":"2020-01-01T00:00:00Z"`}, {"Stop", `"content":"x"`}, {"Stop", `"event_id":"x"`}, {"Stop", `"metadata":{"a":1}`},
		{"Stop", `"extra":{"a":1}`}, {"Stop", `"host":"evil"`}, {"Stop", `"actor":"user"`}, {"PreToolUse", `"is_error":true`}, {"Stop", `"input_hash":"x"`},
		{"Stop", `"agent_id":5`}, {"Stop", `"agent_type":null`}, {"Stop", `"tool_use_id":"x"`}, {"Stop", `"cwd":"/second"`},
	} {
		payload := with(c.hook, c.member)
		if strings.HasSuffix(c.hook, "ToolUse") {
			payload = with(c.hook, `"tool_use_id":"t-1",`+c.member)
		}
		e := one(t, payload)
		if want := `{"transcript_path":"/h/.claude/projects/p/s-1.jsonl",` + c.member + `}`; string(e.Extra) != want {
			t.Errorf("%s: extra %s, want %s", c.hook, e.Extra, want)
		}
		checkInverse(t, payload, []schema.Event{e})
		if e.Host != "h" || e.EventType == schema.Unknown || !e.Timestamp.Equal(now()) || e.WorkingDirectory != "/repo" {
			t.Errorf("%s: %s", c.member, e.AppendJSON(nil))
		}
	}
}

func TestWhatCannotBeUnderstoodIsKeptWhole(t *testing.T) {
	for _, c := range []struct{ payload, session, fault string }{
		{"", "unknown", "empty payload"}, {" \n", "unknown", "empty payload"}, {`{"session_id":"s","x`, "unknown", "unexpected end of JSON input"},
		{"not json", "unknown", "invalid character 'o' in literal null (expecting 'u')"}, {`[1]`, "unknown", "not a JSON object"}, {`null`, "unknown", "not a JSON object"}, {`"s"`, "unknown", "not a JSON object"},
		{`{}{}`, "unknown", "invalid character '{' after top-level value"}, {"\xff\xfe", "unknown", "invalid character 'ï' looking for beginning of value"},
		{`{}`, "unknown", "no session_id"}, {`{"hook_event_name":"Stop"}`, "unknown", "no session_id"}, {`{"session_id":"","hook_event_name":"Stop"}`, "unknown", "no session_id"},
		{`{"session_id":7,"hook_event_name":"PreToolUse","tool_use_id":"t"}`, "unknown", "no session_id"}, {`{"session_id":"\ud800","hook_event_name":"Stop"}`, "unknown", "no session_id"},
		{`{"session_id":"s"}`, "s", "no hook_event_name"}, {`{"hook_event_name":3,"sessionId":"s"}`, "s", "no session_id; no hook_event_name"}, {`{"session_id":"s","hook_event_name":3}`, "s", "no hook_event_name"},
		{`{"session_id":"s","hook_event_name":"PreToolUse","tool_name":"Bash"}`, "s", "PreToolUse without tool_use_id"},
		{`{"session_id":"s","hook_event_name":"PostToolUse","tool_use_id":""}`, "s", "PostToolUse without tool_use_id"},
		{`{"session_id":"s","hook_event_name":"PostToolUseFailure","tool_use_id":["t"]}`, "s", "PostToolUseFailure without tool_use_id"},
		{`{"session_id":"s","hook_event_name":"SubagentStart"}`, "s", "SubagentStart without agent_id"},
		{`{"session_id":"s","hook_event_name":"OfTomorrow","a":[1,2.50]}`, "s", ""},
	} {
		e := one(t, []byte(c.payload))
		if fault := schema.FieldString(e.Metadata, "hook_error"); e.EventType != schema.Unknown || e.SessionID != c.session || fault != c.fault {
			t.Errorf("%q: a %s in session %q, hook_error %q; want unknown, %q, %q", c.payload, e.EventType, e.SessionID, fault, c.session, c.fault)
		}
		checkInverse(t, []byte(c.payload), []schema.Event{e})
	}
	e := one(t, []byte("{\"session_id\":\"s\",\"hook_event_name\":\"UserPromptSubmit\",\"prompt\":\"a\xff\"}"))
	if e.Content != "a\ufffd" || schema.FieldString(e.Metadata, "hook_error") == "" {
		t.Errorf("bytes that are not UTF-8: %s", e.AppendJSON(nil))
	}
}

func TestForeignSessionIDs(t *testing.T) {
	for _, id := range []string{"../../etc/passwd", "a b", "é", strings.Repeat("x", 129), `quote"`} {
		e := one(t, []byte(`{"hook_event_name":"Stop","session_id":`+string(schema.AppendString(nil, id))+`}`))
		if e.SessionID != schema.SafeID(id) || schema.FieldString(e.Metadata, "session_id_original") != id {
			t.Errorf("%q: %s", id, e.AppendJSON(nil))
		}
	}
}

func TestNoNewlineIsLeftInRawFields(t *testing.T) {
	var pretty bytes.Buffer
	payload := with("PostToolUse", `"tool_use_id":"t","tool_input":{"a":"\n","b":[1,2]},"tool_response":[{"c":"d  e"}],"effort":{"level":"high"}`)
	if err := json.Indent(&pretty, payload, "", "\t"); err != nil {
		t.Fatal(err)
	}
	crlf := bytes.ReplaceAll(pretty.Bytes(), []byte("\n"), []byte("\r\n"))
	for _, p := range [][]byte{pretty.Bytes(), crlf} {
		e := one(t, p)
		checkInverse(t, p, []schema.Event{e})
		if string(e.ToolInput) != `{"a":"\n","b":[1,2]}` || string(e.Result) != `[{"c":"d  e"}]` {
			t.Errorf("%s %s", e.ToolInput, e.Result)
		}
	}
}
