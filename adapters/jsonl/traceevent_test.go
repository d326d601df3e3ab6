package jsonl_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
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
	case schema.Error, schema.Context:
		if kind == "runtime.audit.named_event" {
			payload = record{"event": payload.plain()}
		}
	case schema.ToolStart:
		if first.HookEventName == "runtime.tool_call_started" {
			payload.set("tool_name", first.ToolName)
			if len(first.ToolInput) > 0 {
				payload["tool_input"] = parsed(t, first.ToolInput)
			}
			break
		}
		for name, v := range fields(t, first.ToolInput) {
			payload[map[string]string{"skill": "skill_name", "parameters": "parameters"}[name]] = v
		}
	case schema.ToolEnd:
		payload.set("tool_name", first.ToolName)
		if _, old := payload["result_preview"]; !old && len(first.Result) > 0 {
			payload["result"] = parsed(t, first.Result)
		}
	case schema.LLMStart:
		payload["input_payload"] = payload["request"]
		delete(payload, "request")
	case schema.LLMEnd:
		if kind == "runtime.model_call_failed" {
			break
		}
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

// The file is what agent_framework 0.6.0 (f24e548) itself wrote of three runs, with a model
// and two tools that were made for it; its system prompt and the middle of tracebacks were
// cut. In the first a model is not there at once, a tool is called twice with one input, one
// raises, and one is not allowed; in the others no model answers: the first of them times
// out, the last are over their limits.
func TestTraceEventsOfTools(t *testing.T) {
	golden(t, jsonl.TraceEvents, "trace/agent-host-tools.jsonl", checkTrace)
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
		{`{"kind":"runtime.parameters_bound","payload":{"run_id":"r"}}`, jsonl.Line{Kind: "runtime.parameters_bound"}},
		{`{"kind":"runtime.audit.tomorrow","payload":"?","context":[]}`, jsonl.Line{Kind: "runtime.audit.tomorrow", Unknown: true}},
		{`{"kind":"llm.request","channel":"llm","payload":null}`, jsonl.Line{Kind: "llm.request"}},
		{`{"kind":"runtime.tool_call_started","payload":{"tool_name":"x"}}`, jsonl.Line{Kind: "runtime.tool_call_started", Unknown: true}},
		{`{"kind":"runtime.tool_call_finished","span_id":"s"}`, jsonl.Line{Kind: "runtime.tool_call_finished"}},
		{`{"kind":"runtime.model_call_failed","payload":{"message":"x"}}`, jsonl.Line{Kind: "runtime.model_call_failed"}},
		{`{"kind":"runtime.model_call_failed","payload":{"message":"x","status_code":429}}`, jsonl.Line{Kind: "runtime.model_call_failed"}},
		{`{"kind":"runtime.tool_unavailable","level":"error","payload":{"tool_name":"x"}}`, jsonl.Line{Kind: "runtime.tool_unavailable"}},
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

// TestTraceDecidedCalls: a decision to call a tool is a call where no line tells of the
// call itself, as in what the third seed shows.
func TestTraceDecidedCalls(t *testing.T) {
	decided := `{"kind":"runtime.audit.decision",%s"context":{"run_id":"r"},"payload":{"decision":{"kind":"call_tool","tool_name":"x","parameters":{"a":1}}}}`
	for span, want := range map[string][]schema.Type{
		``:                 {schema.Decision, schema.ToolStart},
		`"span_id":null,`:  {schema.Decision, schema.ToolStart},
		`"span_id":"r",`:   {schema.Decision},
		`"span_id":"r.s",`: {schema.Decision},
	} {
		events, _ := decode(t, jsonl.TraceEvents, fmt.Sprintf(decided, span), 2)
		var got []schema.Type
		for _, e := range events {
			got = append(got, e.EventType)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s gives %v, want %v", span, got, want)
		}
	}
}

// TestTraceUsage: cached tokens are among the input of agent_framework, beside ours.
func TestTraceUsage(t *testing.T) {
	for usage, want := range map[string]string{
		`{"input_tokens":120,"input_cached_tokens":20,"output_tokens":14,"output_cached_tokens":0,"total_tokens":134}`: "100 20 14",
		`{"input_tokens":0,"input_cached_tokens":0,"output_tokens":0}`:                                                 "0 0 0",
		`{"input_tokens":5,"input_cached_tokens":6,"output_tokens":7}`:                                                 "5 - 7",
		`{"input_tokens":5}`:                            "5 - -",
		`{"prompt_tokens":90,"completion_tokens":9}`:    "90 - 9",
		`{"input_tokens":-1,"output_tokens":"7"}`:       "- - -",
		`{"input_cached_tokens":3,"output_tokens":1.5}`: "- - -",
		`[1]`: "- - -",
		`"5"`: "- - -",
	} {
		events, _ := decode(t, jsonl.TraceEvents, `{"kind":"llm.response","payload":{"usage":`+usage+`}}`, 2)
		var got []string
		for _, n := range []*int64{events[0].InputTokens, events[0].CacheReadInputTokens, events[0].OutputTokens} {
			if n == nil {
				got = append(got, "-")
			} else {
				got = append(got, strconv.FormatInt(*n, 10))
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %s, want %s", usage, got, want)
		}
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
		{`{"kind":"runtime.tool_call_started","span_id":"s","payload":{"tool_name":1}}`, "column 74: payload.tool_name: want a string, got a number"},
		{`{"kind":"runtime.audit.skill_invocation","payload":{"skill_name":1}}`, "column 66: payload.skill_name: want a string, got a number"},
	} {
		events, _, err := jsonl.NewDecoder(auditSource(jsonl.TraceEvents)).Append(nil, []byte(c.line), 1, received())
		if fault := (*jsonl.LineError)(nil); !errors.As(err, &fault) || err.Error() != c.want || len(events) > 0 {
			t.Errorf("%s\n got %v\nwant %s", c.line, err, c.want)
		}
	}
}
