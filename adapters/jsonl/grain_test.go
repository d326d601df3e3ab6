package jsonl_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/actiongraph/actiongraph/adapters/jsonl"
	"github.com/actiongraph/actiongraph/schema"
)

// grain parses a grain that is right.
func grain(t testing.TB, raw string) jsonl.Grain {
	t.Helper()
	g, err := jsonl.ParseGrain([]byte(raw))
	if err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	return g
}

// TestOneGrainManyWritings: each group says one thing, and no two groups say the same.
func TestOneGrainManyWritings(t *testing.T) {
	groups := [][]string{
		{
			`{"tool_name":"t","input":{"a":1,"b":[2,"é"]},"content":"c","duration_ms":340,"namespace":"n"}`,
			"{ \"namespace\" : \"n\",\n\t\"content\":\"\\u0063\", \"duration_ms\":3.4e2, \"input\":{ \"b\":[ 2 , \"\\u00e9\" ], \"a\":1.0 } , \"tool_name\":\"t\" }",
			`{"tool_name":"t","arguments":{"a":1,"b":[2,"é"]},"result":"c","success":true,"duration_ms":340,"namespace":"n"}`,
			`{"type":"action","tool_name":"t","input":{"a":1,"b":[2,"é"]},"content":"c","duration_ms":340.0,"namespace":"n","error":null,"tags":[],"is_error":false,"related_to":[]}`,
			`{"grain_type":"action","fields":{"tool_name":"t","input":{"a":1,"b":[2,"é"]},"content":"c","duration_ms":340,"namespace":"n"}}`,
			`{"fields":{"tool_name":"t","input":{"a":1,"b":[2,"é"]},"content":"c","duration_ms":340},"namespace":"n","grain_type":"tool_call"}`,
			`{"grain_type":"action","fields":{"type":"ToolCall","tool_name":"t","input":{"a":1,"b":[2,"é"]},"content":"c","duration_ms":340,"namespace":"n"}}`,
			`{"grain_type":"ToolCall","fields":{"tool_name":"t","arguments":{"b":[2,"é"],"a":1},"result":"c","duration_ms":340,"namespace":"n"}}`,
		},
		{`{"tool_name":"t"}`, `{"tool_name":"t","namespace":"default"}`, `{"tool_name":"t","success":true,"content":""}`, `{"tool_name":"t","x":null}`},
		{`{"tool_name":"t","is_error":true}`, `{"tool_name":"t","success":false}`},
		{`{"tool_name":"t","namespace":"other"}`},
		{`{"tool_name":"t","input":{}}`},
		{`{"tool_name":"t","input":{"a":null}}`},
		{`{"tool_name":"t","input":{"a":9007199254740993}}`},
		{`{"tool_name":"t","input":{"a":9007199254740992}}`},
		{`{"tool_name":"t","input":{"a":"1"}}`},
		{`{"tool_name":"t","content":"null"}`},
		{`{"tool_name":"t","content":{"a":1}}`, `{"tool_name":"t","content":"{\"a\":1}"}`},
		{`{"tool_name":"t","created_at":1739980800000}`, `{"tool_name":"t","created_at":"2025-02-19T16:00:00Z"}`, `{"tool_name":"t","created_at":"2025-02-19T17:00:00.000+01:00"}`},
		{`{"tool_name":"t","created_at":"2025-02-19T16:00:00.0001Z"}`},
		{`{"tool_name":"t","duration_ms":0}`, `{"tool_name":"t","duration_ms":-0.0}`},
		{`{"tool_name":"t","tags":["a","b"]}`, `{"tool_name":"t","structural_tags":["a","b"]}`},
		{`{"tool_name":"t","tags":["b","a"]}`},
		{`{"tool_name":"t","related_to":["ab"]}`},
		{`{"tool_name":"t","related_to":[{"hash":"ab","relation_type":"follows"}]}`},
		{`{"tool_name":"t","fields":{"a":1}}`},
		{`{"tool_name":"t","importance":0.5}`, `{"importance":5e-1,"tool_name":"t"}`},
	}
	seen := map[string]string{}
	for _, group := range groups {
		first := grain(t, group[0])
		if other := seen[first.Hash()]; other != "" {
			t.Errorf("%s\nhas the hash of %s", group[0], other)
		}
		seen[first.Hash()] = group[0]
		for _, text := range group {
			g := grain(t, text)
			if g.Hash() != first.Hash() {
				t.Errorf("%s\nis not %s", text, group[0])
			}
			if err := g.Validate(); err != nil {
				t.Errorf("%s: %v", text, err)
			}
		}
	}
}

func TestGrainEvents(t *testing.T) {
	src := jsonl.Source{Format: jsonl.OMS, Origin: schema.OriginAudit, Host: "h", User: "u"}
	line := `{"tool_name":"web_search","input":{"query":"tokyo"},"content":"72F","is_error":true,"error":"stale","duration_ms":340.5,"parent_task_id":"task-001",` +
		`"tags":["api-call"],"related_to":["ab"],"namespace":"weather/tokyo","confidence":0.9,"output_schema":{"type":"string"},"created_at":1739980800123,"importance":0.5}`
	events, l, err := jsonl.NewDecoder(src).Append(nil, []byte(line), 7, time.Unix(5, 0))
	if err != nil || len(events) != 2 || l.Kind != "action" || l.Unknown || l.Skipped {
		t.Fatal(events, l, err)
	}
	g := grain(t, line)
	at, duration := time.Date(2025, 2, 19, 16, 0, 0, 123e6, time.UTC), 340.5
	call := schema.Event{
		V: 1, EventID: schema.EventID(schema.OriginAudit, "grain_call", g.Hash()), EventType: schema.ToolStart,
		SessionID: schema.SafeID("ns-weather/tokyo"), Timestamp: at, SourceSDK: "oms", Origin: schema.OriginAudit, HookEventName: "action",
		Seq: 7001, Actor: schema.ActorAgent, Host: "h", UserID: "u", ToolName: "web_search", ToolUseID: g.Hash(),
		ToolInput: json.RawMessage(`{"query":"tokyo"}`), ParentTaskID: "task-001", Tags: []string{"api-call"}, RelatedTo: []string{"ab"},
		Extra: json.RawMessage(`{"grain_type":"action","namespace":"weather/tokyo","confidence":0.9,"output_schema":{"type":"string"},"importance":0.5}`),
	}
	result := schema.Event{
		V: 1, EventID: schema.EventID(schema.OriginAudit, "grain_result", g.Hash()), EventType: schema.ToolEnd, SessionID: call.SessionID,
		Timestamp: at, SourceSDK: "oms", Origin: schema.OriginAudit, HookEventName: "action", Seq: 7002, Actor: schema.ActorAgent,
		CausedBy: call.EventID, Host: "h", UserID: "u", ToolName: "web_search", ToolUseID: g.Hash(), Result: json.RawMessage(`"72F"`),
		IsError: true, ErrorMessage: "stale", DurationMS: &duration,
	}
	if diff := cmp.Diff([]schema.Event{call, result}, events); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{g.Hash()}, l.Hashes); diff != "" {
		t.Error(diff)
	}
}

// TestGrainTime: created_at, else timestamp_ms, else the time it was received.
func TestGrainTime(t *testing.T) {
	received := time.Unix(5, 0).UTC()
	for text, want := range map[string]time.Time{
		`{"tool_name":"t"}`: received,
		`{"tool_name":"t","timestamp_ms":1739980800123}`:               time.UnixMilli(1739980800123).UTC(),
		`{"tool_name":"t","created_at":7000,"timestamp_ms":1}`:         time.Unix(7, 0).UTC(),
		`{"tool_name":"t","timestamp_ms":"soon"}`:                      received,
		`{"tool_name":"t","created_at":"2026-01-02 03:04:05.5+01:00"}`: time.Date(2026, 1, 2, 2, 4, 5, 5e8, time.UTC),
	} {
		g := grain(t, text)
		if e := g.AppendEvents(nil, &jsonl.Source{}, received)[0]; !e.Timestamp.Equal(want) || e.Origin != schema.OriginAPI {
			t.Errorf("%s: %v from %s, want %v", text, e.Timestamp, e.Origin, want)
		}
	}
}

func TestGrainFaults(t *testing.T) {
	for _, c := range []struct {
		line          string
		column, item  int
		field, reason string
	}{
		{`{}`, 1, -1, "tool_name", "missing"},
		{`{"tool_name":""}`, 1, -1, "tool_name", "missing"},
		{`{"tool_name":null,"content":"x"}`, 1, -1, "tool_name", "missing"},
		{`{"tool_name":5}`, 14, -1, "tool_name", "want a string, got a number"},
		{`{"tool_name":"t","input":"x"}`, 26, -1, "input", "want an object, got a string"},
		{`{"tool_name":"t","arguments":[1]}`, 30, -1, "arguments", "want an object, got an array"},
		{`{"tool_name":"t","input":{},"arguments":{}}`, 41, -1, "arguments", "input is the same field"},
		{`{"tool_name":"t","success":true,"is_error":true}`, 44, -1, "is_error", "success is the same field"},
		{`{"tool_name":"t","tool_name":"u"}`, 30, -1, "tool_name", "twice"},
		{`{"type":"belief","grain_type":"action","tool_name":"t"}`, 31, -1, "grain_type", `before it the type is "belief"`},
		{`{"grain_type":"action","fields":{"tool_name":"t","type":"belief"}}`, 57, -1, "type", `before it the type is "action"`},
		{`{"tool_name":"t","x":1,"x":1}`, 28, -1, "x", "twice"},
		{`{"grains":[{"tool_name":"t"}],"grains":[]}`, 40, -1, "grains", "twice"},
		{`{"fields":{"tool_name":"t"},"fields":{}}`, 38, -1, "fields", "twice"},
		{`{"tool_name":"t","is_error":"true"}`, 29, -1, "is_error", "want true or false, got a string"},
		{`{"tool_name":"t","success":0}`, 28, -1, "success", "want true or false, got a number"},
		{`{"tool_name":"t","error":{}}`, 26, -1, "error", "want a string"},
		{`{"tool_name":"t","duration_ms":-1}`, 32, -1, "duration_ms", "not negative, got -1"},
		{`{"tool_name":"t","duration_ms":"340"}`, 32, -1, "duration_ms", `got "340"`},
		{`{"tool_name":"t","duration_ms":1e999}`, 32, -1, "duration_ms", "got 1e999"},
		{`{"tool_name":"t","confidence":1.01}`, 31, -1, "confidence", "from 0 to 1"},
		{`{"tool_name":"t","output_schema":true}`, 34, -1, "output_schema", "want an object"},
		{`{"tool_name":"t","tags":"a"}`, 25, -1, "tags", "want a list"},
		{`{"tool_name":"t","tags":["a",1]}`, 30, -1, "tags[1]", "want a string"},
		{`{"tool_name":"t","tags":[""]}`, 26, -1, "tags[0]", "not empty"},
		{`{"tool_name":"t","related_to":"ab"}`, 31, -1, "related_to", "want a list of hashes"},
		{`{"tool_name":"t","related_to":[{}]}`, 32, -1, "related_to[0]", "want a grain's hash"},
		{`{"tool_name":"t","namespace":1}`, 30, -1, "namespace", "want a string"},
		{`{"tool_name":"t","created_at":"tomorrow"}`, 31, -1, "created_at", "want milliseconds"},
		{`{"tool_name":"t","created_at":99999999999999}`, 31, -1, "created_at", "until 2261"},
		{`{"tool_name":"t","created_at":1.5}`, 31, -1, "created_at", "want milliseconds"},
		{`{"grain_type":"belief","fields":{}}`, 1, -1, "grain_type", `"belief" is no action, and is kept only where unknown types are: import --keep-unknown`},
		{`{"grain_type":5,"fields":{}}`, 15, -1, "grain_type", "want a type"},
		{`{"grain_type":"action","fields":[]}`, 33, -1, "fields", "want an object"},
		{`{"tool_name":"t"`, 16, -1, "", "not valid JSON"},
		{`{"tool_name":"t"} {}`, 19, -1, "", "not valid JSON"},
		{`"x"`, 1, -1, "", "want a grain"},
		{`{"grains":{}}`, 11, -1, "grains", "want a list"},
		{`{"grains":[],"namespace":5}`, 26, -1, "namespace", "want a name"},
		{`{"grains":[],"mode":"fast"}`, 21, -1, "mode", "nothing that a batch has"},
		{`{"grains":[{"tool_name":"t"},5]}`, 30, 1, "", "want a grain, an object"},
		{`{"grains":[{"tool_name":"t"},{"grain_type":"goal","fields":{"tool_name":"t"}}]}`, 30, 1, "grain_type", "no action"},
		{`[{"tool_name":"t"},{"tool_name":"t"},{"tool_name":"t","input":3}]`, 63, 2, "input", "want an object"},
	} {
		dst := []schema.Event{{EventID: "before"}}
		got, _, err := jsonl.NewDecoder(jsonl.Source{Format: jsonl.OMS}).Append(dst, []byte(c.line), 1, time.Unix(1, 0))
		fault := (*jsonl.LineError)(nil)
		if !errors.As(err, &fault) || len(got) != 1 {
			t.Errorf("%s: error %v, %d events", c.line, err, len(got)-1)
			continue
		}
		if fault.Column != c.column || fault.Item != c.item || fault.Field != c.field || !strings.Contains(fault.Err.Error(), c.reason) {
			t.Errorf("%s: %v, want column %d, item %d, %s: %s", c.line, err, c.column, c.item, c.field, c.reason)
		}
	}
}

func TestGrainsOfOtherTypes(t *testing.T) {
	src := jsonl.Source{Format: jsonl.OMS, KeepUnknown: true, Namespace: "n"}
	line := `{"grains":[{"grain_type":"belief","fields":{"subject":"john","tool_name":5,"content":{"a":1},"namespace":"m"}},{"grain_type":"action","fields":{"tool_name":"t"}}]}`
	events, l, err := jsonl.NewDecoder(src).Append(nil, []byte(line), 1, time.Unix(1, 0))
	if err != nil || len(events) != 3 || l.Kind != "batch" || len(l.Hashes) != 2 {
		t.Fatal(events, l, err)
	}
	e := events[0]
	want := `{"grain_type":"belief","namespace":"m","hash":"` + l.Hashes[0] + `","subject":"john","tool_name":5,"content":{"a":1}}`
	if e.EventType != schema.Unknown || string(e.Extra) != want || e.SessionID != "ns-m" || e.ToolUseID != "" || e.HookEventName != "belief" {
		t.Errorf("%s\nwant extra %s", e.AppendJSON(nil), want)
	}
	if events[1].SessionID != "ns-n" || events[1].ToolUseID != l.Hashes[1] {
		t.Errorf("%s", events[1].AppendJSON(nil))
	}
	bare := `{"type":"belief","subject":"john","tool_name":5,"content":{"a":1},"namespace":"m"}`
	_, one, err := jsonl.NewDecoder(src).Append(nil, []byte(bare), 1, time.Unix(1, 0))
	if err != nil || !one.Unknown || one.Kind != "belief" || one.Hashes[0] != l.Hashes[0] {
		t.Error(one, err)
	}
}

// TestGrainPhases: a grain claims no more than its phase says was done.
func TestGrainPhases(t *testing.T) {
	for text, want := range map[string]string{
		`{"tool_name":"t","content":"c","tags":["a"]}`:                                                "tool_start tool_end",
		`{"tool_name":"t","content":"c","action_phase":"complete","error_type":"timeout"}`:            "tool_start tool_end timeout",
		`{"tool_name":"t","action_phase":"call","tags":["a"]}`:                                        "tool_start",
		`{"tool_name":"t","content":"c","tool_phase":"result","tags":["a"],"error_type":"timeout"}`:   "tool_end timeout",
		`{"tool_name":"t","action_phase":"definition","output_schema":{"type":"string"}}`:             "unknown",
		`{"grain_type":"action","fields":{"action_phase":"definition","tool_name":"t","tags":"..."}}`: "unknown",
	} {
		events, _, err := jsonl.NewDecoder(jsonl.Source{Format: jsonl.OMS, KeepUnknown: true}).Append(nil, []byte(text), 1, time.Unix(1, 0))
		if err != nil {
			t.Errorf("%s: %v", text, err)
		}
		got := ""
		for _, e := range events {
			got += " " + string(e.EventType) + strings.TrimRight(" "+e.ErrorType, " ")
			if err := e.Validate(); err != nil {
				t.Error(err)
			}
		}
		if got != " "+want {
			t.Errorf("%s:%s, want %s", text, got, want)
		}
	}
	_, err := jsonl.ParseGrain([]byte(`{"tool_name":"t","action_phase":"definition"}`))
	if err == nil || !strings.Contains(err.Error(), `"definition" is no action`) {
		t.Error(err)
	}
}

// TestNamespaces: what is a namespace is one at every door, and what is none at none.
func TestNamespaces(t *testing.T) {
	for name, why := range map[string]string{
		"a": "", "weather/tokyo": "", " two words ": "", "日本": "", strings.Repeat("n", 256): "",
		" \t\u3000": "empty", "a\nb": "control character", "a\x00": "control character", "\u0085b": "control character", "a\x7f": "control character",
		strings.Repeat("n", 257): "257 bytes", strings.Repeat("日", 86): "258 bytes",
	} {
		text, err := json.Marshal(name)
		if err != nil {
			t.Fatal(err)
		}
		_, ofGrain := jsonl.ParseBatch([]byte(`[{"tool_name":"t","namespace":`+string(text)+`}]`), &jsonl.Source{})
		_, ofBatch := jsonl.ParseBatch([]byte(`{"namespace":`+string(text)+`,"grains":[{"tool_name":"t"}]}`), &jsonl.Source{})
		valid := (&jsonl.Grain{ToolName: "t", Namespace: name}).Validate()
		for door, err := range map[string]error{"check": jsonl.CheckNamespace(name), "grain": ofGrain, "batch": ofBatch, "Validate": valid} {
			var bad *jsonl.LineError
			switch {
			case (err == nil) != (why == "") || err != nil && !strings.Contains(err.Error(), why):
				t.Errorf("%s of %.20q: %v, want %q", door, name, err, why)
			case err != nil && door != "check" && (!errors.As(err, &bad) || bad.Field != "namespace"):
				t.Errorf("%s of %.20q: %v does not name the field", door, name, err)
			}
		}
	}
	if jsonl.CheckNamespace("") == nil || jsonl.CheckNamespace("a\xff") == nil {
		t.Error("no name, or what is not UTF-8, is a namespace")
	}
	if err := (&jsonl.Grain{ToolName: "t", Namespace: "a\xff"}).Validate(); err == nil {
		t.Error("a grain is valid in a namespace that is not UTF-8")
	}
}

// TestBatchNamespace: the grain's own, else that beside the grains, else the source's. It
// is part of the hash.
func TestBatchNamespace(t *testing.T) {
	batch, err := jsonl.ParseBatch([]byte(`{"namespace":"b","grains":[{"tool_name":"t"},{"tool_name":"t","namespace":"own"}]}`), &jsonl.Source{Namespace: "s"})
	if err != nil || batch[0].Namespace != "b" || batch[1].Namespace != "own" {
		t.Fatal(batch, err)
	}
	other, err := jsonl.ParseBatch([]byte(`[{"tool_name":"t"}]`), &jsonl.Source{Namespace: "s"})
	if err != nil || other[0].Namespace != "s" || other[0].Hash() == batch[0].Hash() {
		t.Error(other, err)
	}
	if alone := grain(t, `{"tool_name":"t","namespace":"b"}`); alone.Hash() != batch[0].Hash() {
		t.Error("a namespace beside the grains is not one of the grain")
	}
}

func TestGrainValidate(t *testing.T) {
	half, most := 0.5, 1.5
	type faults = map[string][]jsonl.Grain // by the field that is wrong
	for field, grains := range (faults{
		"": {
			{ToolName: "t", Confidence: &half, Input: json.RawMessage(`{"a":1}`), Extra: json.RawMessage(`{"importance":1}`)},
			{GrainType: "ToolCall", ToolName: "t"}, {GrainType: "tool_call", ToolName: "t"}, {GrainType: "toolcall", ToolName: "t"}, {GrainType: "action", ToolName: "t"},
			{GrainType: "fact", Namespace: "n", Extra: json.RawMessage(`{"subject":"s","tool_name":"t","tags":5}`)},
			{ToolName: "t", Extra: json.RawMessage(`{"action_phase":"call"}`)},
		},
		"tool_name":     {{}, {GrainType: "ToolCall"}, {GrainType: "fact", ToolName: "t"}},
		"content":       {{GrainType: "fact", Content: "c"}},
		"confidence":    {{ToolName: "t", Confidence: &most}, {GrainType: "fact", Confidence: &half}},
		"duration_ms":   {{ToolName: "t", DurationMS: func() *float64 { f := -1.0; return &f }()}, {GrainType: "fact", DurationMS: &half}},
		"input":         {{ToolName: "t", Input: json.RawMessage(`[1]`)}, {GrainType: "fact", Input: json.RawMessage(`{}`)}},
		"output_schema": {{ToolName: "t", OutputSchema: json.RawMessage(`{`)}, {GrainType: "fact", OutputSchema: json.RawMessage(`{}`)}},
		"extra": {
			{ToolName: "t", Extra: json.RawMessage(`{"arguments":{}}`)}, {GrainType: "ToolCall", ToolName: "t", Extra: json.RawMessage(`{"tags":[]}`)},
			{ToolName: "t", Extra: json.RawMessage(`{"type":"fact"}`)},
		},
		"created_at": {{ToolName: "t", CreatedAt: time.Date(3000, 1, 1, 0, 0, 0, 0, time.UTC)}},
		"tags":       {{ToolName: "t", Tags: []string{""}}, {GrainType: "fact", Tags: []string{"a"}}},
		"related_to": {
			{GrainType: "fact", RelatedTo: []string{"a"}}, {ToolName: "t", Extra: json.RawMessage(`{"related_to":5}`)},
			{ToolName: "t", RelatedTo: []string{"a"}, Extra: json.RawMessage(`{"related_to":[{"hash":"b"}]}`)},
		},
		"is_error":       {{GrainType: "fact", IsError: true}},
		"error":          {{GrainType: "fact", Error: "e"}},
		"parent_task_id": {{GrainType: "fact", ParentTaskID: "p"}},
		"action_phase":   {{ToolName: "t", Extra: json.RawMessage(`{"action_phase":"definition"}`)}},
		"tool_phase":     {{ToolName: "t", Extra: json.RawMessage(`{"tool_phase":"definition"}`)}},
	}) {
		for _, g := range grains {
			err := g.Validate()
			fault := (*jsonl.LineError)(nil)
			if errors.As(err, &fault) != (field != "") || fault != nil && fault.Field != field {
				t.Errorf("%s: %+v: %v", field, g, err)
			}
		}
	}
}

// TestGrainTypeNames: a grain that is made in Go says the same by each name of its type.
func TestGrainTypeNames(t *testing.T) {
	plain := jsonl.Grain{ToolName: "x", Content: "y"}
	want := plain.AppendEvents(nil, &jsonl.Source{}, time.Unix(1, 0))
	for _, typ := range []string{"action", "tool_call", "toolcall", "ToolCall"} {
		g := jsonl.Grain{GrainType: typ, ToolName: "x", Content: "y"}
		if diff := cmp.Diff(want, g.AppendEvents(nil, &jsonl.Source{}, time.Unix(1, 0))); diff != "" || g.Hash() != plain.Hash() {
			t.Errorf("%s:\n%s", typ, diff)
		}
	}
}

func FuzzGrains(f *testing.F) {
	for _, s := range []string{
		`{"tool_name":"t","input":{"a":1.50,"b":[]},"content":"c","duration_ms":3}`, `{"grains":[{"grain_type":"action","fields":{"tool_name":"t"}},{"grain_type":"goal","fields":{"a":1}}],"namespace":"n"}`,
		`{"tool_name":"t","arguments":{},"result":{"x":1},"success":false,"created_at":1}`, "[{\"tool_name\":\"\xff\",\"x\xfe\":\"\xff\"}]", `{"tool_name":"t","related_to":[{"hash":"a"}],"timestamp_ms":5}`,
		strings.Repeat(`{"tool_name":"t","input":{"a":`, 1) + strings.Repeat(`[`, 200) + strings.Repeat(`]`, 200) + "}}", `{"type":"state","content":{},"context":{"a":"b"}}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		before := bytes.Clone(line)
		src := jsonl.Source{Format: jsonl.OMS, Origin: schema.OriginAudit, KeepUnknown: true}
		events, l, err := jsonl.NewDecoder(src).Append(nil, line, 1, time.Unix(1, 0))
		if !bytes.Equal(before, line) {
			t.Fatal("the line was changed")
		}
		if err != nil {
			checkFault(t, err, events, line)
			return
		}
		clear(line) // events alias nothing of it
		for _, e := range events {
			if err := e.Validate(); err != nil {
				t.Fatalf("%s: %v", e.AppendJSON(nil), err)
			}
		}
		batch, err := jsonl.ParseBatch(before, &src)
		if err != nil || len(batch) != len(l.Hashes) {
			t.Fatalf("ParseBatch: %d grains, %d hashes, %v", len(batch), len(l.Hashes), err)
		}
		for i, g := range batch {
			raw, _ := g.MarshalJSON()
			again, err := jsonl.ParseBatch(raw, &src)
			if err := g.Validate(); err != nil {
				t.Fatalf("%s: %v", raw, err)
			}
			if err != nil || again[0].Hash() != g.Hash() || g.Hash() != l.Hashes[i] {
				t.Fatalf("%s: %v", raw, err)
			}
		}
	})
}

// checkFault checks that what was refused left nothing, and says where it is wrong.
func checkFault(t *testing.T, err error, events []schema.Event, line []byte) {
	t.Helper()
	fault := (*jsonl.LineError)(nil)
	if !errors.As(err, &fault) || fault.Column < 0 || fault.Column > len(line)+1 || len(events) > 0 {
		t.Fatalf("%v, %d events", err, len(events))
	}
}
