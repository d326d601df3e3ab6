package claude

import "strings"

// needlessTypes are the types of lines that are known and hold no fact. Requests
// (api-request…) hold the vendor's own prompts, which are never stored; what was
// queued, used and spent is in other lines.
const needlessTypes = `
	progress queue-operation last-prompt atis-latch tools-used cost-state api-request api-request-shape
	api-request-blob file-history-snapshot file-history-delta content-replacement worktree-state relocated pr-link
	attribution-snapshot speculation-accept `

// needlessAttachments are what a line of type attachment can attach and is no fact:
// what the runtime told the model about the surroundings, and what hooks answered.
const needlessAttachments = `
	agent_listing_delta agent_mention already_read_file async_hook_response auto_mode auto_mode_exit
	command_permissions compact_file_reference critical_system_reminder date date_change deferred_tools_delta
	deferred_tools_record diagnostics directory dynamic_skill edited_image_file edited_text_file environment file
	hook_additional_context hook_blocking_error hook_cancelled hook_deferred_tool hook_error_during_execution
	hook_non_blocking_error hook_permission_decision hook_stopped_continuation hook_success hook_system_message
	instructions invoked_skills max_turns_reached mcp_instructions_delta mcp_resource model nested_memory
	opened_file_in_ide output_style pdf_reference plan_file_reference plan_mode plan_mode_exit plan_mode_reentry
	prompt_snapshot relevant_memories remote_session_change selected_lines_in_ide session_context
	silent_turn_reminder skill_discovery skill_listing task_reminder task_status team_context teammate_mailbox todo
	todo_reminder token_usage total_tokens_reminder verify_plan_reminder `

// listed returns the word of list that name is, "" if it is none of them. It is part
// of list: a line that needs nothing costs no allocation.
func listed(list string, name []byte) string {
	for i := 0; len(name) > 0; {
		k := strings.Index(list[i:], string(name))
		if k < 0 {
			break
		}
		start, end := i+k, i+k+len(name)
		if space(list[start-1]) && space(list[end]) {
			return list[start:end]
		}
		i = end
	}
	return ""
}

func space(c byte) bool { return c == ' ' || c == '\n' || c == '\t' }

// use says whether the line can hold facts, and if not, whether its type is known.
func (l *line) use() (needed, known bool) {
	switch l.typ {
	case "user", "assistant", "system":
		return true, true
	case "attachment":
		if l.subtype == "queued_command" || l.subtype == "structured_output" {
			return true, true
		}
		return false, listed(needlessAttachments, []byte(l.subtype)) != ""
	case "summary", "custom-title", "ai-title", "agent-name", "permission-mode", "mode", "agent-setting", "tag":
		return true, true
	}
	return false, listed(needlessTypes, []byte(l.typ)) != ""
}
