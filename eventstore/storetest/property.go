package storetest

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/actiongraph/actiongraph/schema"
)

// piece is a piece of a JSON string that a database may take offence at.
func piece() *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.SampledFrom([]string{`\u0000`, `\ud800`, `\udc00`, `\ud83d\ude00`, "😀", "é", "e\u0301", `\\u0000`, `\"`, `\n`, `\r\n`, "\u2028",
			"\ufeff", "\ufffe", "\U0010ffff", `\/`, "'", `''; DROP TABLE events; --`, "$1", "?", "%s", `\x00`, `{{`, "\x7f"}),
		rapid.StringMatching(`[a-zA-Z0-9 ]{0,12}`),
	)
}

// value is a JSON value, but for null, which in an event says what the absence of the field does,
// and is not written again; databases do not hold every number that JSON does.
func value() *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.SampledFrom([]string{"1e400", "-0", "1e-999999", "123456789012345678901234567890.5", "true", "[]", "{}", `{"a":1,"a":2}`, `""`,
			strings.Repeat("[", 500) + strings.Repeat("]", 500)}),
		rapid.Map(rapid.SliceOfN(piece(), 0, 6), func(p []string) string { return `"` + strings.Join(p, "") + `"` }),
	)
}

func event() *rapid.Generator[schema.Event] {
	return rapid.Custom(func(t *rapid.T) schema.Event {
		member := `"` + piece().Draw(t, "name") + `":` + value().Draw(t, "member")
		e := schema.Event{
			EventID:   rapid.OneOf(rapid.StringMatching(`[a-f0-9]{32}`), rapid.SampledFrom([]string{"\x00", "é", strings.Repeat("long", 400)})).Draw(t, "id"),
			EventType: schema.Type(rapid.SampledFrom([]string{string(schema.ToolStart), string(schema.Unknown), "a type of tomorrow", "nul\x00"}).Draw(t, "type")),
			Timestamp: rapid.Custom(func(t *rapid.T) time.Time {
				return time.Unix(rapid.Int64Range(-62_135_596_800, 253_402_300_799).Draw(t, "seconds"), rapid.Int64Range(0, 999_999_999).Draw(t, "nanoseconds"))
			}).Draw(t, "time"),
			Content:  rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"\x00", "😀\x00\u2028"})).Draw(t, "content"),
			Metadata: json.RawMessage("{" + member + "}"),
		}
		e.ToolInput = json.RawMessage(value().Draw(t, "input"))
		if rapid.IntRange(0, 99).Draw(t, "long") == 0 {
			e.Result = json.RawMessage(`"` + strings.Repeat("x", 1<<20-10) + `"`)
		}
		return e
	})
}

// bytes: whatever an event holds comes back byte for byte, in order.
func (s *suite) bytes(t *testing.T) {
	_, store := s.create(t)
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		id := fmt.Sprint("s", n)
		var lines [][]byte
		known := map[string]bool{}
		for _, e := range rapid.SliceOfN(event(), 1, 4).Draw(t, "events") {
			if line := Line(id, e); !known[string(line)] {
				known[string(line)] = true
				lines = append(lines, line)
			}
		}
		Append(t, store, id, len(lines), lines...)
		Append(t, store, id, 0, lines...)
		holds(t, store, id, lines...)
	})
}

// long: lines of 1 MiB and more, of which a statement takes few.
func (s *suite) long(t *testing.T) {
	_, store := s.create(t)
	var lines [][]byte
	for i := range 6 {
		text := strings.Repeat(string(rune('a'+i)), 1<<20-1)
		lines = append(lines, Line("a", schema.Event{EventID: fmt.Sprint("long-", i), Timestamp: time.Unix(int64(i), 0), Content: text,
			Metadata: json.RawMessage(`{"more":"` + text + `"}`)}))
		if len(lines[i]) < 2<<20 {
			t.Fatalf("a line of %d bytes is not long", len(lines[i]))
		}
	}
	Append(t, store, "a", 6, lines...)
	Append(t, store, "a", 0, lines...)
	got := Lines(t, store, "a")
	for i := range lines {
		if len(got) != 6 || got[i] != string(lines[i]) {
			t.Fatalf("%d lines, and line %d differs", len(got), i)
		}
	}
}
