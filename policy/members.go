package policy

// kind is what a member of an object is, of which no text is kept.
type kind uint8

const (
	nothing kind = iota // left out
	word                // one of a few words, or a number
	id                  // an id, a version, a time
	place               // the path of a file of the runtime's
	usage               // counts of tokens, by name
	agent               // the runtime's own record of a subagent
)

// isWord reports whether text can be one of a few words: what a runtime says of itself.
func isWord(text string) bool { return only(text, 32, "_-") }

// isReason reports whether text can be a reason of what went wrong while something was recorded.
func isReason(text string) bool { return only(text, 32, "_-.") }

// isID reports whether text can be an id, a version or a time.
func isID(text string) bool { return only(text, 128, "_-.:+") }

func only(text string, most int, also string) bool {
	if len(text) > most {
		return false
	}
	for i := range len(text) {
		c := text[i]
		ok := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		for j := range len(also) {
			ok = ok || c == also[j]
		}
		if !ok {
			return false
		}
	}
	return true
}

// What follows is what the fold, the readers of transcripts and the reports of usage look
// at, and what says when and by what something happened: without it another graph comes out.

func inputMember(name string) kind {
	if name == "subagent_type" {
		return id
	}
	return nothing
}

func resultMember(name string) kind {
	switch name {
	case "status":
		return word
	case "agentId", "agent_id", "resolvedModel":
		return id
	case "totalDurationMs", "totalTokens", "totalToolUseCount", "isAsync", "interrupted", "is_error":
		return word
	case "usage":
		return usage
	}
	return nothing
}

func extraMember(name string) kind {
	switch name {
	case "transcript_path", "agent_transcript_path":
		return place
	case "uuid", "parent_uuid", "request_id", "version", "end_time", "start_time", "caller_id", "source_tool_use_id",
		"toolUseID", "parentToolUseID", "interrupted_message_id", "leafUuid", "messageId":
		return id
	case "permission_mode", "entrypoint", "is_sidechain", "is_meta", "queued", "prompt_source", "tool_denial_kind", "source",
		"trigger", "stop_hook_active", "is_interrupt", "notification_type", "api_error_status", "subtype", "level", "action",
		"expansion_type", "command_source", "is_api_error", "retry_attempt", "max_retries", "retry_in_ms", "operation", "speed",
		"model_call_ms", "duration_ms", "thinking_tokens":
		return word
	case "usage":
		return usage
	}
	return nothing
}

// recorderMember is of what this program says of its own recording.
func recorderMember(name string) kind {
	switch name {
	case "store":
		return id
	case "rule", "line", "broken_lines", "offset":
		return word
	}
	return extraMember(name)
}

func metadataMember(name string) kind {
	switch name {
	case "session_id_original":
		return id
	case "agent":
		return agent
	}
	return nothing
}

func agentMember(name string) kind {
	switch name {
	case "toolUseId", "parentAgentId", "agentType", "model":
		return id
	case "requestShape", "isFork", "spawnDepth":
		return word
	}
	return nothing
}

func taskMember(name string) kind {
	switch name {
	case "id", "agent_type":
		return id
	case "type", "status":
		return word
	}
	return nothing
}
