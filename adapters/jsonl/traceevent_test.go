package jsonl_test

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/actiongraph/actiongraph/adapters/jsonl"
	"github.com/actiongraph/actiongraph/schema"
)

// traceOf is the inverse for a TraceEvent: its line, from what became of it.
func traceOf(t testing.TB, kind string, events []schema.Event) record {
	t.Helper()
	first := events[0]
	if first.EventType == schema.Unknown {
		return typedOf(first, fields(t, first.Extra))
	}
	payload := fields(t, first.Extra)
	line := record{"kind": kind}
	for name, v := range envelopeOf(payload) {
		line[name] = v
	}
	if payload["timestamp_missing"] == nil {
		line["timestamp"] = instant(first.Timestamp)
	}
	delete(payload, "timestamp_missing")
	switch first.EventType {
	case schema.AgentStart:
		payload.set("agent_name", first.AgentName)
		payload.set("user_prompt", first.Content)
		for _, e := range events[1:] {
			for name, v := range fields(t, e.Extra) {
				payload[name] = v
			}
			if e.Role == schema.RoleSystem {
				payload.set("system_prompt", e.Content)
			}
		}
	case schema.Decision:
		payload = record{"decision": decisionOf(first, payload).plain()}
	case schema.Callback:
		payload.set("prompt", first.Content)
		if len(events) > 1 {
			payload["event"] = fields(t, events[1].Extra).plain()
		}
	case schema.Context, schema.Error:
		payload = record{"event": payload.plain()}
	case schema.ToolStart:
		for name, v := range fields(t, first.ToolInput) {
			payload[map[string]string{"skill": "skill_name", "parameters": "parameters"}[name]] = v
		}
	case schema.LLMStart:
		payload["input_payload"] = payload["request"]
		delete(payload, "request")
	case schema.LLMEnd:
		payload["raw_text"] = first.Content
		payload["parsed_payload"] = payload["model_response"]
		delete(payload, "model_response")
	}
	line["payload"] = payload.plain()
	return line
}

func envelopeOf(extra record) record {
	envelope, _ := extra["trace_event"].(map[string]any)
	delete(extra, "trace_event")
	return envelope
}

// givenTrace is what a TraceEvent says, without the defaults of its dataclass, and without
// the run_id of its payload, which is its lane.
func givenTrace(t testing.TB, line []byte, lane string) record {
	t.Helper()
	r := record(parsed(t, line).(map[string]any))
	instants(r)
	for name, v := range r {
		list, isList := v.([]any)
		if v == nil || v == "" || isList && len(list) == 0 {
			delete(r, name)
		}
	}
	if payload := r["payload"].(map[string]any); payload["run_id"] == lane && lane != "" {
		delete(payload, "run_id")
	}
	return r
}

func checkTrace(t testing.TB, line []byte, events []schema.Event) {
	t.Helper()
	events = slices.DeleteFunc(slices.Clone(events), func(e schema.Event) bool { return e.EventType == schema.SessionUpdate })
	if len(events) == 0 {
		return
	}
	kind := schema.FieldString(line, "kind")
	want := givenTrace(t, line, events[0].AgentID)
	if events[0].EventType == schema.Unknown {
		want = record(parsed(t, line).(map[string]any))
		instants(want)
	}
	if diff := cmp.Diff(want, traceOf(t, kind, events)); diff != "" {
		t.Fatalf("the events do not give back the line (-line +events):\n%s\n%s", diff, line)
	}
}

// The file is made after agent_framework's own source (github.com/delzubu/agent_framework:
// tracing.py, agent_event_publisher.py, llm_trace_logging.py, host.py), which has no
// recorded one: two runs, of which one calls the other.
func TestTraceEvents(t *testing.T) {
	golden(t, jsonl.TraceEvents, "trace/agent-host.jsonl", checkTrace)
}

func TestTraceChannels(t *testing.T) {
	for _, c := range []struct {
		line string
		want jsonl.Line
	}{
		{`{"kind":"log.record","channel":"log","timestamp":5,"payload":7}`, jsonl.Line{Kind: "log.record", Skipped: true}},
		{`{"kind":"log.record"}`, jsonl.Line{Kind: "log.record", Skipped: true}},
		{`{"kind":"user.message_sent"}`, jsonl.Line{Kind: "user.message_sent", Skipped: true}},
		{`{"kind":"user.message_sent","channel":"user"}`, jsonl.Line{Kind: "user.message_sent", Skipped: true}},
		{`{"kind":"runtime.parameters_bound","payload":{"run_id":"r"}}`, jsonl.Line{Kind: "runtime.parameters_bound", Unknown: true}},
		{`{"kind":"runtime.audit.tomorrow","payload":"?","context":[]}`, jsonl.Line{Kind: "runtime.audit.tomorrow", Unknown: true}},
		{`{"kind":"llm.request","channel":"llm","payload":null}`, jsonl.Line{Kind: "llm.request"}},
	} {
		events, said := decode(t, jsonl.TraceEvents, c.line, 2)
		if diff := cmp.Diff(c.want, said); diff != "" {
			t.Errorf("%s: %s", c.line, diff)
		}
		if (len(events) == 0) != c.want.Skipped {
			t.Errorf("%s: %d events", c.line, len(events))
		}
	}
	// What the file says of its session does not depend on what its first line is.
	if events, _ := decode(t, jsonl.TraceEvents, `{"kind":"log.record"}`, 1); len(events) != 1 || events[0].EventType != schema.SessionUpdate {
		t.Errorf("a first line that is skipped gives %v", events)
	}
}

// TestTraceIdentity: a TraceEvent's own id names the fact, whatever the file it is in is
// called and wherever in it the line is.
func TestTraceIdentity(t *testing.T) {
	_, lines := dump(t, "trace/agent-host.jsonl")
	seen := map[string]int{}
	for i, line := range lines {
		events, _ := decode(t, jsonl.TraceEvents, string(line), int64(i+2))
		var spaced json.RawMessage
		for name, v := range schema.Fields(line) {
			spaced = append(append(append(spaced, ' '), schema.AppendString(nil, name)...), ':', ' ')
			spaced = append(append(spaced, v...), ',')
		}
		again, _ := decode(t, jsonl.TraceEvents, "{"+string(spaced[:len(spaced)-1])+"}", 99)
		for k := range events {
			if events[k].EventID != again[k].EventID {
				t.Errorf("line %d: another id where only white space differs", i+1)
			}
			if seen[events[k].EventID]++; seen[events[k].EventID] > 1 {
				t.Errorf("line %d: id twice", i+1)
			}
		}
	}
	cause := `{"kind":"llm.request","event_id":"a","payload":{}}`
	effect := `{"kind":"llm.response","event_id":"b","parent_event_id":"a","payload":{}}`
	first, _ := decode(t, jsonl.TraceEvents, cause, 2)
	second, _ := decode(t, jsonl.TraceEvents, effect, 3)
	if second[0].CausedBy != first[0].EventID {
		t.Errorf("caused by %s, want %s", second[0].CausedBy, first[0].EventID)
	}
}

func TestTraceFaults(t *testing.T) {
	for _, c := range []struct{ line, want string }{
		{`{}`, "column 1: kind: want the kind of a TraceEvent, got nothing"},
		{`{"kind":null}`, "column 9: kind: want the kind of a TraceEvent, got null"},
		{`{"kind":"llm.request","timestamp":"?"}`, `column 35: timestamp: want an RFC 3339 time of 1970 to 2261, as datetime.isoformat() writes it, got "?"`},
		{`{"kind":"llm.request","payload":"?"}`, "column 33: payload: want an object, got a string"},
		{`{"kind":"llm.request","context":[]}`, "column 33: context: want an object, got an array"},
		{`{"kind":"llm.response","payload":{"raw_text":5}}`, "column 46: payload.raw_text: want a string, got a number"},
		{`{"kind":"runtime.audit.agent_call_started","payload":{"agent_name":"a"}}`, "column 54: run_id: missing: an agent call has one"},
		{`{"kind":"runtime.audit.agent_call_finished"}`, "run_id: missing: an agent call has one"},
		{`{"kind":"runtime.audit.decision","payload":{"decision":"x"}}`, "column 56: payload.decision: want an object, got a string"},
		{`{"kind":"runtime.audit.named_event","payload":{"event":{}}}`, "column 47: payload.event: missing: a named event has one"},
		{`{"kind":"runtime.audit.skill_invocation","payload":{"skill_name":1}}`, "column 66: payload.skill_name: want a string, got a number"},
	} {
		events, _, err := jsonl.NewDecoder(auditSource(jsonl.TraceEvents)).Append(nil, []byte(c.line), 1, received())
		if fault := (*jsonl.LineError)(nil); !errors.As(err, &fault) || err.Error() != c.want || len(events) > 0 {
			t.Errorf("%s\n got %v\nwant %s", c.line, err, c.want)
		}
	}
}
