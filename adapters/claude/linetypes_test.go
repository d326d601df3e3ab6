package claude_test

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/actiongraph/actiongraph/adapters/claude"
	"github.com/actiongraph/actiongraph/schema"
)

type lineCase struct{ name, line string }

// lineTypes are lines of every type and of every version's shape that testdata's
// transcripts lack, in the order of a file.
func lineTypes() []lineCase {
	const chain = `,"uuid":"u1","parentUuid":"p1","timestamp":"2026-01-02T03:04:05.678Z","sessionId":"s","isSidechain":false}`
	return []lineCase{
		{"title before any time", `{"type":"custom-title","customTitle":"early","sessionId":"s"}`},
		{"summary of another session", `{"type":"summary","summary":"not mine","leafUuid":"elsewhere"}`},
		{"1.0 cost", `{"type":"assistant","costUSD":0.0123,"durationMs":2500,"message":{"id":"m0","role":"assistant","model":"claude-3","content":"a string","usage":{"input_tokens":4,"output_tokens":2,"cache_read_input_tokens":null}}` + chain},
		{"1.0 all blocks in one line", `{"type":"assistant","message":{"id":"m1","model":"x","content":[{"type":"text","text":"t"},{"type":"thinking","thinking":"why","signature":"s"},{"type":"tool_use","id":"t1","name":"Bash","input":{"command":"ls"}}],"stop_reason":"tool_use","usage":{"input_tokens":1,"output_tokens":9}}` + chain},
		{"its usage again, not final", `{"type":"assistant","message":{"id":"m1","model":"x","content":[{"type":"text","text":"u"}],"stop_reason":null,"usage":{"input_tokens":1,"output_tokens":3}}` + chain},
		{"the same again", `{"type":"assistant","message":{"id":"m1","model":"x","content":[{"type":"text","text":"v"}],"stop_reason":null,"usage":{"input_tokens":1,"output_tokens":3}}` + chain},
		{"redacted thinking", `{"type":"assistant","message":{"id":"m2","model":"x","content":[{"type":"redacted_thinking","data":"xyz"}]}` + chain},
		{"no message id", `{"type":"assistant","requestId":"r1","message":{"model":"x","content":[],"usage":{"output_tokens":1}}` + chain},
		{"cache by time to live, fast, web search", `{"type":"assistant","message":{"id":"m3","model":"x","content":[],"stop_reason":"end_turn","usage":{"cache_creation_input_tokens":30,"cache_creation":{"ephemeral_5m_input_tokens":10,"ephemeral_1h_input_tokens":20},"server_tool_use":{"web_search_requests":2,"web_fetch_requests":0},"speed":"fast","output_tokens_details":{"thinking_tokens":0}}}` + chain},
		{"server tool", `{"type":"assistant","message":{"id":"m4","model":"x","content":[{"type":"server_tool_use","id":"st1","name":"web_search","input":{"query":"q"}},{"type":"web_search_tool_result","tool_use_id":"st1","content":[{"type":"web_search_result","url":"u"}]},{"type":"web_search_tool_result","tool_use_id":"st2","content":{"type":"web_search_tool_result_error","error_code":"max_uses_exceeded"}}]}` + chain},
		{"unknown block", `{"type":"assistant","message":{"id":"m5","model":"x","content":[{"type":"hologram","x":1},{"type":"tool_use","name":"NoID","input":{}}]}` + chain},
		{"old api error without type", `{"type":"assistant","isApiErrorMessage":true,"message":{"id":"m6","model":"<synthetic>","content":[{"type":"text","text":"API Error: 500"}],"usage":{"input_tokens":0}}` + chain},
		{"usage limit", `{"type":"assistant","isApiErrorMessage":true,"error":"rate_limit","quotaLimits":{"resetsAt":1},"message":{"id":"m7","model":"<synthetic>","content":[{"type":"text","text":"limit reached"}]}` + chain},
		{"image prompt", `{"type":"user","promptId":"pr1","message":{"role":"user","content":[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AAA="}},{"type":"image","source":{"type":"url","url":"https://x/y.gif"}},{"type":"document","source":{"type":"text","media_type":"text/plain","data":"four"}},{"type":"text","text":"what is"},{"type":"text","text":"this"}]}` + chain},
		{"bash mode", `{"type":"user","message":{"role":"user","content":"<bash-input>ls</bash-input>"}` + chain},
		{"notification", `{"type":"user","origin":{"kind":"task-notification"},"message":{"role":"user","content":"<task-notification>\n<task-id>a1</task-id></task-notification>"}` + chain},
		{"interrupted", `{"type":"user","message":{"role":"user","content":[{"type":"text","text":"[Request interrupted by user]"}]}` + chain},
		{"two results in one line", `{"type":"user","toolUseResult":{"x":1},"message":{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":"one"},{"type":"tool_result","tool_use_id":"t2","is_error":true,"content":[{"type":"text","text":"bad"}]}]}` + chain},
		{"structured result that is the content", `{"type":"user","toolUseResult":[{"type":"text","text":"x"}],"message":{"role":"user","content":[{"type":"tool_result","tool_use_id":"t3","content":[{"type":"text","text":"x"}]}]}` + chain},
		{"image result", `{"type":"user","toolUseResult":{"type":"image","file":{"base64":"AAAA"}},"message":{"role":"user","content":[{"type":"tool_result","tool_use_id":"t4","content":[{"type":"image","source":{"type":"base64","data":"AAAA"}},{"type":"text","text":"[Image]"}]}]}` + chain},
		{"rejected, old", `{"type":"user","toolUseResult":"User rejected tool use","message":{"role":"user","content":[{"type":"tool_result","tool_use_id":"t5","is_error":true,"content":"The user doesn't want to take this action right now."}]}` + chain},
		{"denied, old", `{"type":"user","toolUseResult":"Error: …","message":{"role":"user","content":[{"type":"tool_result","tool_use_id":"t5a","is_error":true,"content":"Permission to use Bash with command rm has been denied."}]}` + chain},
		{"the process ended", `{"type":"user","toolDenialKind":"interrupted","message":{"role":"user","content":[{"type":"tool_result","tool_use_id":"t5b","is_error":true,"content":"[Tool call interrupted: the session ended before this call's result was recorded]"}]}` + chain},
		{"failed, old", `{"type":"user","toolUseResult":"Error: Exit code 1","message":{"role":"user","content":[{"type":"tool_result","tool_use_id":"t5c","is_error":true,"content":"Exit code 1"}]}` + chain},
		{"blocked", `{"type":"user","toolDenialKind":"permission-rule","message":{"role":"user","content":[{"type":"tool_result","tool_use_id":"t6","is_error":true,"content":"no"}]}` + chain},
		{"result without id", `{"type":"user","message":{"role":"user","content":[{"type":"tool_result","content":"?"}]}` + chain},
		{"no content", `{"type":"user","message":{"role":"user"}` + chain},
		{"retried, 2.0", `{"type":"system","subtype":"api_error","level":"error","error":{"status":529,"headers":{},"requestID":"r","error":{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}},"retryInMs":612.5,"retryAttempt":1,"maxRetries":10` + chain},
		{"retried, no connection", `{"type":"system","subtype":"api_error","cause":{"code":"ECONNRESET"},"error":{"cause":{"code":"ECONNRESET"}},"retryAttempt":2` + chain},
		{"away summary", `{"type":"system","subtype":"away_summary","content":"You were away.","level":"info"` + chain},
		{"queued notification", `{"type":"attachment","attachment":{"type":"queued_command","prompt":"a monitor's words","commandMode":"task-notification"}` + chain},
		{"queued note of a plugin", `{"type":"attachment","attachment":{"type":"queued_command","prompt":"mind the style","commandMode":"prompt","isMeta":true,"origin":{"kind":"plugin","name":"p"}}` + chain},
		{"queued blocks", `{"type":"attachment","attachment":{"type":"queued_command","prompt":[{"type":"text","text":"also"},{"type":"image","source":{"type":"base64","media_type":"image/jpeg","data":"AAAAAAA="}},{"type":"text","text":"this"}],"commandMode":"prompt"}` + chain},
		{"hook's answer", `{"type":"attachment","attachment":{"type":"hook_success","stdout":"x"}` + chain},
		{"new attachment", `{"type":"attachment","attachment":{"type":"brand_new"}` + chain},
		{"own summary", `{"type":"summary","summary":"mine","leafUuid":"u1"}`},
		{"ai title", `{"type":"ai-title","aiTitle":"a title","sessionId":"s"}`},
		{"ai title again", `{"type":"ai-title","aiTitle":"a title","sessionId":"s"}`},
		{"agent name", `{"type":"agent-name","agentName":"a name","sessionId":"s"}`},
		{"permission mode", `{"type":"permission-mode","permissionMode":"plan","sessionId":"s"}`},
		{"agent setting", `{"type":"agent-setting","agentSetting":"reviewer","sessionId":"s"}`},
		{"tag", `{"type":"tag","tag":"release","sessionId":"s"}`},
		{"old version", `{"type":"user","version":"2.0.46","promptId":"pr2","message":{"role":"user","content":"old"}` + chain},
		{"queued", `{"type":"queue-operation","operation":"enqueue","timestamp":"2026-01-02T03:04:05.9Z","sessionId":"s","content":"also this"}`},
		{"queued by the runtime", `{"type":"queue-operation","operation":"enqueue","timestamp":"2026-01-02T03:04:05.9Z","sessionId":"s","content":"{\"task_id\":\"b1\"}"}`},
		{"queued, too", `{"type":"queue-operation","operation":"enqueue","timestamp":"2026-01-02T03:04:05.9Z","sessionId":"s","content":"not this"}`},
		{"taken back from the queue", `{"type":"queue-operation","operation":"popAll","timestamp":"2026-01-02T03:04:05.9Z","sessionId":"s","content":"not this"}`},
		{"taken from the queue", `{"type":"queue-operation","operation":"remove","timestamp":"2026-01-02T03:04:05.9Z","sessionId":"s"}`},
		{"the runtime's", `{"type":"queue-operation","operation":"remove","timestamp":"2026-01-02T03:04:05.9Z","sessionId":"s"}`},
		{"queued for the next turn", `{"type":"queue-operation","operation":"enqueue","timestamp":"2026-01-02T03:04:05.9Z","sessionId":"s","content":"next"}`},
		{"begins it", `{"type":"queue-operation","operation":"dequeue","timestamp":"2026-01-02T03:04:05.9Z","sessionId":"s"}`},
		{"nothing is left", `{"type":"queue-operation","operation":"remove","timestamp":"2026-01-02T03:04:05.9Z","sessionId":"s"}`},
		{"new branch", `{"type":"user","version":"2.2.0","gitBranch":"topic","cwd":"/w","message":{"role":"user","content":"on"}` + chain},
		{"taken from the queue, which an attachment says", `{"type":"queue-operation","operation":"remove","timestamp":"2026-01-02T03:04:05.9Z","sessionId":"s","content":"once"}`},
		{"progress", `{"parentUuid":"p","isSidechain":false,"type":"progress","data":{"type":"hook_progress"}` + chain},
		{"new type", `{"type":"brand-new","x":1,"sessionId":"s"}`},
		{"no type", `{"x":1}`},
		{"torn", `{"type":"user","message":{"role":"us`},
		{"torn, of a type without facts", `{"type":"api-request","params":{"x`},
		{"an array", `[1]`},
		{"blank", ` `},
		{"odd time", `{"type":"user","message":{"content":"late"},"uuid":"u9","timestamp":"yesterday","sessionId":"s"}`},
		{"odd session", `{"type":"user","message":{"content":"x"},"uuid":"u9","timestamp":"2026-01-02T03:04:06Z","sessionId":"../../etc"}`},
		{"not UTF-8", "{\"type\":\"user\",\"message\":{\"content\":\"\xff\"},\"uuid\":\"u10\",\"timestamp\":\"2026-01-02T03:04:06Z\",\"sessionId\":\"s\"}"},
	}
}

// TestLineTypes reads the lines as one file and holds what each gave against a golden.
func TestLineTypes(t *testing.T) {
	var b strings.Builder
	tr := claude.NewTranscript(claude.Source{Session: "s", User: "dev"})
	for n, l := range lineTypes() {
		events, kind, unknown, err := tr.Events([]byte(l.line), int64(n+1))
		b.WriteString(l.name + " (" + kind + ")\n")
		if unknown {
			b.WriteString("  unknown\n")
		}
		if err != nil {
			b.WriteString("  error: " + err.Error() + "\n")
		}
		for _, e := range events {
			if err := e.Validate(); err != nil {
				t.Errorf("%s: %v", l.name, err)
			}
			b.WriteString("  " + brief(t, e) + "\n")
		}
	}
	const golden = "testdata/linetypes.golden"
	if *update {
		if err := os.WriteFile(golden, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(b.String(), "\n")); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// brief is an event without what all of them share, its members sorted.
func brief(t *testing.T, e schema.Event) string {
	t.Helper()
	fields := map[string]json.RawMessage{}
	if err := json.Unmarshal(e.AppendJSON(nil), &fields); err != nil {
		t.Fatal(err)
	}
	var keys []string
	for key := range fields {
		if !slices.Contains([]string{"v", "event_id", "event_type", "source_sdk", "origin", "user_id", "hook_event_name"}, key) && string(fields[key]) != `"s"` {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	out := string(e.EventType)
	for _, key := range keys {
		out += " " + key + "=" + string(fields[key])
	}
	return strings.NewReplacer(`"2026-01-02T03:04:05.678000000Z"`, "T", `"parent_uuid":"p1"`, "P", `"uuid":"u1"`, "U").Replace(out)
}

// TestInlineSidechains: up to 2.0.28 a subagent's lines are in the main file, known by
// their parents alone.
func TestInlineSidechains(t *testing.T) {
	lines := []string{
		`{"type":"assistant","uuid":"m1","parentUuid":null,"isSidechain":false,"message":{"id":"x","model":"m","content":[{"type":"tool_use","id":"t1","name":"Task","input":{"description":"first","prompt":"do one","subagent_type":"Explore"}},{"type":"tool_use","id":"t2","name":"Task","input":{"prompt":"do two","subagent_type":"Plan"}}]},"timestamp":"2025-07-01T00:00:00Z","sessionId":"s"}`,
		`{"type":"user","uuid":"b1","parentUuid":null,"isSidechain":true,"message":{"content":"do two"},"timestamp":"2025-07-01T00:00:01Z","sessionId":"s"}`,
		`{"type":"user","uuid":"a1","parentUuid":null,"isSidechain":true,"message":{"content":"do one"},"timestamp":"2025-07-01T00:00:01Z","sessionId":"s"}`,
		`{"type":"assistant","uuid":"a2","parentUuid":"a1","isSidechain":true,"message":{"id":"y","content":[{"type":"text","text":"one"}]},"timestamp":"2025-07-01T00:00:02Z","sessionId":"s"}`,
		`{"type":"assistant","uuid":"b2","parentUuid":"b1","isSidechain":true,"message":{"id":"z","content":[{"type":"text","text":"two"}]},"timestamp":"2025-07-01T00:00:02Z","sessionId":"s"}`,
	}
	tr := claude.NewTranscript(claude.Source{Session: "s"})
	var got []string
	for n, l := range lines {
		events, _, _, err := tr.Events([]byte(l), int64(n+1))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			meta := schema.Field(e.Metadata, schema.MetaAgent)
			got = append(got, strings.TrimSpace(strings.Join([]string{string(e.EventType), e.AgentID, e.Content, string(meta)}, " ")))
		}
	}
	want := []string{
		"tool_start", "tool_start",
		`agent_start b1 do two {"toolUseId":"t2","requestShape":"foreground","agentType":"Plan"}`,
		`agent_start a1 do one {"toolUseId":"t1","requestShape":"foreground","description":"first","agentType":"Explore"}`,
		"message a1 one", "message b1 two",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}
