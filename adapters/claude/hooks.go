package claude

import (
	"strings"

	"github.com/actiongraph/actiongraph/schema"
)

// Each of the functions below handles one family of hook events and reports whether
// the event was one of them. The table in the package comment is their summary.

func (p *payload) sessionHook(e *schema.Event) bool {
	switch e.HookEventName {
	case "SessionStart":
		e.EventType = schema.SessionStart
		p.text("source", &e.Reason)
		p.text("model", &e.Model)
		p.text("session_title", &e.Title)
	case "SessionEnd":
		e.EventType = schema.SessionEnd
		p.text("reason", &e.Reason)
	case "UserPromptSubmit":
		e.EventType = schema.Message
		p.text("prompt", &e.Content)
		p.text("session_title", &e.Title)
		e.Role, e.Actor = schema.RoleUser, schema.ActorUser
		if injected(e.Content) {
			e.Role, e.Actor = schema.RoleSystem, schema.ActorRuntime
		}
	case "UserPromptExpansion":
		e.EventType = schema.Skill
		p.text("prompt", &e.Content)
	case "Stop":
		e.EventType = schema.TurnEnd
		p.text("last_assistant_message", &e.Content)
	case "StopFailure":
		e.EventType, e.IsError = schema.Error, true
		p.text("error", &e.ErrorType)
		p.text("last_assistant_message", &e.ErrorMessage)
		if e.ErrorType == "rate_limit" {
			e.EventType = schema.RateLimit
		}
	case "PreCompact":
		e.EventType = schema.Compaction
		p.text("trigger", &e.Reason)
		p.text("custom_instructions", &e.Content)
	case "PostCompact":
		e.EventType = schema.Compaction
		p.text("trigger", &e.Reason)
		p.text("compact_summary", &e.Content)
	default:
		return false
	}
	return true
}

// injected reports whether a prompt was written by the runtime in the user's name:
// the end of a background task arrives as one, and no field of the payload says so.
func injected(prompt string) bool {
	for _, tag := range []string{"<task-notification>", "<command-", "<local-command-", "<bash-", "<system-reminder>"} {
		if strings.HasPrefix(prompt, tag) {
			return true
		}
	}
	return false
}

func (p *payload) toolHook(e *schema.Event) bool {
	switch e.HookEventName {
	case "PreToolUse":
		if p.call(e, "pre") {
			e.EventType = schema.ToolStart
		}
	case "PostToolUse":
		if p.call(e, "post") {
			e.EventType = schema.ToolEnd
			e.CausedBy = preID(e.ToolUseID)
			p.value("tool_response", &e.Result)
			p.number("duration_ms", &e.DurationMS)
		}
	case "PostToolUseFailure":
		if p.call(e, "post_failure") {
			e.EventType, e.IsError = schema.ToolEnd, true
			e.CausedBy = preID(e.ToolUseID)
			p.text("error", &e.ErrorMessage)
			p.number("duration_ms", &e.DurationMS)
		}
	case "PermissionRequest": // has no tool_use_id
		e.EventType, e.Status = schema.Permission, schema.StatusPending
		p.text("tool_name", &e.ToolName)
		p.value("tool_input", &e.ToolInput)
	case "PermissionDenied":
		e.EventType, e.Status = schema.Permission, schema.StatusDenied
		p.text("tool_name", &e.ToolName)
		p.value("tool_input", &e.ToolInput)
		p.text("reason", &e.Reason)
		if p.text("tool_use_id", &e.ToolUseID) {
			e.EventID = schema.EventID(schema.OriginHook, "permission_denied", e.ToolUseID)
		}
	default:
		return false
	}
	return true
}

// call takes what names a tool call. Without a tool_use_id no other fact could ever
// be joined to it, and the event stays unknown.
func (p *payload) call(e *schema.Event, kind string) bool {
	if !p.text("tool_use_id", &e.ToolUseID) {
		p.note(e.HookEventName + " without tool_use_id")
		return false
	}
	e.EventID = schema.EventID(schema.OriginHook, kind, e.ToolUseID)
	e.Actor = schema.ActorAgent
	p.text("tool_name", &e.ToolName)
	p.value("tool_input", &e.ToolInput)
	return true
}

// preID is the event id of the PreToolUse of a call.
func preID(toolUseID string) string {
	return schema.EventID(schema.OriginHook, "pre", toolUseID)
}

func (p *payload) agentHook(e *schema.Event) bool {
	switch e.HookEventName {
	case "SubagentStart":
		p.agent(e, schema.AgentStart)
	case "SubagentStop":
		p.text("last_assistant_message", &e.Content)
		if p.is("agent_type", `""`) {
			// Compaction runs as an agent without a type that never started: no lane.
			e.EventType = schema.Compaction
			p.untake("agent_id", &e.AgentID)
		} else {
			p.agent(e, schema.AgentEnd)
		}
	case "TeammateIdle":
		e.EventType = schema.Notification
	case "TaskCreated":
		p.task(e, "task_created", schema.StatusPending)
	case "TaskCompleted":
		p.task(e, "task_completed", schema.StatusCompleted)
	default:
		return false
	}
	return true
}

func (p *payload) agent(e *schema.Event, typ schema.Type) {
	if e.AgentID == "" {
		p.note(e.HookEventName + " without agent_id")
		return
	}
	e.EventType = typ
}

// task takes a task of the task list. Its id counts from 1 in every session, so the
// session is part of the fact's name.
func (p *payload) task(e *schema.Event, kind, status string) {
	e.EventType, e.Status = schema.Task, status
	p.text("task_subject", &e.Title)
	p.text("task_description", &e.Content)
	if p.text("task_id", &e.TaskID) {
		e.EventID = schema.EventID(schema.OriginHook, kind, e.SessionID, e.TaskID)
	}
}

func (p *payload) otherHook(e *schema.Event) bool {
	switch e.HookEventName {
	case "Notification":
		e.EventType = schema.Notification
		p.text("message", &e.Content)
	case "MessageDisplay":
		e.EventType = schema.Notification
		p.text("delta", &e.Content)
	case "Elicitation", "ElicitationResult":
		e.EventType = schema.Callback
		p.text("message", &e.Content)
	case "PostModelSwitch":
		e.EventType = schema.Context
		p.text("to_model", &e.Model)
	case "PreModelSwitch", "ConfigChange", "CwdChanged", "DirectoryAdded", "FileChanged",
		"InstructionsLoaded", "WorktreeCreate", "WorktreeRemove", "Setup":
		e.EventType = schema.Context
	default:
		return false
	}
	return true
}
