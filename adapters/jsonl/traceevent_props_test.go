package jsonl_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/actiongraph/actiongraph/adapters/jsonl"
)

func aTraceEvent() *rapid.Generator[map[string]any] {
	text, list := anyText().AsAny(), rapid.SliceOfN(anyText().AsAny(), 0, 3).AsAny()
	object := rapid.MapOfN(someText(), anyJSON(2), 1, 3).AsAny()
	some := someText().AsAny()
	payloads := map[string]map[string]*rapid.Generator[any]{
		"runtime.audit.agent_call_started": {
			"parent_run_id": text, "caller_id": some, "agent_name": some, "system_prompt": some, "user_prompt": some,
			"system_prompt_sources": rapid.Just(any([]any{"a.md"})), "user_prompt_sources": rapid.Just(any([]any{"b.md"})),
		},
		"runtime.audit.agent_call_finished": {"usage_self": object, "usage_inclusive": object},
		"runtime.audit.decision":            {},
		"runtime.audit.callback":            {"intent": text, "prompt": text, "target": anyJSON(1), "response": text, "event": object},
		"runtime.audit.named_event":         {},
		"runtime.audit.skill_invocation":    {"skill_name": some, "parameters": anyJSON(2), "inventory": list, "status": text},
		"runtime.memory_put":                {"memory_uri": text, "title": text, "summary": text, "metadata": anyJSON(2)},
		"runtime.memory_autostore":          {"agent_id": text, "size_bytes": anyJSON(1)},
		"llm.request":                       {"model_name": text, "temperature": anyJSON(0)},
		"llm.response":                      {"model_name": text, "usage": anyJSON(2), "raw_usage": anyJSON(2)},
		"llm.error":                         {"model_name": text, "error_type": text, "message": text},
		"runtime.tool_call_started":         {"tool_name": text, "tool_input": anyJSON(2), "phase_id": text},
		"runtime.tool_call_finished":        {"tool_name": text, "result": anyJSON(2), "phase_id": text},
		"runtime.tool_execution_failed":     {"tool_name": some, "agent_id": some, "error_type": text, "error": anyJSON(1)},
		"runtime.model_call_failed":         {"error_type": some, "message": text, "traceback": text, "status_code": anyJSON(0)},
		"runtime.run_failed":                {"error_type": some, "error": text, "detail": anyJSON(1)},
		"runtime.of_tomorrow":               {"x": anyJSON(2)},
	}
	kinds := make([]string, 0, len(payloads))
	for kind := range payloads {
		kinds = append(kinds, kind)
	}
	return rapid.Custom(func(t *rapid.T) map[string]any {
		kind := rapid.SampledFrom(sorted(kinds)).Draw(t, "kind")
		payload := map[string]any{"run_id": someText().Draw(t, "run_id")}
		fill(t, payload, payloads[kind])
		r := map[string]any{"kind": kind, "payload": payload}
		switch kind {
		case "runtime.audit.agent_call_started":
			if _, ok := payload["caller_id"]; !ok {
				payload["caller_id"] = nil
			}
			// As nothing they would be absent.
			payload["system_prompt_sources"], payload["user_prompt_sources"] = []any{"a.md"}, []any{"b.md"}
		case "runtime.audit.callback":
			if payload["event"] == nil {
				delete(payload, "event")
			}
		case "runtime.audit.decision":
			delete(payload, "run_id")
			for name := range payload {
				delete(payload, name)
			}
			payload["decision"] = map[string]any{"kind": some.Draw(t, "decision"), "message": text.Draw(t, "message"), "parameters": anyJSON(2).Draw(t, "parameters"), "tool_name": text.Draw(t, "tool")}
		case "runtime.audit.named_event":
			for name := range payload {
				delete(payload, name)
			}
			payload["event"] = object.Draw(t, "event")
		case "llm.request":
			payload["input_payload"] = anyJSON(2).Draw(t, "input")
		case "llm.response", "llm.error":
			payload["raw_text"] = text.Draw(t, "raw_text")
			payload["parsed_payload"] = rapid.OneOf(object, rapid.Just(any(nil))).Draw(t, "parsed")
		}
		fillEnvelope(t, r)
		return r
	})
}

// fillEnvelope gives a TraceEvent what it says beside its payload.
func fillEnvelope(t *rapid.T, r map[string]any) {
	for _, name := range []string{"event_id", "parent_event_id", "span_id", "title", "summary"} {
		if rapid.Bool().Draw(t, name) {
			r[name] = anyText().Draw(t, name)
		}
	}
	if rapid.Bool().Draw(t, "timed") {
		r["timestamp"] = aTime().Draw(t, "timestamp")
	}
	if rapid.Bool().Draw(t, "context") {
		r["context"] = map[string]any{"run_id": someText().Draw(t, "context's run"), "session_id": nil}
	}
	if rapid.Bool().Draw(t, "tags") {
		r["tags"] = []any{"a", nil}
	}
}

// TestTraceGivesBack: typed fields and extra of the events of a TraceEvent give it back.
func TestTraceGivesBack(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		line := written(rt, aTraceEvent().Draw(rt, "event"))
		events, _ := decode(t, jsonl.TraceEvents, string(line), 7)
		checkTrace(t, line, events)
		checkLine(t, jsonl.TraceEvents, line, 7, events)
	})
}
