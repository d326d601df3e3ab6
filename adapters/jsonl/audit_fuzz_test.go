package jsonl_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/actiongraph/actiongraph/adapters/jsonl"
	"github.com/actiongraph/actiongraph/schema"
)

func FuzzAudit(f *testing.F) {
	_, lines := dump(f, "audit/trace-260301_101500.jsonl")
	fuzzLines(f, jsonl.Audit, lines, []string{
		`{"run_id":7,"caller_id":-1.5e3,"agent_name":0,"timestamp":null}`, `{"type":"permission_request","allowed":null}`,
		`{"run_id":"r","run_id":"s","events":[1,"x",null,{"name":"llm.error","error":{"message":"m"}}],"llm_message_sent":"?"}`,
		"{\"run_id\":\"\xff\xfe\",\"x\xc0\":\"\xed\xa0\x80\",\"y\":\"\\ud800\"}", "{\n\"run_id\" : \"r\" ,\t\"z\" : [ 1 ,\n 2 ] }",
		`{"type":"\ud83d\ude00","timestamp":"2026-03-01"}`, `{"type":"user_output","role":"\u0061ssistant","text":""}`,
		strings.Repeat(`{"run_id":`, 200) + "1" + strings.Repeat("}", 200), `{"":"","run_id":"r","agent_decision":{}}`, `{"type":""}`,
	})
}

func FuzzTraceEvents(f *testing.F) {
	_, lines := dump(f, "trace/agent-host.jsonl")
	_, tools := dump(f, "trace/agent-host-tools.jsonl")
	fuzzLines(f, jsonl.TraceEvents, append(lines, tools...), []string{
		`{"kind":"llm.request","payload":{"run_id":7,"input_payload":"x"},"tags":["a"],"event_id":""}`,
		`{"kind":"runtime.audit.callback","payload":{"event":[]},"context":{"run_id":"r"}}`, `{"kind":"runtime.audit.named_event","payload":{"event":5}}`,
		`{"kind":"runtime.audit.agent_call_started","payload":{"run_id":"r","timestamp":1,"events":2,"trace_event":3}}`,
		`{"kind":"runtime.tool_call_finished","span_id":"s","payload":{"result":null,"result_preview":"x","tool_name":null}}`,
		"{\"kind\":\"x\xff\",\"payload\":\"\xff\"}", `{"kind":"` + strings.Repeat("k", 300) + `"}`,
	})
}

// fuzzLines holds that any line gives valid events that say all it says, or a fault and
// nothing else, and that the line stays as it was.
func fuzzLines(f *testing.F, format jsonl.Format, lines [][]byte, more []string) {
	for _, line := range lines {
		f.Add(line)
	}
	for _, line := range more {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		was := bytes.Clone(line)
		mine := schema.Event{EventID: "mine"}
		got, said, err := jsonl.NewDecoder(auditSource(format)).Append([]schema.Event{mine}, line, 5, received())
		if !bytes.Equal(was, line) {
			t.Fatal("the line was changed")
		}
		if diff := cmp.Diff(mine, got[0]); diff != "" {
			t.Fatal(diff)
		}
		if err != nil {
			if fault := (*jsonl.LineError)(nil); !errors.As(err, &fault) || fault.Column < 0 || fault.Column > len(line)+1 || len(got) != 1 {
				t.Fatalf("%v, %d events", err, len(got)-1)
			}
			return
		}
		if events := got[1:]; !said.Skipped {
			if len(events) == 0 || said.Kind == "" {
				t.Fatalf("%+v and no event", said)
			}
			checkValid(t, events)
			checkLeaves(t, line, events)
			checkLine(t, format, line, 5, events)
		}
	})
}

func checkValid(t testing.TB, events []schema.Event) {
	t.Helper()
	for i := range events {
		if err := events[i].Validate(); err != nil {
			t.Fatalf("%v: %s", err, events[i].AppendJSON(nil))
		}
		line := events[i].AppendJSON(nil)
		again, err := schema.Decode(line)
		if err != nil || !bytes.Equal(again.AppendJSON(nil), line) {
			t.Fatalf("%v: %s", err, line)
		}
	}
}

// checkLeaves fails where a value of the line is in none of its events. Times are other
// texts there, and of members with one name the last counts.
func checkLeaves(t testing.TB, line []byte, events []schema.Event) {
	t.Helper()
	told := map[string]bool{}
	for i := range events {
		leaves(parsed(t, events[i].AppendJSON(nil)), func(leaf string) { told[leaf] = true })
	}
	leaves(parsed(t, line), func(leaf string) {
		text, isText := strings.CutPrefix(leaf, "string ")
		if at, ok := parsedTime(text); isText && ok && told["string "+at] {
			return
		}
		if number, ok := strings.CutPrefix(leaf, "json.Number "); ok && told["string "+number] {
			return // the id of a run
		}
		if !told[leaf] {
			t.Fatalf("%q is lost of %s", leaf, line)
		}
	})
}

// leaves calls leaf with each value of v that is neither null nor a container, "" nor a
// default that is left out.
func leaves(v any, leaf func(string)) {
	switch v := v.(type) {
	case nil:
	case []any:
		for _, e := range v {
			leaves(e, leaf)
		}
	case map[string]any:
		for _, e := range v {
			leaves(e, leaf)
		}
	case string:
		if v != "" {
			leaf("string " + v)
		}
	case json.Number, bool:
		leaf(fmt.Sprintf("%T %v", v, v))
	}
}

func parsedTime(text string) (string, bool) {
	events, _, err := jsonl.NewDecoder(auditSource(jsonl.Audit)).Append(nil, fmt.Appendf(nil, `{"type":"user_input","timestamp":%s}`, schema.AppendString(nil, text)), 2, received())
	if err != nil {
		return "", false
	}
	return schema.FormatTime(events[0].Timestamp), true
}
