package neo4j

import (
	"math"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/actiongraph/actiongraph/graph"
)

// TestPropsRoundTrip: what goes into a database comes out of it, value and type, and
// Bolt can carry it.
func TestPropsRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var props []graph.Prop
		for _, name := range []string{"ended_at", "path", "status", "text", "timestamp"} { // sorted
			v := rapid.OneOf(
				rapid.SampledFrom([]any{"", mark, markCut + "x", markString, markTime + "x", markBytes + "!", "2026-01-01T00:00:00.000000000Z",
					"2026-13-01T00:00:00.000000000Z", "9999-01-01T00:00:00.000000000Z", "\xff", strings.Repeat("é", maxIndexed), strings.Repeat("\xff", maxIndexed),
					markTime + "2026-01-01T00:00:00.000000000Z", graph.Time(math.MinInt64), graph.Time(math.MaxInt64), graph.Time(0), math.Inf(1)}),
				rapid.Map(rapid.Int64(), func(n int64) any { return graph.Time(n) }),
				rapid.Map(rapid.Int64(), func(n int64) any { return n }),
				rapid.Map(rapid.Float64(), func(f float64) any { return f }),
				rapid.Map(rapid.Bool(), func(b bool) any { return b }),
				rapid.Map(rapid.String(), func(s string) any { return s }),
				rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) any { return string(b) }),
			).Draw(t, name)
			props = append(props, graph.Prop{Name: name, Value: v})
		}
		m := row{}
		encodeProps(m, props)
		for name, v := range m {
			switch v := v.(type) {
			case nil:
				delete(m, name) // as SET n += m does
			case string:
				if !utf8.ValidString(v) {
					t.Fatalf("%s: Bolt has no text %q", name, v)
				}
				if isIndexed(name) && len(v) > maxIndexed {
					t.Fatalf("%s: %d bytes are too many for an index", name, len(v))
				}
			case int64, float64, bool:
			default:
				t.Fatalf("%s: Bolt has no %T", name, v)
			}
		}
		if d := cmp.Diff(props, decodeProps(graph.LabelAction, m)); d != "" {
			t.Fatalf("-put +loaded:\n%s", d)
		}
	})
}

// TestPropsForPeople: what people see in the Browser.
func TestPropsForPeople(t *testing.T) {
	m := row{}
	encodeProps(m, []graph.Prop{{Name: "timestamp", Value: graph.Time(1_500_000_001)}, {Name: "started_at", Value: graph.Time(0)},
		{Name: "text", Value: "2026-01-01T00:00:00.000000000Z"}, {Name: "is_error", Value: true}, {Name: "status", Value: nil}})
	want := row{"timestamp": "1970-01-01T00:00:01.500000001Z", "timestamp_ms": int64(1500), "started_at": "1970-01-01T00:00:00.000000000Z",
		"text": "2026-01-01T00:00:00.000000000Z", "is_error": true, "status": nil}
	if d := cmp.Diff(want, m); d != "" {
		t.Error(d)
	}
	m = row{}
	encodeProps(m, []graph.Prop{{Name: "timestamp", Value: nil}})
	if d := cmp.Diff(row{"timestamp": nil, "timestamp_ms": nil}, m); d != "" {
		t.Errorf("a timestamp that goes leaves its twin: %s", d)
	}
}

// TestTimeOrder: text order is time order, in the years of people.
func TestTimeOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := graph.Time(rapid.Int64().Draw(t, "a")), graph.Time(rapid.Int64().Draw(t, "b"))
		x, y := encodeValue("timestamp", a).(string), encodeValue("timestamp", b).(string)
		if (a < b) != (x < y) {
			t.Fatalf("%d and %d are %s and %s", a, b, x, y)
		}
	})
}

// TestKeys: different keys stay different, however long.
func TestKeys(t *testing.T) {
	long := strings.Repeat("x", maxIndexed)
	seen := map[string]string{}
	for _, key := range []string{"", "a", "\xff", markBytes, markString, long, long + "a", long + "b", strings.Repeat("\xff", maxIndexed), "2026-01-01T00:00:00.000000000Z"} {
		stored := encodeKey(key)
		if len(stored) > maxIndexed || !utf8.ValidString(stored) {
			t.Errorf("%.20q…: %d bytes", key, len(stored))
		}
		if other, ok := seen[stored]; ok {
			t.Errorf("%.20q… and %.20q… are one", key, other)
		}
		seen[stored] = key
		if len(key) < maxIndexed/2 && decodeKey(stored) != key {
			t.Errorf("%q comes back as %q", key, decodeKey(stored))
		}
	}
}
