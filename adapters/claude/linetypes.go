package claude

import (
	"bytes"
	"strings"

	"github.com/actiongraph/actiongraph/schema"
)

// needlessType reports whether lines of that type are known and hold no fact. Requests
// (api-request…) hold the vendor's own prompts, which are never stored; what was
// used and spent is in other lines; the rest is what the terminal, a bridge or an
// IDE goes on from. They are those that 2.1.330 itself lists, and what older versions wrote.
func needlessType(typ []byte) bool {
	switch string(typ) {
	case "progress", "last-prompt", "atis-latch", "tools-used", "cost-state", "api-request",
		"api-request-shape", "api-request-blob", "file-history-snapshot", "file-history-delta",
		"content-replacement", "worktree-state", "relocated", "pr-link", "attribution-snapshot", "speculation-accept",
		"agent-color", "api-request-resumed", "artifact-autoreact-ledger", "artifact-comment-monitor", "bridge-session",
		"continued-in", "data-flow-incomplete", "data-flow-records", "derived-from", "dev-mods", "ended-by-model",
		"fork-context-ref", "frame-link", "history-suppression", "isolation-latch", "memory-mode", "observer-ref",
		"resume-head-vouch", "session-owner":
		return true
	}
	return false
}

// needlessAttachment reports whether a line of type attachment attaches what is known
// and no fact: what the runtime told the model about the surroundings, and what hooks
// answered.
func needlessAttachment(typ []byte) bool {
	switch string(typ) {
	case "agent_listing_delta", "agent_mention", "already_read_file", "async_hook_response", "auto_mode",
		"auto_mode_exit", "command_permissions", "compact_file_reference", "critical_system_reminder", "date",
		"date_change", "deferred_tools_delta", "deferred_tools_record", "diagnostics", "directory", "dynamic_skill",
		"edited_image_file", "edited_text_file", "environment", "file", "fork_briefing", "hook_additional_context",
		"hook_blocking_error", "hook_cancelled", "hook_deferred_tool", "hook_error_during_execution",
		"hook_non_blocking_error", "hook_permission_decision", "hook_stopped_continuation", "hook_success",
		"hook_system_message", "instructions", "invoked_skills", "max_turns_reached", "mcp_instructions_delta",
		"mcp_resource", "model", "nested_memory", "opened_file_in_ide", "output_style", "pdf_reference",
		"plan_file_reference", "plan_mode", "plan_mode_exit", "plan_mode_reentry", "prompt_snapshot",
		"relevant_memories", "remote_session_change", "selected_lines_in_ide", "session_context", "session_cron_carry",
		"silent_turn_reminder", "skill_discovery", "skill_listing", "task_reminder", "task_status", "team_context",
		"teammate_mailbox", "todo", "todo_reminder", "token_usage", "total_tokens_reminder", "verify_plan_reminder":
		return true
	}
	return false
}

// cancelled is the attachment that tells of a hook that the runtime ended before it was done; it
// is a fact where the hook is ours, which is known by its program's name.
const (
	cancelled = "hook_cancelled"
	hookName  = "ag-hook"
)

func ourHook(attachment []byte) bool {
	return strings.Contains(schema.FieldString(attachment, "command"), hookName)
}

// use says whether the line can hold facts, and if not, whether its type is known.
func (l *line) use() (needed, known bool) {
	switch l.typ {
	case "user", "assistant", "system":
		return true, true
	case "attachment":
		if l.subtype == "queued_command" || l.subtype == "structured_output" {
			return true, true
		}
		return l.subtype == cancelled && ourHook(l.attachment), needlessAttachment([]byte(l.subtype))
	case "queue-operation", "summary", "custom-title", "ai-title", "agent-name", "permission-mode", "mode", "agent-setting", "tag":
		return true, true
	}
	return false, needlessType([]byte(l.typ))
}

// factual returns a line without what is around it, and whether it may hold a fact: an
// empty one does not, nor one that is known by its type to hold none, whose kind it gives.
func factual(line []byte) (b []byte, kind string, ok bool) {
	b = bytes.TrimSpace(bytes.TrimPrefix(line, []byte("\ufeff")))
	if len(b) == 0 {
		return b, "", false
	}
	kind, none := needless(b)
	return b, kind, !none
}

// needless reports the kind of a line that is known by its type to hold no fact: such a
// line can be a whole system prompt, and is not taken apart. It must be one JSON value: a
// line that a crash tore begins like one, and the next that is appended stands behind it.
func needless(b []byte) (kind string, ok bool) {
	kind, ok = needlessKind(b)
	return kind, ok && schema.Valid(b)
}

// needlessKind is needless by the line's first bytes alone.
func needlessKind(b []byte) (kind string, ok bool) {
	if b[0] != '{' || b[len(b)-1] != '}' {
		return "", false
	}
	for i := afterSpace(b, 1); i < len(b) && b[i] == '"'; {
		end := bytes.IndexByte(b[i+1:], '"')
		if end < 0 {
			return "", false
		}
		key := b[i+1 : i+1+end]
		i += end + 2
		if i >= len(b) || b[i] != ':' {
			return "", false
		}
		i = afterSpace(b, i+1)
		switch string(key) {
		case "type":
			typ := stringAt(b, i)
			return string(typ), needlessType(typ)
		case "attachment":
			const begin = `{"type":`
			if !bytes.HasPrefix(b[i:], []byte(begin)) {
				return "", false
			}
			typ := stringAt(b, afterSpace(b, i+len(begin)))
			if !needlessAttachment(typ) || string(typ) == cancelled && bytes.Contains(b, []byte(hookName)) {
				return "", false
			}
			return "attachment/" + string(typ), true
		case "message", "toolUseResult":
			return "", false // of a line that holds facts
		}
		end, complete := schema.ValueEnd(b[i:])
		if !complete || i+end >= len(b) || b[i+end] != ',' {
			return "", false
		}
		i = afterSpace(b, i+end+1)
	}
	return "", false
}

func afterSpace(b []byte, i int) int {
	for i < len(b) && b[i] == ' ' {
		i++
	}
	return i
}

// stringAt returns the string that begins at b[i], nil if there is none without an
// escape.
func stringAt(b []byte, i int) []byte {
	if i >= len(b) || b[i] != '"' {
		return nil
	}
	end := bytes.IndexByte(b[i+1:], '"')
	if end < 0 || bytes.IndexByte(b[i+1:i+1+end], '\\') >= 0 {
		return nil
	}
	return b[i+1 : i+1+end]
}
