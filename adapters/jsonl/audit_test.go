package jsonl_test

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/actiongraph/actiongraph/adapters/jsonl"
	"github.com/actiongraph/actiongraph/schema"
)

var updateAudit = flag.Bool("update-audit", false, "write the golden files of audit dumps and TraceEvents")

// dump is a file of testdata, its lines without their newlines.
func dump(t testing.TB, name string) (path string, lines [][]byte) {
	t.Helper()
	path = filepath.Join("testdata", name)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return path, bytes.Split(bytes.TrimSuffix(data, []byte("\n")), []byte("\n"))
}

func received() time.Time { return time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC) }

func auditSource(format jsonl.Format) jsonl.Source {
	return jsonl.Source{
		Format: format, Session: "trace-260301_101500-0a1b2c3d", Origin: schema.OriginAudit,
		Title: "trace-260301_101500", Path: "/logs/trace-260301_101500.jsonl", Host: "laptop", User: "ada", HashKey: []byte("key"),
	}
}

// decode decodes one line, which has to be right, as the first of its file.
func decode(t testing.TB, format jsonl.Format, line string, n int64) ([]schema.Event, jsonl.Line) {
	t.Helper()
	return inOrder(t, format)(line, n)
}

// inOrder returns what decodes the lines of one file, one after the other.
func inOrder(t testing.TB, format jsonl.Format) func(line string, n int64) ([]schema.Event, jsonl.Line) {
	d, order := jsonl.NewDecoder(auditSource(format)), jsonl.NewOrder(auditSource(format))
	return func(line string, n int64) ([]schema.Event, jsonl.Line) {
		t.Helper()
		d.Before = order.Next([]byte(line))
		return decoded(t, d, line, n)
	}
}

func decoded(t testing.TB, d *jsonl.Decoder, line string, n int64) ([]schema.Event, jsonl.Line) {
	t.Helper()
	events, said, err := d.Append(nil, []byte(line), n, received())
	if err != nil {
		t.Fatalf("%v: %s", err, line)
	}
	for i := range events {
		if err := events[i].Validate(); err != nil {
			t.Fatalf("%v: %s", err, events[i].AppendJSON(nil))
		}
	}
	return events, said
}

// golden compares the events of a file's lines with those that were read and found right.
func golden(t *testing.T, format jsonl.Format, name string, check func(t testing.TB, line []byte, events []schema.Event)) {
	path, lines := dump(t, name)
	var got []byte
	next := inOrder(t, format)
	for i, line := range lines {
		events, said := next(string(line), int64(i+1))
		got = append(got, "# "+said.Kind+"\n"...)
		for _, e := range events {
			got = append(e.AppendJSON(got), '\n')
		}
		check(t, line, events)
	}
	path = strings.TrimSuffix(path, ".jsonl") + ".golden"
	if *updateAudit {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(string(got), "\n")); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

func TestAuditDump(t *testing.T) {
	golden(t, jsonl.Audit, "audit/trace-260301_101500.jsonl", checkRecord)
}

// TestAuditDumpCounts holds the golden against what a count of the dump by other means
// (jq) says.
func TestAuditDumpCounts(t *testing.T) {
	_, lines := dump(t, "audit/trace-260301_101500.jsonl")
	kinds, types := map[string]int{}, map[schema.Type]int{}
	ids := map[string]bool{}
	for i, line := range lines {
		events, said := decode(t, jsonl.Audit, string(line), int64(i+1))
		kinds[said.Kind]++
		for _, e := range events {
			types[e.EventType]++
			if ids[e.EventID] {
				t.Errorf("line %d: id %s twice", i+1, e.EventID)
			}
			ids[e.EventID] = true
		}
	}
	wantKinds := map[string]int{"agent_call": 40, "user_output": 29, "user_input": 20, "permission_request": 15, "memory_operation": 14}
	if diff := cmp.Diff(wantKinds, kinds); diff != "" {
		t.Error(diff)
	}
	wantTypes := map[schema.Type]int{
		schema.SessionUpdate: 1, schema.AgentStart: 40, schema.AgentEnd: 40, schema.LLMStart: 36, schema.LLMEnd: 40,
		// 29 + 20 of the host, a system and a user prompt an agent, an answer for each of 11 respond decisions.
		schema.Message: 29 + 20 + 2*40 + 11, schema.Permission: 15, schema.Memory: 14, schema.Decision: 37,
		// 15 call_tool decisions, 5 skills; 15 results of tools and 3 callbacks noted as events.
		schema.ToolStart: 15 + 5, schema.Skill: 5, schema.Callback: 3, schema.Context: 15 + 3, schema.Error: 3,
	}
	if diff := cmp.Diff(wantTypes, types); diff != "" {
		t.Error(diff)
	}
}

func TestSessionID(t *testing.T) {
	a := jsonl.SessionID("trace-260301_101500", []byte(`{"type":"user_input"}`))
	if b := jsonl.SessionID("trace-260301_101500", []byte(`{"type":"user_output"}`)); a == b {
		t.Errorf("two dumps of one second are one session: %s", a)
	}
	if !strings.HasPrefix(a, "trace-260301_101500-") || len(a) != len("trace-260301_101500-")+8 {
		t.Errorf("%s: want the stem and eight digits", a)
	}
	for _, stem := range []string{"", "../../etc/passwd", "a b", strings.Repeat("x", 500), "日本", "a\x00b"} {
		if id := jsonl.SessionID(stem, nil); !schema.ValidID(id) {
			t.Errorf("%q: %q is no id", stem, id)
		}
	}
}

// callLine is an agent call with these members beside a time and its run.
func callLine(members string) string {
	return `{"timestamp":"2026-03-01T10:00:00+01:00","run_id":"r"` + members + `}`
}

func TestAuditFaults(t *testing.T) {
	for _, c := range []struct{ line, want string }{
		{``, `column 0: `},
		{`{"run_id":"r"`, "column 13: not valid JSON: unexpected end of JSON input"},
		{`{"run_id":"r"}}`, "column 15: not valid JSON: invalid character '}' after top-level value"},
		{`["run_id"]`, "column 1: want a JSON object, got an array"},
		{` 5`, "column 2: want a JSON object, got a number"},
		{`{"type":7}`, "column 9: type: want a string, got a number"},
		{`{}`, "column 1: run_id: missing: an agent call has one"},
		{`{"run_id":""}`, "column 11: run_id: missing: an agent call has one"},
		{`{"run_id":{}}`, "column 11: run_id: want a string or a number, got an object"},
		{`{"run_id":true}`, "column 11: run_id: want a string or a number, got a boolean"},
		{`{"run_id":"r","timestamp":1772355703}`, `column 27: timestamp: want an RFC 3339 time of 1970 to 2261, as datetime.isoformat() writes it, got 1772355703`},
		{`{"run_id":"r","timestamp":"soon"}`, `column 27: timestamp: want an RFC 3339 time of 1970 to 2261, as datetime.isoformat() writes it, got "soon"`},
		{`{"run_id":"r","timestamp":"1969-12-31T23:59:59Z"}`, `column 27: timestamp: want an RFC 3339 time of 1970 to 2261, as datetime.isoformat() writes it, got "1969-12-31T23:59:59Z"`},
		{callLine(`,"caller_id":[]`), "column 67: caller_id: want a string or a number, got an array"},
		{callLine(`,"system_prompt":5`), "column 71: system_prompt: want a string, got a number"},
		{callLine(`,"user_prompt_sources":"user"`), "column 77: user_prompt_sources: want an array, got a string"},
		{callLine(`,"agent_decision":"respond"`), "column 72: agent_decision: want an object, got a string"},
		{callLine(`,"agent_decision":{"kind":"respond","message":1}`), "column 100: agent_decision.message: want a string, got a number"},
		{callLine(`,"callbacks":{}`), "column 67: callbacks: want an array, got an object"},
		{callLine(`,"callbacks":[{"prompt":"p"},7]`), "column 83: callbacks[1]: want an object, got a number"},
		{callLine(`,"callbacks":[{"prompt":[]}]`), "column 78: callbacks[0].prompt: want a string, got an array"},
		{callLine(`,"callbacks":[{"timestamp":"x"}]`), `column 81: callbacks[0].timestamp: want an RFC 3339 time of 1970 to 2261, as datetime.isoformat() writes it, got "x"`},
		{callLine(`,"skill_invocations":[null]`), "column 76: skill_invocations[0]: want an object, got null"},
		{callLine(`,"skill_invocations":[{"skill_name":{}}]`), "column 90: skill_invocations[0].skill_name: want a string, got an object"},
		{callLine(`,"events":7`), "column 64: events: want an array, got a number"},
		{`{"type":"user_output","text":[1]}`, "column 30: text: want a string, got an array"},
		{`{"type":"user_input","response":false}`, "column 33: response: want a string, got a boolean"},
		{`{"type":"permission_request","allowed":"yes"}`, "column 40: allowed: want true or false, got a string"},
		{`{"type":"memory_operation","title":{}}`, "column 36: title: want a string, got an object"},
	} {
		was := make([]schema.Event, 1, 64)
		was[0].EventID = "mine"
		got, said, err := jsonl.NewDecoder(auditSource(jsonl.Audit)).Append(was, []byte(c.line), 1, received())
		fault := (*jsonl.LineError)(nil)
		if !errors.As(err, &fault) || fault.Item != -1 {
			t.Errorf("%s: %v, want a *LineError of no item", c.line, err)
			continue
		}
		if c.line != "" && err.Error() != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.line, err, c.want)
		}
		if diff := cmp.Diff(jsonl.Line{}, said); diff != "" || len(got) != 1 || got[0].EventID != "mine" {
			t.Errorf("%s: dst is not as it was: %d events %s", c.line, len(got), diff)
		}
	}
}

func TestAuditTimes(t *testing.T) {
	for text, want := range map[string]string{
		"2026-03-01T10:15:01.547000+01:00":    "2026-03-01T09:15:01.547000000Z",
		"2026-03-01T10:15:01-08:00":           "2026-03-01T18:15:01.000000000Z",
		"2026-03-01T10:15:01.5Z":              "2026-03-01T10:15:01.500000000Z",
		"2026-03-01T10:15:01.000001+05:45":    "2026-03-01T04:30:01.000001000Z",
		"2026-03-01T10:15:01.547000":          "2026-03-01T10:15:01.547000000Z", // naive: UTC
		"2026-03-01 10:15:01.547000+01:00":    "2026-03-01T09:15:01.547000000Z",
		"2026-03-01 10:15:01":                 "2026-03-01T10:15:01.000000000Z",
		"2026-03-01T10:15:01+0100":            "2026-03-01T09:15:01.000000000Z",
		"1970-01-02T00:00:00.25+00:00:30":     "1970-01-01T23:59:30.250000000Z", // an offset of before there were time zones
		"2026-03-01T10:15:01.123456789+01:00": "2026-03-01T09:15:01.123456789Z",
	} {
		events, _ := decode(t, jsonl.Audit, `{"type":"user_input","timestamp":"`+text+`","response":"x"}`, 2)
		if got := schema.FormatTime(events[0].Timestamp); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

func TestAuditCaller(t *testing.T) {
	for _, c := range []struct{ members, want string }{
		{`"run_id":"run-2","caller_id":"run-1","agent_name":"search"`, "run-1"},
		{`"run_id":"run-2","caller_id":"planner","agent_name":"search"`, "planner"},
		{`"run_id":"run-2","caller_id":7,"agent_name":"search"`, "7"},
		{`"run_id":"run-2","caller_id":null,"agent_name":"search"`, ""},
		{`"run_id":"run-2"`, ""},
		{`"run_id":"s.p1.planner","caller_id":"host","agent_name":"planner"`, ""},
		{`"run_id":"s.p1.planner.search","caller_id":"planner","agent_name":"search"`, "s.p1.planner"},
		{`"run_id":"s.p1.a.b.search.v2","caller_id":"a.b","agent_name":"search.v2"`, "s.p1.a.b"},
		{`"run_id":"s.p2.planner.first","caller_id":"planner","agent_name":"search"`, "s.p2.planner"}, // call_subagents: output_key
		{`"run_id":"s.p2.planner.a.b","caller_id":"planner","agent_name":null`, "s.p2.planner"},
		{`"run_id":"s.p1.planner.planner","caller_id":"planner","agent_name":"planner"`, "s.p1.planner"},
		{`"run_id":"s.p1.planner.planner.x","caller_id":"planner","agent_name":"planner"`, "s.p1.planner.planner"},
		{`"run_id":"s.p1.root.key.search","caller_id":"planner","agent_name":"search"`, "planner"}, // of one of a batch
		{`"run_id":"s.p1.planner","caller_id":"planner","agent_name":"planner"`, "planner"},
		{`"run_id":"planner.search","caller_id":"planner","agent_name":"search"`, "planner"},
		{`"run_id":"s.p1.myplanner.search","caller_id":"planner","agent_name":"search"`, "planner"},
	} {
		events, _ := decode(t, jsonl.Audit, "{"+c.members+"}", 2)
		if got := events[0].ParentAgentName; got != c.want {
			t.Errorf("%s: caller %q, want %q", c.members, got, c.want)
		}
	}
}

// TestAuditLongLists: a list without end neither becomes events without end nor is lost.
func TestAuditLongLists(t *testing.T) {
	for _, list := range []string{"callbacks", "skill_invocations", "events"} {
		line := `{"run_id":"r","` + list + `":[` + strings.Repeat(`{ "x":1}, `, 20_000) + `{"x":"last"}]}`
		events, _ := decode(t, jsonl.Audit, line, 3)
		if len(events) > 10_100 {
			t.Errorf("%s: %d events", list, len(events))
		}
		end := events[len(events)-2]
		var kept int
		for v := range schema.Elements(schema.Field(end.Extra, list)) {
			if kept++; kept == 15_001 && string(v) != `{"x":"last"}` {
				t.Errorf("%s: the last is %s", list, v)
			}
		}
		if end.EventType != schema.Context || end.Title != list || kept != 15_001 {
			t.Errorf("%s: %d are kept in %s", list, kept, end.EventType)
		}
	}
}

// TestAuditDecision: what a decision led to, by its kind.
func TestAuditDecision(t *testing.T) {
	for _, c := range []struct{ decision, want string }{
		{`{"kind":"respond","message":"m","response":"r","skill_name":"s"}`, "message assistant r"},
		{`{"kind":"respond","message":"m","response":null}`, "message assistant m"},
		{`{"kind":"respond","message":"m","response":""}`, "message assistant m"},
		{`{"kind":"final_message","message":"m","response":{"x":1}}`, "message assistant m"},
		{`{"kind":"final_message","message":"","response":{"x":1}}`, `message assistant {"x":1}`},
		{`{"kind":"respond","message":"","response":null}`, ""},
		{`{"kind":"call_tool","tool_name":"t","parameters":{"a":1},"message":"m"}`, `tool_start t {"a":1}`},
		{`{"kind":"call_tool","tool_name":"t","parameters":null}`, "tool_start t "},
		{`{"kind":"call_tool","tool_name":"","parameters":{}}`, ""},
		{`{"kind":"delegate","subagent_id":"a","message":"m"}`, ""},
		{`{"kind":"callback","callback_intent":"ask_user"}`, ""},
		{`{"kind":"invoke_skill","skill_name":"s"}`, ""},
		{`{"kind":"submit_plan","parameters":{"plan":[]}}`, ""},
		{`{}`, ""},
	} {
		events, _ := decode(t, jsonl.Audit, `{"run_id":"r","agent_decision":`+c.decision+`}`, 2)
		var decision, led schema.Event
		for _, e := range events {
			switch {
			case e.EventType == schema.Decision:
				decision = e
			case e.CausedBy != "":
				led = e
			}
		}
		got := ""
		if led.EventType == schema.Message {
			got = "message " + led.Role + " " + led.Content
		} else if led.EventType != "" {
			got = string(led.EventType) + " " + led.ToolName + " " + string(led.ToolInput)
		}
		if got != c.want || got != "" && led.CausedBy != decision.EventID {
			t.Errorf("%s led to %q, want %q", c.decision, got, c.want)
		}
	}
}
