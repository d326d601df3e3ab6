package render

import (
	"strings"

	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/schema"
)

// EventSummary says in one line what an event is about.
func EventSummary(e *schema.Event) string {
	var words []string
	say := func(parts ...string) {
		for _, p := range parts {
			if p = OneLine(p); p != "" {
				words = append(words, p)
			}
		}
	}
	switch e.EventType {
	case schema.ToolStart, schema.ToolEnd, schema.ToolBatch, schema.Permission:
		say(e.ToolName)
		call := graph.ActionRow{ActionType: graph.ToolCall, Properties: map[string]any{"tool_input": e.ToolInput}}
		say(Gist(&call, e.WorkingDirectory))
		if e.IsError || e.ErrorMessage != "" {
			say("error: " + FirstLine(e.ErrorMessage))
		}
	case schema.AgentStart, schema.AgentEnd:
		say(e.AgentType, e.AgentID, e.Status, e.Content)
	case schema.Message:
		content := notice(e.Content)
		if content == "" {
			content = e.Content
		}
		say(e.Role+":", content)
	case schema.SessionStart, schema.SessionEnd:
		say(e.Reason, e.Model, e.WorkingDirectory)
	case schema.Tag:
		say(strings.Join(e.Tags, " "), e.Status)
	case schema.Fork:
		say("of", e.ParentSessionID)
	default:
		say(e.HookEventName, e.Status, e.Reason, e.Title, e.ErrorType, FirstLine(e.ErrorMessage), e.Content)
		say(FirstLine(schema.FieldString(e.Metadata, schema.MetaHookError)))
	}
	if e.AgentID != "" && e.EventType != schema.AgentStart && e.EventType != schema.AgentEnd {
		say("(agent " + e.AgentID + ")")
	}
	return strings.Join(words, " ")
}
