package jsonl

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/actiongraph/actiongraph/schema"
)

// TestPieces: in pieces, a line says what it says in one; of a line that is wrong there is none.
func TestPieces(t *testing.T) {
	at := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	var grains, events []string
	for i := range 50 {
		grains = append(grains, fmt.Sprintf(`{"tool_name":"t%d","content":"c"}`, i))
		events = append(events, fmt.Sprintf(`{"event_type":"message","session_id":"s","role":"user","content":"m%d"}`, i))
	}
	list := func(items []string) string { return "[" + strings.Join(items, ",") + "]" }
	for _, c := range []struct {
		format Format
		line   string
	}{
		{OMS, list(grains)}, {OMS, `{"grains":` + list(grains) + `,"namespace":"n"}`}, {OMS, grains[0]}, {OMS, "[]"}, {OMS, list(append(grains[:49:49], `{"tool_name":7}`))},
		{OMS, "{"}, {Events, list(events)}, {Events, events[0]}, {Events, list(append(events[:49:49], `{"event_type":7}`))},
		{Audit, `{"type":"user_output","timestamp":"2026-03-01T10:30:00+01:00","role":"assistant","text":"t"}`}, {Audit, "{"},
	} {
		src := Source{Format: c.format, Session: "s", Origin: schema.OriginAudit, Host: "h", User: "u", HashKey: []byte("key")}
		want, wantLine, wantErr := NewDecoder(src).Append(nil, []byte(c.line), 3, at)
		var got []schema.Event
		d := NewDecoder(src)
		line, err := d.Pieces([]byte(c.line), 3, at, 8, func(piece []schema.Event) error {
			if len(piece) > 9 {
				t.Errorf("%.40s: a piece of %d", c.line, len(piece))
			}
			got = append(got, piece...)
			return nil
		})
		wantLine.Hashes = nil
		if fmt.Sprint(err) != fmt.Sprint(wantErr) || !cmp.Equal(line, wantLine) || len(got)+len(want) > 0 && !cmp.Equal(got, want) {
			t.Errorf("%.40s: %v, want %v\n%s", c.line, err, wantErr, cmp.Diff(want, got))
		}
		full := errors.New("the disk is full")
		if _, err := d.Pieces([]byte(c.line), 3, at, 8, func([]schema.Event) error { return full }); len(want) > 0 && !errors.Is(err, full) {
			t.Errorf("%.40s: %v, want what yield said", c.line, err)
		}
		if again, _, _ := d.Append(nil, []byte(c.line), 3, at); len(again)+len(want) > 0 && !cmp.Equal(again, want) {
			t.Errorf("%.40s: Append after Pieces says something else", c.line)
		}
	}
}
