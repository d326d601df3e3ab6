package api

import (
	"fmt"
	"strings"
	"testing"
)

// What is posted twice is recorded once where something says that it is the same.
func TestPostedAgain(t *testing.T) {
	const lines = "Content-Type: application/x-ndjson"
	const bare = `{"event_type":"message","session_id":"s","role":"user","content":"yes"}`
	const key = `Idempotency-Key: "k-1"`
	for _, test := range []struct {
		what, body string
		headers    []string
		same       bool
	}{
		{"a time", strings.Replace(bare, "{", `{"timestamp":"2026-03-01T14:00:00Z",`, 1), nil, true},
		{"an id", strings.Replace(bare, "{", `{"event_id":"e1",`, 1), nil, true},
		{"a call", `{"event_type":"tool_end","session_id":"s","tool_name":"a","tool_use_id":"c1","result":"x"}`, nil, true},
		{"a message's id", `{"event_type":"llm_end","session_id":"s","message_id":"m1"}`, nil, true},
		{"nothing", bare, nil, false},
		{"a key", bare, []string{key}, true},
		{"a key, of many", "[" + bare + "," + bare + "]", []string{key}, true},
		{"a key, of lines", bare + "\n" + bare + "\n[" + bare + "," + bare + "]", []string{key, lines}, true},
	} {
		c := newClient(t)
		first, again := c.accepted(c.post("/v1/events", test.body, test.headers...)), c.accepted(c.post("/v1/events", test.body, test.headers...))
		if same := fmt.Sprint(first) == fmt.Sprint(again); same != test.same {
			t.Errorf("%s: %v and %v", test.what, first, again)
		}
		ids := map[string]bool{}
		for _, id := range first.EventIDs {
			ids[id] = true
		}
		if len(ids) != first.Accepted {
			t.Errorf("%s: events of one request are one: %v", test.what, first)
		}
	}
	c := newClient(t)
	id := func(body, key string) string {
		return c.accepted(c.post("/v1/events", body, "Idempotency-Key: "+key)).EventIDs[0]
	}
	if id(bare, `"a"`) == id(bare, `"b"`) {
		t.Error("two keys are one")
	}
	if id(bare, `"a"`) != id(bare, `a`) {
		t.Error("a key without quotes is another")
	}
	if id(bare, "a") == id(strings.Replace(bare, "yes", "no", 1), "a") {
		t.Error("another event with the same key is lost")
	}
}

func TestKeys(t *testing.T) {
	c := newClient(t)
	long := strings.Repeat("k", longestKey)
	for key, want := range map[string]string{
		`"a"`: "200", `a b`: "200", `"a\"b\\"`: "200", long: "200", `"` + long + `"`: "200",
		`""`: "400", `"`: "400", `"a`: "400", `"a"b`: "400", `"a";p=1`: "400", `"\a"`: "400", `"\`: "400", "k\u00e9": "400", "a\x01": "400",
		long + "k": "400", `"` + long + `k"`: "400",
	} {
		if want != "200" {
			want += " field=Idempotency-Key"
		}
		if got := c.post("/v1/events", start, "Idempotency-Key: "+key); got.parts() != want {
			t.Errorf("%s: %s, want %s: %s", key, got.parts(), want, got.text)
		}
	}
}
