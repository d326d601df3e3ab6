package jsonl_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/actiongraph/actiongraph/schema"
)

// The inverse is written against the table of what becomes of a record's fields, not
// against the decoder: it gives back the record that made the events of a line.

type record map[string]any

func parsed(t testing.TB, raw []byte) any {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		t.Fatalf("%v: %s", err, raw)
	}
	return v
}

// fields are the members of extra, or of what else is an object; absent is empty.
func fields(t testing.TB, raw json.RawMessage) record {
	t.Helper()
	if len(raw) == 0 {
		return record{}
	}
	return record(parsed(t, raw).(map[string]any))
}

// set sets a field from a typed one, which says nothing where it is empty.
func (r record) set(name, text string) {
	if text != "" {
		r[name] = text
	}
}

func (r record) setTime(e schema.Event) {
	if _, missing := r["timestamp_missing"]; missing {
		delete(r, "timestamp_missing")
		return
	}
	r["timestamp"] = instant(e.Timestamp)
}

func (r record) append(name string, v any) {
	list, _ := r[name].([]any)
	r[name] = append(list, v)
}

func (r record) plain() map[string]any { return map[string]any(r) }

func instant(at time.Time) string { return "instant " + schema.FormatTime(at) }

// recordOf is the inverse for a line of a dump.
func recordOf(t testing.TB, events []schema.Event) record {
	t.Helper()
	r := record{}
	for _, e := range events {
		extra := fields(t, e.Extra)
		switch e.HookEventName {
		case "agent_call":
			callPart(t, r, e, extra)
		case "agent_decision":
			if e.EventType == schema.Decision {
				r["agent_decision"] = decisionOf(e, extra).plain()
			}
		case "callback":
			r.append("callbacks", callbackOf(e, extra).plain())
		case "skill_invocation":
			if e.EventType == schema.ToolStart {
				r.append("skill_invocations", skillOf(t, e, extra).plain())
			}
		case "event":
			if entry, ok := extra["event"]; ok && len(extra) == 1 {
				r.append("events", entry)
			} else {
				r.append("events", extra.plain())
			}
		default:
			if e.EventType != schema.SessionUpdate {
				return typedOf(e, extra)
			}
		}
	}
	return r
}

func callPart(t testing.TB, r record, e schema.Event, extra record) {
	t.Helper()
	switch {
	case e.EventType == schema.AgentStart:
		r.set("run_id", e.AgentID)
		r.set("agent_name", e.AgentName)
		r.set("user_prompt", e.Content)
		for name, v := range extra {
			r[name] = v
		}
		r.setTime(e)
	case e.EventType == schema.Message && e.Role == schema.RoleSystem:
		r.set("system_prompt", e.Content)
		if sources, ok := extra["system_prompt_sources"]; ok {
			r["system_prompt_sources"] = sources
		}
	case e.EventType == schema.Message:
		if sources, ok := extra["user_prompt_sources"]; ok {
			r["user_prompt_sources"] = sources
		}
	case e.EventType == schema.LLMStart:
		r["llm_message_sent"] = extra["request"]
	case e.EventType == schema.LLMEnd:
		r.set("llm_message_received", e.Content)
		for name, v := range extra {
			r[name] = v
		}
	case e.EventType == schema.AgentEnd, e.EventType == schema.SessionUpdate:
	default:
		t.Errorf("an agent call gives no %s", e.EventType)
	}
}

func decisionOf(e schema.Event, extra record) record {
	extra.set("message", e.Content)
	extra.set("tool_name", e.ToolName)
	if _, ok := extra["subagent_id"]; !ok {
		extra.set("subagent_id", e.ToAgent)
	}
	return extra
}

func callbackOf(e schema.Event, extra record) record {
	extra.setTime(e)
	extra.set("prompt", e.Content)
	return extra
}

func skillOf(t testing.TB, e schema.Event, extra record) record {
	t.Helper()
	extra.setTime(e)
	input := fields(t, e.ToolInput)
	for name, in := range map[string]string{"skill_name": "skill", "parameters": "parameters"} {
		if v, ok := input[in]; ok {
			extra[name] = v
		}
	}
	return extra
}

func typedOf(e schema.Event, extra record) record {
	if e.EventType == schema.Unknown {
		instants(extra)
		if at, ok := extra["timestamp"].(string); ok && strings.HasPrefix(at, "instant ") {
			extra["timestamp"] = instant(e.Timestamp)
		}
		return extra
	}
	extra["type"] = e.HookEventName
	extra.setTime(e)
	switch e.HookEventName {
	case "user_output":
		if _, ok := extra["role"]; !ok {
			extra["role"] = e.Role
		}
		extra.set("text", e.Content)
	case "user_input":
		extra.set("response", e.Content)
	case "permission_request":
		extra.set("tool_name", e.ToolName)
		extra.set("summary", e.Content)
	}
	return extra
}

// given is what a line says, its times as instants and without what says as little as a
// field that is not there: the defaults of the dataclasses.
func given(t testing.TB, line []byte) record {
	t.Helper()
	r := record(parsed(t, line).(map[string]any))
	instants(r)
	if _, typed := r["type"].(string); typed {
		if r["type"] == "user_output" && r["role"] == nil {
			if _, there := r["role"]; !there {
				r["role"] = "system"
			}
		}
		return r
	}
	delete(r, "type")
	for _, name := range []string{"llm_message_sent", "llm_message_received", "model_response", "agent_decision"} {
		if r[name] == nil {
			delete(r, name)
		}
	}
	for _, name := range []string{"system_prompt_sources", "user_prompt_sources", "callbacks", "skill_invocations", "events"} {
		if list, _ := r[name].([]any); len(list) == 0 {
			delete(r, name)
		}
	}
	if _, ok := r["caller_id"]; !ok {
		r["caller_id"] = nil
	}
	for _, name := range []string{"callbacks", "skill_invocations"} {
		list, _ := r[name].([]any)
		for _, part := range list {
			instants(part.(map[string]any))
		}
	}
	return r
}

// instants makes the timestamp of a record one, and a null one absent.
func instants(r map[string]any) {
	if text, ok := r["timestamp"].(string); ok {
		if at, err := time.Parse(time.RFC3339, text); err == nil {
			r["timestamp"] = instant(at)
		}
	}
	if at, ok := r["timestamp"]; ok && at == nil {
		delete(r, "timestamp")
	}
}

// checkRecord fails where the events of a line do not give it back.
func checkRecord(t testing.TB, line []byte, events []schema.Event) {
	t.Helper()
	if diff := cmp.Diff(given(t, line), recordOf(t, events)); diff != "" {
		t.Fatalf("the events do not give back the line (-line +events):\n%s\n%s", diff, line)
	}
}
