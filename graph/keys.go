package graph

import "github.com/actiongraph/actiongraph/schema"

// Keys are hashes of what identifies an entity, so that whoever folds the same
// facts, in whatever order, on whatever machine, gives the same node the same key.

// ToolCallID returns the action id of a tool call.
func ToolCallID(session, toolUseID string) string { return toolCallKey(session, toolUseID).String() }

// ToolResultID returns the action id of a tool call's result.
func ToolResultID(session, toolUseID string) string {
	return toolResultKey(session, toolUseID).String()
}

// EventActionID returns the action id of an action that is one event: every
// message, decision, error … of a source that names its events itself.
func EventActionID(session, eventID string) string { return eventKey(session, eventID).String() }

// LLMCallID returns the action id of a model call. id is its message id, or the
// event id of its llm_start where it has none.
func LLMCallID(session, id string) string { return llmKey(session, id).String() }

// TaskID returns the action id of a task.
func TaskID(session, taskID string) string { return taskKey(session, taskID).String() }

// AgentKey returns the key of a subagent.
func AgentKey(session, agentID string) string { return agentKey(session, agentID).String() }

// FileKey returns the key of a file on a host.
func FileKey(host, path string) string { return schema.NewID("file", host, path) }

func agentKey(session, agentID string) schema.Key { return schema.NewKey("agent", session, agentID) }

func toolCallKey(session, toolUseID string) schema.Key {
	return schema.NewKey("tool_call", session, toolUseID)
}

func toolResultKey(session, toolUseID string) schema.Key {
	return schema.NewKey("tool_result", session, toolUseID)
}

func eventKey(session, eventID string) schema.Key {
	return schema.NewKey("event", session, eventID)
}

func llmKey(session, id string) schema.Key { return schema.NewKey("llm_call", session, id) }

func taskKey(session, id string) schema.Key { return schema.NewKey("task", session, id) }
