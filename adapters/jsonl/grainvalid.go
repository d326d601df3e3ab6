package jsonl

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/actiongraph/actiongraph/schema"
)

// Validate says what is wrong with a grain that no Parse function made. The error is a
// *LineError without a column.
func (g *Grain) Validate() error {
	bad := func(field, format string, args ...any) error {
		return &LineError{Item: -1, Field: field, Err: fmt.Errorf(format, args...)}
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
		return nil
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
	if slices.Contains(g.Tags, "") || slices.Contains(g.RelatedTo, "") {
		return bad("tags", "%w", errors.New("one of tags or related_to is empty"))
	}
	return nil
}
