package jsonl

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/actiongraph/actiongraph/schema"
)

// Validate says what is wrong with a grain that no Parse function made. The error is a
// *LineError without a column. A grain of another type is right, and is kept as an unknown
// event, for its maker says himself what it is; but none with a field of actions set, of
// which nothing would be kept: what such a grain says stands in Extra. Nor is one right
// whose action_phase is definition: it says what a tool is, not that one was called.
func (g *Grain) Validate() error {
	bad := func(field, format string, args ...any) error {
		return &LineError{Item: -1, Field: field, Err: fmt.Errorf(format, args...)}
	}
	if err := CheckNamespace(cmp.Or(g.Namespace, DefaultNamespace)); err != nil {
		return bad("namespace", "%w", err)
	}
	if !g.CreatedAt.IsZero() && !inYears(g.CreatedAt.UTC()) {
		return bad("created_at", "year %d, want 1970 to 2261", g.CreatedAt.UTC().Year())
	}
	for _, f := range []struct {
		name string
		raw  json.RawMessage
	}{{"input", g.Input}, {"output_schema", g.OutputSchema}, {"extra", g.Extra}} {
		if len(f.raw) > 0 && (f.raw[0] != '{' || !schema.Valid(f.raw) || bytes.IndexByte(f.raw, '\n') >= 0) {
			return bad(f.name, "want an object of compact JSON")
		}
	}
	r := reading{g: &Grain{GrainType: g.GrainType}}
	null := value{line: []byte("null"), end: len("null")}
	for text := range schema.Fields(g.Extra) {
		name, written := fieldName([]byte(text))
		known, _ := r.set(named{name, written, null})
		if known && name != "related_to" || name == "grain_type" || name == "type" {
			return bad("extra", "%q is a field of its own", written)
		}
	}
	if !g.action() {
		if name := g.actionField(); name != "" {
			return bad(name, "a field of actions, and %.100q is none: Extra holds what a grain of another type says", g.GrainType)
		}
		return nil
	}
	for _, name := range []string{"action_phase", "tool_phase"} {
		if schema.FieldString(g.Extra, name) == definitionPhase {
			return bad(name, "%q is no action: nothing was called", definitionPhase)
		}
	}
	if g.ToolName == "" {
		return bad("tool_name", "missing, an action has one")
	}
	if d := g.DurationMS; d != nil && !(*d >= 0 && *d <= math.MaxFloat64) {
		return bad("duration_ms", "%v, want a number of milliseconds, not negative", *d)
	}
	if c := g.Confidence; c != nil && !(*c >= 0 && *c <= 1) {
		return bad("confidence", "%v, want a number from 0 to 1", *c)
	}
	if links := schema.Field(g.Extra, "related_to"); len(links) > 0 && links[0] != 'n' {
		// The hash is of the links, the graph's edges are of RelatedTo.
		hashes, fault := r.related(named{"related_to", "related_to", value{line: links, end: len(links)}})
		if fault != nil || !slices.Equal(hashes, g.RelatedTo) {
			return bad("related_to", "the links in extra are not these hashes")
		}
	}
	if slices.Contains(g.Tags, "") || slices.Contains(g.RelatedTo, "") {
		return bad("tags", "%w", errors.New("one of tags or related_to is empty"))
	}
	return nil
}

// actionField names a field that is set which only actions have.
func (g *Grain) actionField() string {
	for _, f := range []struct {
		name string
		set  bool
	}{
		{"tool_name", g.ToolName != ""}, {"input", len(g.Input) > 0}, {"content", g.Content != ""}, {"is_error", g.IsError},
		{"error", g.Error != ""}, {"duration_ms", g.DurationMS != nil}, {"parent_task_id", g.ParentTaskID != ""},
		{"output_schema", len(g.OutputSchema) > 0}, {"confidence", g.Confidence != nil}, {"tags", len(g.Tags) > 0},
		{"related_to", len(g.RelatedTo) > 0},
	} {
		if f.set {
			return f.name
		}
	}
	return ""
}
