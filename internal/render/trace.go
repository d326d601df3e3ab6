package render

import (
	"encoding/json"
	"maps"
	"slices"
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
		if e.EventType == schema.ToolEnd {
			say(strings.ReplaceAll(e.Status, "_", " "))
		}
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
		say(append([]string{e.Role + ":", content}, Images(&graph.ActionRow{Properties: map[string]any{"properties": e.Extra}})...)...)
	case schema.SessionStart, schema.SessionEnd:
		say(e.Reason, e.Model, e.WorkingDirectory)
	case schema.LLMEnd:
		say(e.Model, tokenWords(e), e.Reason)
	case schema.SessionUpdate:
		if e.Origin != schema.OriginTranscript {
			say(e.HookEventName) // a transcript's is the line that it was read off
		}
		say(e.Status, e.Reason, e.Title, strings.Join(updates(e), ", "))
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

// tokenWords says what a model call used, as far as the event states it.
func tokenWords(e *schema.Event) string {
	var words []string
	for _, f := range []struct {
		n    *int64
		what string
	}{{e.InputTokens, "in"}, {e.OutputTokens, "out"}, {e.CacheReadInputTokens, "cache read"}, {e.CacheCreationInputTokens, "cache written"}} {
		if f.n != nil {
			words = append(words, Count(*f.n)+" "+f.what)
		}
	}
	return strings.Join(words, ", ")
}

// updates names what an event says anew of its session, beside its title.
func updates(e *schema.Event) (out []string) {
	for _, raw := range []json.RawMessage{e.Extra, e.Metadata} {
		var said map[string]any
		_ = json.Unmarshal(raw, &said) // nothing where it is no object
		for _, name := range slices.Sorted(maps.Keys(said)) {
			if text, is := said[name].(string); is && text != "" {
				out = append(out, strings.ReplaceAll(name, "_", " ")+" "+text)
			}
		}
	}
	return out
}
