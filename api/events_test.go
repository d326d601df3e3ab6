package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/actiongraph/actiongraph"
	"github.com/actiongraph/actiongraph/adapters/jsonl"
	"github.com/actiongraph/actiongraph/schema"
)

const (
	start = `{"event_type":"tool_start","session_id":"s","timestamp":"2026-03-01T14:00:00Z","tool_name":"web_search","tool_use_id":"c1","tool_input":{"query":"weather"}}`
	end   = `{"event_type":"tool_end","session_id":"s","timestamp":"2026-03-01T14:00:01Z","tool_name":"web_search","tool_use_id":"c1","result":"72F"}`
)

func (c *client) accepted(r reply) accepted {
	c.t.Helper()
	var a accepted
	if err := json.Unmarshal([]byte(r.text), &a); err != nil || r.status != 200 {
		c.t.Fatalf("%d: %s", r.status, r.text)
	}
	return a
}

// An event is the same whether it comes alone, in an array or as a line, however it is
// written, and each time it comes.
func TestEventsAreTheSameHoweverTheyCome(t *testing.T) {
	const lines = "Content-Type: application/x-ndjson"
	c := newClient(t)
	first := c.accepted(c.post("/v1/events", start+"\n"+end, lines))
	if first.Accepted != 2 || len(first.EventIDs) != 2 || first.EventIDs[0] == first.EventIDs[1] {
		t.Fatalf("%+v", first)
	}
	if e := c.store.events[0]; e.EventID != first.EventIDs[0] || e.EventType != schema.ToolStart || e.SessionID != "s" || e.ToolName != "web_search" ||
		e.Origin != schema.OriginAPI || e.Host != "machine" || string(e.ToolInput) != `{"query":"weather"}` {
		t.Errorf("recorded: %+v", e)
	}
	for what, r := range map[string]reply{
		"an array":           c.post("/v1/events", "["+start+","+end+"]"),
		"an array, indented": c.post("/v1/events", "[\n  "+start+",\r\n  "+end+"\n]\n"),
		"lines of CRLF":      c.post("/v1/events", start+"\r\n"+end+"\r\n", lines),
		"lines with blanks":  c.post("/v1/events", "\n  "+start+"\n\n"+end+"  \n\n", "Content-Type: application/jsonl"),
		"lines, marked":      c.post("/v1/events", "\xef\xbb\xbf"+start+"\n"+end, "Content-Type: application/ndjson"),
		"lines, zipped":      c.post("/v1/events", zipped(t, start+"\n"+end), lines, "Content-Encoding: gzip"),
		"arrays a line":      c.post("/v1/events", "["+start+"]\n["+end+"]", lines),
	} {
		if a := c.accepted(r); fmt.Sprint(a) != fmt.Sprint(first) {
			t.Errorf("%s: %+v, want %+v", what, a, first)
		}
	}
	if a := c.accepted(c.post("/v1/events", end)); a.EventIDs[0] != first.EventIDs[1] {
		t.Errorf("alone: %+v, want %+v", a, first)
	}
	if h := c.server.Health(); h.Events != int64(len(c.store.events)) || h.Refused != 0 {
		t.Errorf("health: %+v, of %d", h, len(c.store.events))
	}
	if a := c.accepted(c.post("/v1/events", `[]`)); a.Accepted != 0 || a.EventIDs == nil {
		t.Errorf("none: %+v", a)
	}
}

// One event that is wrong, and nothing of a request is recorded; the answer says which.
func TestWrongEvents(t *testing.T) {
	const lines = "Content-Type: application/x-ndjson"
	c := newClient(t)
	for _, test := range []struct{ what, body, header, want string }{
		{"no JSON in the second line", start + "\n{\"a\":\n" + end, lines, "400 line=2"},
		{"an array without an end", "[" + start, "", "400 line=1"},
		{"no type", `[` + start + `,{"session_id":"s"}]`, "", "400 item=1 field=event_type"},
		{"no session in the third line", start + "\n\n" + `{"event_type":"tool_end"}`, lines, "400 field=session_id line=3"},
		{"no objects", `[1]`, "", "400 item=0"},
		{"a string", `"event"`, "", "400"},
		{"a time of no kind", `{"event_type":"message","session_id":"s","timestamp":"yesterday"}`, "", "400 field=timestamp"},
	} {
		got := c.post("/v1/events", test.body, test.header)
		if test.header == "" {
			got = c.post("/v1/events", test.body)
		}
		if parts := got.parts(); !strings.HasPrefix(parts, test.want) {
			t.Errorf("%s: %s, want %s: %s", test.what, parts, test.want, got.text)
		}
	}
	if len(c.store.events) != 0 {
		t.Errorf("%d events were recorded", len(c.store.events))
	}
}

// A source_position says up to where this home's readers have read a file. One in a
// journal's lines is passed over and counted; whoever posts one on purpose is told.
func TestPositionsAreNotTaken(t *testing.T) {
	const position = `{"event_type":"source_position","session_id":"s","timestamp":"2026-03-01T14:00:00Z","metadata":{"source":"/x","offset":1}}`
	c := newClient(t)
	a := c.accepted(c.post("/v1/events", start+"\n"+position+"\n", "Content-Type: application/x-ndjson"))
	if a.Accepted != 1 || a.Skipped != 1 || len(c.store.events) != 1 {
		t.Errorf("%+v, recorded %d", a, len(c.store.events))
	}
	if got := c.post("/v1/events", position); got.parts() != "400 field=event_type" || len(c.store.events) != 1 {
		t.Errorf("alone: %s: %s", got.parts(), got.text)
	}
	if got := c.post("/v1/events", "[\n"+start+",\n"+position+"]"); got.parts() != "400 item=1 field=event_type line=3 column=1" {
		t.Errorf("%s: %s", got.parts(), got.text)
	}
}

// Many small ones cost more than their bytes.
func TestTooManyItems(t *testing.T) {
	const event, grain = `{"event_type":"context","session_id":"s"}`, `{"tool_name":"a"}`
	many := func(item, between string, n int) string {
		return strings.TrimSuffix(strings.Repeat(item+between, n), between)
	}
	for what, send := range map[string]func(c *client, n int) reply{
		"lines": func(c *client, n int) reply {
			return c.post("/v1/events", many(event, "\n", n), "Content-Type: application/x-ndjson")
		},
		"arrays a line": func(c *client, n int) reply {
			return c.post("/v1/events", "["+many(event, ",", n/2)+"]\n["+many(event, ",", n-n/2)+"]", "Content-Type: application/x-ndjson")
		},
		"an array": func(c *client, n int) reply { return c.post("/v1/events", " ["+many(event, ",", n)+"]") },
		"a batch": func(c *client, n int) reply {
			return c.post("/api/memories/a/batch-add", `{"grains":[`+many(grain, ",", n)+`]}`)
		},
		"an array of grains": func(c *client, n int) reply { return c.post("/api/memories/a/batch-add", `[`+many(grain, ",", n)+`]`) },
	} {
		c := newClient(t)
		if got := send(c, mostItems+1); got.status != 413 || len(c.store.events)+len(c.store.grains) != 0 {
			t.Errorf("%s, one too many: %.300s", what, got.text)
		}
		if got := send(c, mostItems); got.status != 200 || len(c.store.events)+len(c.store.grains) != mostItems {
			t.Errorf("%s: %.300s", what, got.text)
		}
	}
}

// What the store says of an item is the client's; any other error is ours, and no success.
func TestWhatTheStoreDoesNotTake(t *testing.T) {
	c := newClient(t)
	c.store.err = &jsonl.LineError{Item: 1, Field: "tool_name", Err: errors.New("it is too long")}
	if got := c.post("/v1/events", "["+start+","+end+"]"); got.parts() != "400 item=1 field=tool_name" || !strings.Contains(got.Error.Message, "too long") {
		t.Errorf("%s: %s", got.parts(), got.text)
	}
	c.store.err = errors.New("write /home/dev/.actiongraph/journal/s.jsonl: no space left on device")
	for path, body := range map[string]string{
		"/v1/events": start, "/api/memories/a/batch-add": `{"grains":[{"grain_type":"action","fields":{"tool_name":"x"}}]}`, "/api/memories/a/recall": `{}`,
	} {
		if got := c.post(path, body); got.status != 500 || !strings.Contains(got.Error.Message, "no space left") {
			t.Errorf("%s: %d: %s", path, got.status, got.text)
		}
	}
	if h := c.server.Health(); h.Failed != 3 || h.Refused != 1 || h.Events != 0 || !strings.Contains(h.LastError, "no space left") || h.FailedAt.IsZero() {
		t.Errorf("health: %+v", h)
	}
	if log := c.log.String(); strings.Count(log, "\n") != 3 || !strings.Contains(log, "no space left") {
		t.Errorf("log:\n%s", log)
	}
}

// A bug of ours is a 500, and neither answer nor log hold what the client sent.
func TestPanics(t *testing.T) {
	for _, p := range []any{"of secret-payload", fmt.Errorf("of secret-payload"), &schema.Event{Content: "secret-payload"}} {
		c := newClient(t)
		c.store.panic = p
		got := c.post("/v1/events", start)
		if got.status != 500 || strings.Contains(got.text, "secret") {
			t.Errorf("%T: %d: %s", p, got.status, got.text)
		}
		if log := c.log.String(); strings.Contains(log, "secret") || !strings.Contains(log, "api.failed") || !strings.Contains(log, "AddEvents") {
			t.Errorf("%T: the log:\n%s", p, log)
		}
	}
	c := newClient(t)
	c.store.hold = func() {
		var none []int
		_ = none[len(c.store.events)]
	}
	c.post("/v1/events", start)
	if h := c.server.Health(); h.Failed != 1 || !strings.Contains(h.LastError, "index out of range") {
		t.Errorf("health: %+v", h)
	}
}

// What belongs to sessions that were forgotten is counted, and keeps nothing else from being
// recorded.
func TestForgottenSessions(t *testing.T) {
	c := newClient(t)
	c.store.err = &actiongraph.ForgottenError{Sessions: []string{"s"}, Events: 2}
	if a := c.accepted(c.post("/v1/events", "["+start+","+end+"]")); a.Forgotten != 2 || len(a.EventIDs) != 2 {
		t.Errorf("%+v", a)
	}
	got := c.post("/api/memories/a/batch-add", `{"grains":[{"grain_type":"action","fields":{"tool_name":"x"}}]}`)
	if got.status != 200 || !strings.Contains(got.text, `"forgotten":2`) {
		t.Errorf("%d: %s", got.status, got.text)
	}
	c.store.err = nil
	if got := c.post("/v1/events", start); got.status != 200 || strings.Contains(got.text, "forgotten") {
		t.Errorf("%s", got.text)
	}
}
