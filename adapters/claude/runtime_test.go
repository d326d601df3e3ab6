package claude_test

import (
	"testing"

	"github.com/actiongraph/actiongraph/adapters/claude"
)

// TestRuntimes: Codex and Gemini are tested with captured payloads
// (TestTypedFieldsAndExtraGiveThePayloadBack); these are the shapes that the other
// runtimes' users report, and the edges between them.
func TestRuntimes(t *testing.T) {
	for _, c := range []struct{ payload, sdk, session string }{
		// Claude Code, of old versions too: no prompt_id, no transcript_path.
		{`{"session_id":"s","transcript_path":"/p/s.jsonl","cwd":"/","hook_event_name":"SessionStart","source":"startup"}`, "claude-code", "s"},
		{`{"session_id":"s","hook_event_name":"SessionStart","source":"startup","model":"m"}`, "claude-code", "s"},
		{`{"session_id":"s","transcript_path":"C:\\p\\s.jsonl","hook_event_name":"PreCompact"}`, "claude-code", "s"},
		{`{"session_id":"s","prompt_id":"p","turn_id":"t","message_id":"m","hook_event_name":"MessageDisplay"}`, "claude-code", "s"},
		{`{"session_id":"s","prompt_id":"p","timestamp":"2026-11-21T00:00:00Z","hook_event_name":"Stop"}`, "claude-code", "s"},
		{``, "claude-code", "unknown"}, {`{`, "claude-code", "unknown"},
		// Codex without a rollout.
		{`{"session_id":"s","transcript_path":null,"cwd":"/","hook_event_name":"SessionEnd","reason":"other"}`, "codex", "s"},
		{`{"session_id":"s","turn_id":"t","model":"gpt","transcript_path":null,"hook_event_name":"Stop"}`, "codex", "s"},
		// Gemini without its time.
		{`{"session_id":"s","hook_event_name":"BeforeTool","tool_name":"t"}`, "gemini-cli", "s"},
		// Grok Build: camelCase, in some versions beside snake_case.
		{`{"hookEventName":"pre_tool_use","sessionId":"s","cwd":"/","workspaceRoot":"/","toolName":"run_terminal_command","toolInput":{}}`, "grok-build", "s"},
		{`{"hookEventName":"stop","sessionId":"s","reason":"end_turn"}`, "grok-build", "s"},
		{`{"hook_event_name":"PreToolUse","hookEventName":"PreToolUse","session_id":"s","sessionId":"s","tool_use_id":"t","transcript_path":"/p/s.jsonl"}`, "grok-build", "s"},
		// VS Code's Copilot reads .claude/settings.json.
		{`{"timestamp":"2026-02-09T10:30:00.000Z","cwd":"/","sessionId":"s","hookEventName":"PreToolUse","tool_name":"editFiles","tool_input":{}}`, "vscode-copilot", "s"},
		{`{"timestamp":"2026-02-09T10:30:00.000Z","sessionId":"s","hookEventName":"Stop","transcript_path":"/t.json"}`, "vscode-copilot", "s"},
		// Copilot CLI, in its two dialects.
		{`{"sessionId":"s","timestamp":1704614400000,"cwd":"/","toolName":"bash","toolArgs":"{}"}`, "copilot-cli", "s"},
		{`{"hookEventName":"preToolUse","sessionId":"s","toolName":"bash","toolArgs":{}}`, "copilot-cli", "s"},
		{`{"hook_event_name":"PostToolUse","session_id":"s","timestamp":"2026-02-09T10:30:00Z","tool_name":"bash","tool_result":{}}`, "copilot-cli", "s"},
		// Cursor loads Claude Code's hooks.
		{`{"conversation_id":"c","generation_id":"g","hook_event_name":"preToolUse","cursor_version":"3","workspace_roots":["/"]}`, "cursor", "c"},
		{`{"conversationId":"c","stepIdx":1}`, "antigravity", "c"},
	} {
		for _, e := range claude.Events([]byte(c.payload), claude.Env{Now: now()}) {
			if e.SourceSDK != c.sdk || e.SessionID != c.session {
				t.Errorf("%s\n is of %s, session %s; want %s, %s", c.payload, e.SourceSDK, e.SessionID, c.sdk, c.session)
			}
		}
	}
}
