package schema_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"pgregory.net/rapid"

	"github.com/actiongraph/actiongraph/schema"
)

type property struct {
	Type  string   `json:"type"`
	Enum  []string `json:"enum"`
	Items struct {
		Type string `json:"type"`
	} `json:"items"`
	AdditionalProperties struct {
		Type string `json:"type"`
	} `json:"additionalProperties"`
	Not *struct {
		Type string `json:"type"`
	} `json:"not"`
	Pattern     string `json:"pattern"`
	Description string `json:"description"`
}

// document reads event.schema.json, its properties in their order.
func document(t *testing.T) (names []string, properties map[string]property, required []string) {
	t.Helper()
	var doc struct {
		Schema     string              `json:"$schema"`
		Properties map[string]property `json:"properties"`
		Required   []string            `json:"required"`
	}
	if err := json.Unmarshal(schema.JSONSchema, &doc); err != nil {
		t.Fatal(err)
	}
	if doc.Schema != "https://json-schema.org/draft/2020-12/schema" {
		t.Errorf("$schema is %q", doc.Schema)
	}
	for name := range schema.Fields(schema.Field(schema.JSONSchema, "properties")) {
		names = append(names, name)
	}
	return names, doc.Properties, doc.Required
}

func TestJSONSchemaAndGoTypesAgree(t *testing.T) {
	names, properties, required := document(t)
	var tags, needed []string
	for _, f := range fields() {
		tags = append(tags, f.name)
		if !f.omitempty {
			needed = append(needed, f.name)
		}
		p := properties[f.name]
		got := strings.Join([]string{p.Type, p.Items.Type, p.AdditionalProperties.Type}, " ")
		if want := jsonType(t, f); got != want {
			t.Errorf("%s: the schema says %q, a %s is %q", f.name, got, f.typ, want)
		}
		if anyValue := f.name == "tool_input" || f.name == "result"; anyValue != (p.Not != nil && p.Not.Type == "null") {
			t.Errorf("%s: null must be refused where any value is allowed, and only there", f.name)
		}
		if p.Description == "" {
			t.Errorf("%s: no description", f.name)
		}
	}
	if diff := cmp.Diff(tags, names); diff != "" {
		t.Errorf("properties, in order (-Go +schema):\n%s", diff)
	}
	if diff := cmp.Diff(needed, required); diff != "" {
		t.Errorf("required (-Go +schema):\n%s", diff)
	}
	var types []string
	for _, typ := range schema.Types() {
		types = append(types, string(typ))
	}
	if diff := cmp.Diff(types, properties["event_type"].Enum); diff != "" {
		t.Errorf("event types (-Go +schema):\n%s", diff)
	}
	for _, id := range []string{"event_id", "session_id"} {
		if properties[id].Pattern != schema.IDPattern {
			t.Errorf("%s: pattern %q, want %q", id, properties[id].Pattern, schema.IDPattern)
		}
	}
}

// jsonType is "type, type of elements, type of members" of a field.
func jsonType(t *testing.T, f field) string {
	switch f.typ {
	case reflect.TypeFor[time.Time]():
		return "string  "
	case reflect.TypeFor[json.RawMessage]():
		if f.name == "metadata" || f.name == "extra" {
			return "object  "
		}
		return "  "
	case reflect.TypeFor[[]string]():
		return "array string "
	case reflect.TypeFor[map[string]int]():
		return "object  integer"
	case reflect.TypeFor[*float64]():
		return "number  "
	case reflect.TypeFor[*int64]():
		return "integer  "
	}
	switch f.typ.Kind() {
	case reflect.String:
		return "string  "
	case reflect.Int, reflect.Int64:
		return "integer  "
	case reflect.Bool:
		return "boolean  "
	}
	t.Fatalf("%s: no JSON type for a %s: extend the test", f.name, f.typ)
	return ""
}

// validator returns a function that holds one line against event.schema.json.
func validator(t testing.TB) func(line []byte) error {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(schema.JSONSchema))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("event.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	compiled, err := c.Compile("event.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return func(line []byte) error {
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(line))
		if err != nil {
			return err
		}
		return compiled.Validate(v)
	}
}

func TestGoldensMatchTheJSONSchemaAndMutationsDoNot(t *testing.T) {
	check := validator(t)
	_, properties, required := document(t)
	for typ, line := range goldens(t) {
		if err := check(line); err != nil {
			t.Errorf("%s: %v", typ, err)
		}
		for name := range schema.Fields(line) {
			if properties[name].Type == "" {
				continue // any value but null: below
			}
			if wrong := with(t, line, name, `[[1]]`); check(wrong) == nil {
				t.Errorf("%s: accepted with %s of the wrong type", typ, name)
			}
		}
		for _, name := range required {
			if check(with(t, line, name, "")) == nil {
				t.Errorf("%s: accepted without %s", typ, name)
			}
		}
	}
	lines := goldens(t)
	for _, m := range []struct {
		typ         schema.Type
		name, value string
	}{
		{schema.ToolStart, "tool_use_id", ""}, {schema.ToolEnd, "tool_use_id", `""`},
		{schema.Message, "role", ""}, {schema.Message, "role", `"robot"`},
		{schema.AgentStart, "agent_id", ""}, {schema.AgentEnd, "agent_id", ""},
		{schema.Fork, "parent_session_id", ""}, {schema.Tag, "tags", `[]`}, {schema.Tag, "tags", `[1]`},
		{schema.Unknown, "v", `2`}, {schema.Unknown, "event_id", `"../x"`}, {schema.Unknown, "session_id", `"a b"`},
		{schema.Unknown, "event_type", `"toolstart"`}, {schema.Unknown, "origin", `"web"`}, {schema.Unknown, "source_sdk", `""`},
		{schema.Unknown, "timestamp", `"yesterday"`}, {schema.Unknown, "timestamp", `"1969-12-31T23:59:59Z"`},
		{schema.Unknown, "timestamp", `"2262-01-01T00:00:00Z"`}, {schema.Unknown, "timestamp", `"2026-11-21 23:01:00Z"`},
		{schema.ToolEnd, "tool_input", `null`}, {schema.ToolBatch, "result", `null`}, {schema.Unknown, "extra", `[]`},
		{schema.ToolEnd, "redacted", `{"rule":"two"}`}, {schema.Unknown, "metadata", `"text"`},
	} {
		if check(with(t, lines[m.typ], m.name, m.value)) == nil {
			t.Errorf("%s: accepted with %s = %q", m.typ, m.name, m.value)
		}
	}
}

// with returns line with one member replaced, or without it where value is "".
func with(t testing.TB, line []byte, name, value string) []byte {
	t.Helper()
	out := []byte{'{'}
	for k, v := range schema.Fields(line) {
		if k == name {
			if v = json.RawMessage(value); value == "" {
				continue
			}
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(append(schema.AppendString(out, k), ':'), v...)
	}
	return append(out, '}')
}

// TestValidateAndTheJSONSchemaAgree draws events that are valid or wrong in any of
// the ways both can see, and asks both.
func TestValidateAndTheJSONSchemaAgree(t *testing.T) {
	check := validator(t)
	var valid, invalid int
	rapid.Check(t, func(t *rapid.T) {
		e := randomEvent(t)
		// Mostly right, so that the other rules are reached at all.
		pick := func(right string, wrong ...string) string {
			return rapid.SampledFrom(slices.Concat(slices.Repeat([]string{right}, 12), wrong)).Draw(t, right)
		}
		e.V = rapid.SampledFrom([]int{1, 1, 1, 1, 1, 1, 1, 0, 2}).Draw(t, "v")
		e.EventID = pick("an_event-1", "", "a/b", strings.Repeat("x", 129), "é", "x\n")
		e.SessionID = pick("a_session-1", "", "../etc/passwd", strings.Repeat("x", 128))
		e.EventType = rapid.SampledFrom(append(schema.Types(), "", "Tool_Start")).Draw(t, "type")
		e.Origin = schema.Origin(pick("hook", "transcript", "audit", "api", "", "web"))
		e.SourceSDK = pick("claude-code", "", "x")
		e.Role = pick("user", "assistant", "system", "", "tool")
		year := rapid.SampledFrom([]int{2026, 2026, 2026, 2026, 2026, 1970, 1969, 2261, 2262, 1, 10000, 292277026596}).Draw(t, "year")
		e.Timestamp = time.Date(year, 12, 31, 23, 59, 59, 999999999, time.UTC)
		if year == 1 {
			e.Timestamp = time.Time{}
		}
		e.ToolInput = json.RawMessage(pick(`{"a":1}`, ``, `null`, `"text"`, `{"a"`, `nul`))
		e.Extra = json.RawMessage(pick(`{"a":1}`, ``, ` {"a":1}`, `[]`, `null`, `{}{}`))

		err, schemaErr := e.Validate(), check(e.AppendJSON(nil))
		if (err == nil) != (schemaErr == nil) {
			t.Fatalf("Validate: %v\nJSON Schema: %v\n%s", err, schemaErr, e.AppendJSON(nil))
		}
		if err == nil {
			valid++
		} else {
			invalid++
		}
	})
	if valid == 0 || invalid == 0 {
		t.Errorf("%d valid and %d invalid events: the test compares nothing", valid, invalid)
	}
}
