package jsonl_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/actiongraph/actiongraph/adapters/jsonl"
	"github.com/actiongraph/actiongraph/schema"
)

// written writes a value as json.dumps of Python or of Go does.
func written(t *rapid.T, v any) []byte {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(rapid.Bool().Draw(t, "escape html"))
	if err := enc.Encode(v); err != nil {
		t.Fatal(err)
	}
	line := bytes.TrimSpace(buf.Bytes())
	if rapid.Bool().Draw(t, "python") {
		line = spaced(line)
	}
	return line
}

// spaced puts a space behind commas and colons, as json.dumps does.
func spaced(line []byte) (out []byte) {
	for i := 0; i < len(line); i++ {
		if line[i] == '"' {
			end, _ := schema.ValueEnd(line[i:])
			out = append(out, line[i:i+end]...)
			i += end - 1
			continue
		}
		if out = append(out, line[i]); line[i] == ',' || line[i] == ':' {
			out = append(out, ' ')
		}
	}
	return out
}

// someText has no empty one: that a typed field is "" is in extra, and tested for itself.
func someText() *rapid.Generator[string] {
	return rapid.OneOf(rapid.StringN(1, 20, -1), rapid.SampledFrom([]string{"a", "back\\slash \"quoted\"", "tab\tnewline\n", "日本語 résumé 🙂", "\x00\x1f\u2028", "null", "../../etc/passwd"}))
}

func anyText() *rapid.Generator[string] { return rapid.OneOf(someText(), rapid.Just("")) }

// anyJSON is any JSON value, a few levels deep.
func anyJSON(depth int) *rapid.Generator[any] {
	return rapid.Custom(func(t *rapid.T) any {
		switch rapid.IntRange(0, 5+min(depth, 1)*2).Draw(t, "what") {
		case 0:
			return nil
		case 1:
			return rapid.Bool().Draw(t, "bool")
		case 2:
			return rapid.Int64().Draw(t, "int")
		case 3:
			return json.Number(rapid.SampledFrom([]string{"1e999", "-0", "0.1", "123456789012345678901234567890", "1E+2"}).Draw(t, "number"))
		case 4, 5:
			return anyText().Draw(t, "text")
		case 6:
			return rapid.SliceOfN(anyJSON(depth-1), 0, 3).Draw(t, "list")
		}
		return rapid.MapOfN(someText(), anyJSON(depth-1), 0, 3).Draw(t, "object")
	})
}

func aTime() *rapid.Generator[any] {
	return rapid.Map(rapid.IntRange(0, 1<<30), func(n int) any {
		return fmt.Sprintf("20%02d-%02d-%02dT%02d:%02d:%02d.%06d%s", 10+n%80, 1+n%12, 1+n%28, n%24, n/7%60, n/11%60, n%1000000, []string{"+01:00", "Z", "-11:30"}[n%3])
	})
}

// fill gives a record its fields: each is there or not, null or what its generator says.
func fill(t *rapid.T, r map[string]any, fields map[string]*rapid.Generator[any]) {
	for _, name := range sortedKeys(fields) {
		switch rapid.IntRange(0, 5).Draw(t, name+" there") {
		case 0:
		case 1:
			r[name] = nil
		default:
			r[name] = fields[name].Draw(t, name)
		}
	}
	for i := range rapid.IntRange(0, 2).Draw(t, "unknown fields") {
		r[fmt.Sprintf("future_%d", i)] = anyJSON(2).Draw(t, "future")
	}
}

func sortedKeys(m map[string]*rapid.Generator[any]) (keys []string) {
	for k := range m {
		keys = append(keys, k)
	}
	return sorted(keys)
}

func sorted(names []string) []string {
	slices.Sort(names)
	return names
}

func aRecord() *rapid.Generator[map[string]any] {
	text, list := anyText().AsAny(), rapid.SliceOfN(anyText().AsAny(), 0, 3).AsAny()
	object := rapid.MapOfN(someText(), anyJSON(2), 0, 3).AsAny()
	id := rapid.OneOf(someText().AsAny(), rapid.Int().AsAny(), rapid.Just(any(strings.Repeat("long-", 40))))
	part := func(fields map[string]*rapid.Generator[any]) *rapid.Generator[any] {
		return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) any {
			r := map[string]any{}
			fill(t, r, fields)
			return r
		}), 0, 3).AsAny()
	}
	call := map[string]*rapid.Generator[any]{
		"timestamp": aTime(), "caller_id": id, "agent_name": rapid.OneOf(text, id),
		"system_prompt": text, "system_prompt_sources": list, "user_prompt": text, "user_prompt_sources": list,
		"llm_message_sent": anyJSON(2), "llm_message_received": rapid.OneOf(text, anyJSON(2)), "model_response": anyJSON(2),
		"agent_decision": rapid.Custom(func(t *rapid.T) any {
			r := map[string]any{}
			fill(t, r, map[string]*rapid.Generator[any]{
				"kind":    rapid.SampledFrom([]any{"respond", "final_message", "call_tool", "delegate", "callback", "invoke_skill", "submit_plan", ""}),
				"message": text, "response": rapid.OneOf(text, object), "parameters": anyJSON(2), "subagent_id": rapid.OneOf(text, id),
				"tool_name": text, "callback_intent": anyJSON(1), "skill_name": text,
			})
			return r
		}),
		"callbacks": part(map[string]*rapid.Generator[any]{"timestamp": aTime(), "intent": text, "prompt": text, "target": anyJSON(1), "response": text}),
		"skill_invocations": part(map[string]*rapid.Generator[any]{
			"timestamp": aTime(), "skill_name": text, "parameters": anyJSON(2), "inventory": list, "status": text, "loaded_resources": list,
		}),
		"events": rapid.SliceOfN(rapid.OneOf(object, rapid.Just(any(map[string]any{"name": "llm.error", "error": "timeout"})), rapid.Just(any(7))), 0, 3).AsAny(),
	}
	typed := map[string]map[string]*rapid.Generator[any]{
		"user_output":        {"timestamp": aTime(), "role": rapid.OneOf(rapid.SampledFrom([]any{"assistant", "system", "user", "tool"}), text), "text": text},
		"user_input":         {"timestamp": aTime(), "prompt": anyJSON(1), "response": text},
		"permission_request": {"timestamp": aTime(), "tool_name": text, "action": text, "resource": anyJSON(1), "summary": text, "allowed": rapid.Bool().AsAny(), "remember_for_session": anyJSON(1)},
		"memory_operation":   {"timestamp": aTime(), "operation": text, "memory_uri": anyJSON(1), "title": text, "summary": text, "size_bytes": anyJSON(1), "metadata": anyJSON(2)},
		"a_kind_of_tomorrow": {"timestamp": rapid.OneOf(aTime(), anyJSON(1)), "x": anyJSON(2)},
	}
	return rapid.Custom(func(t *rapid.T) map[string]any {
		r := map[string]any{}
		kind := rapid.SampledFrom([]string{"", "", "", "user_output", "user_input", "permission_request", "memory_operation", "a_kind_of_tomorrow"}).Draw(t, "type")
		if kind == "" {
			r["run_id"] = id.Draw(t, "run_id")
			fill(t, r, call)
			return r
		}
		r["type"] = kind
		fill(t, r, typed[kind])
		return r
	})
}

// TestAuditGivesBack: typed fields and extra of the events of a line give back all of it.
func TestAuditGivesBack(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		line := written(rt, aRecord().Draw(rt, "record"))
		n := rapid.Int64Range(1, 1<<40).Draw(rt, "line")
		events, said := decode(t, jsonl.Audit, string(line), n)
		checkRecord(t, line, events)
		if said.Skipped || said.Unknown != (events[0].EventType == schema.Unknown) {
			rt.Fatalf("%+v of %s", said, line)
		}
		checkLine(t, jsonl.Audit, line, n, events)
	})
}

// checkLine holds what is so of every line that decodes: the same bytes give the same
// events, their ids do not depend on where the line is, none of which are two, and nothing
// of the line is kept.
func checkLine(t testing.TB, format jsonl.Format, line []byte, n int64, events []schema.Event) {
	t.Helper()
	mine := bytes.Clone(line)
	again, _, err := jsonl.NewDecoder(auditSource(format)).Append(nil, mine, n, received())
	if err != nil {
		t.Fatal(err)
	}
	for i := range mine {
		mine[i] = '#'
	}
	if diff := cmp.Diff(events, again); diff != "" {
		t.Fatalf("the events depend on more than the line, or alias it:\n%s", diff)
	}
	elsewhere, _, _ := jsonl.NewDecoder(auditSource(format)).Append(nil, line, n+1, received())
	ids := map[string]bool{}
	for i, e := range events {
		if ids[e.EventID] {
			t.Fatalf("id twice: %s", e.AppendJSON(nil))
		}
		ids[e.EventID] = true
		if e.Seq < n*1000 || e.Seq > n*1000+999 || i < len(elsewhere) && elsewhere[i].EventType != schema.SessionUpdate && elsewhere[i].EventID != e.EventID {
			t.Fatalf("line %d: %s", n, e.AppendJSON(nil))
		}
	}
}
