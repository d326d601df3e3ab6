package claude

import "strings"

// The runtimes that are known to run the hooks of Claude Code's settings file, or to
// be given its hook command by hand.
const (
	sdkClaude  = "claude-code"
	sdkCodex   = "codex"
	sdkGemini  = "gemini-cli"
	sdkCursor  = "cursor"
	sdkCopilot = "copilot-cli"
	sdkVSCode  = "vscode-copilot"
	sdkGrok    = "grok-build"
	sdkGravity = "antigravity"
)

// sourceSDK tells the runtime from the shape of its payload. No environment
// variable would do: Gemini sets CLAUDE_PROJECT_DIR too.
//
// Codex and Gemini are told by captured payloads, the others by what their users and
// documents report.
func (p *payload) sourceSDK() string {
	switch {
	case p.has("cursor_version"), p.has("conversation_id"):
		return sdkCursor
	case p.has("conversationId"):
		return sdkGravity
	case p.has("toolArgs"), p.has("sessionId") && !p.has("hookEventName") && !p.has("session_id"):
		return sdkCopilot
	case p.has("hookEventName"):
		// VS Code mixes: hookEventName and sessionId, but tool_name and transcript_path.
		if !p.has("hook_event_name") && (p.has("tool_name") || p.has("transcript_path")) {
			return sdkVSCode
		}
		return sdkGrok
	case p.has("prompt_id"), p.namesOwnTranscript():
		return sdkClaude
	case p.has("timestamp"):
		if p.has("tool_result") || p.has("initial_prompt") {
			return sdkCopilot
		}
		return sdkGemini
	case p.geminiHook():
		return sdkGemini
	case p.codexShape():
		return sdkCodex
	}
	return sdkClaude
}

// namesOwnTranscript: Claude Code names a session's transcript after the session.
func (p *payload) namesOwnTranscript() bool {
	session := p.peek("session_id")
	_, file := splitPath(p.peek("transcript_path"))
	return session != "" && file == session+".jsonl"
}

func (p *payload) geminiHook() bool {
	switch p.peek("hook_event_name") {
	case "BeforeAgent", "AfterAgent", "BeforeModel", "AfterModel", "BeforeTool", "AfterTool", "BeforeToolSelection", "PreCompress":
		return true
	}
	return false
}

// codexShape: Codex names the turn and the model in the payloads of a turn, and its
// transcript is a rollout file or, where it keeps none, null.
func (p *payload) codexShape() bool {
	_, file := splitPath(p.peek("transcript_path"))
	return p.has("turn_id") || strings.HasPrefix(file, "rollout-") || p.is("transcript_path", "null")
}

// foreignSession returns the session id under the names that other runtimes give it;
// it is not taken, so that Extra keeps their name for it.
func (p *payload) foreignSession() string {
	for _, key := range []string{"sessionId", "conversation_id", "conversationId"} {
		if id := p.peek(key); id != "" {
			return id
		}
	}
	return ""
}
