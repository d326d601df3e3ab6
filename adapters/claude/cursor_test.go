package claude

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/actiongraph/actiongraph/schema"
)

// FuzzCursor holds the cursor against encoding/json: what it takes out of any object
// are its members, and strings read as they do there.
func FuzzCursor(f *testing.F) {
	for _, s := range []string{
		`{}`, ` { "a" : 1 , "b":[ ] } `, `{"a":{"b":[1,{"c":"d"},[],{}]},"e":"\"\\"}`, `{"\u0061\"":"\ud83d\ude00\ud800x\udc00\b\f\n\r\t\/"}`,
		`{"a":[{"b":null},true,-1.5e3,"x"],"a":"twice"}`, `{"a":"é\u00e9\u2028"}`, `{"a":"\ud83d\u0041"}`, `{"a":"\ud83d"}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var want map[string]json.RawMessage
		if !utf8.Valid(b) || json.Unmarshal(b, &want) != nil || want == nil {
			return
		}
		for enter := range 2 {
			got := map[string]json.RawMessage{}
			c := cursor{b: b}
			for c.enter(); c.member(); {
				key := schema.Unquote(quoted(c.key))
				if enter == 1 && (c.at() == '{' || c.at() == '[') {
					start := c.i
					walk(&c)
					got[key] = b[start:c.i]
					continue
				}
				got[key] = c.value()
			}
			if len(got) != len(want) {
				t.Fatalf("%d members, want %d", len(got), len(want))
			}
			for key, v := range want {
				if !bytes.Equal(got[key], v) {
					t.Fatalf("%q: %s, want %s", key, got[key], v)
				}
				if text := ""; v[0] == '"' && json.Unmarshal(v, &text) == nil && schema.Unquote(got[key]) != text {
					t.Fatalf("%s is %q, want %q", v, schema.Unquote(got[key]), text)
				}
			}
		}
	})
}

// FuzzReadLine: a line is taken for one JSON object where encoding/json takes it for one,
// whatever the cursor enters of it.
func FuzzReadLine(f *testing.F) {
	for _, s := range []string{
		`{}`, `{"message":{"content":[{"type":"text","text":"x"},"y",1,{}],"usage":{}}}`, `{"message":[1,{"a":[]}]}`, `{"message":"text"}`,
		`{"message":{"content":[{"a":1]}]}`, `{"message":{"content":[1,]}}`, `{"message":{,"a":1}}`, `{"message":{"a":1,}}`, `{"a":1 "b":2}`,
		`{"message":{"content":[1 2]}}`, `{"message":{"content":[}}`, `{"message":{"content":{]}}`, `{"message":{"a"}}`, `{"message":{"a":}}`,
		`{"message":{}`, `{"message":[}`, `{"message"`, `{"message":`, `{"message":{"id":"\x"}}`, `["a":1}`, `{"a":1]`, `{}x`, `{} `, ` {}`, ``,
		`{"permissionDecision":{"decision":"a"`, `{"attachment":{"type":"x"}}`, `{"parentUuid":null}`, `{"message":{"content":[{"id":tru}]}}`,
	} {
		f.Add([]byte(s))
	}
	for _, n := range []int{9996, 9997, 9998, 9999, 10000, 10001} {
		deep := strings.Repeat("[", n) + strings.Repeat("]", n)
		f.Add([]byte(`{"x":` + deep + `}`))
		f.Add([]byte(`{"message":{"content":[{"input":` + deep + `}]}}`))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		want := len(b) > 0 && b[0] == '{' && json.Valid(b)
		if _, whole := readLine(&line{}, b, 1); whole != want {
			t.Fatalf("%q is whole: %v", b, whole)
		}
		if _, _, err := parseLine(&line{}, b, 1); utf8.Valid(b) && bytes.IndexByte(b, '\n') < 0 && bytes.IndexByte(b, '\r') < 0 && (err == nil) != want {
			t.Fatalf("%q: %v", b, err)
		}
	})
}

// walk goes into every second value of an array or object, and over the others.
func walk(c *cursor) {
	if c.at() == '[' {
		for c.enter(); c.element(); {
			if c.at() == '{' || c.at() == '[' {
				walk(c)
			}
		}
		return
	}
	for c.enter(); c.member(); {
		if c.at() == '[' {
			walk(c)
		}
	}
}

// FuzzNeedless holds the look at a line's first bytes against reading it whole: what
// the one passes over, the other finds no fact in, and both name it alike.
func FuzzNeedless(f *testing.F) {
	for _, s := range []string{
		`{"type":"progress"}`, `{"type": "api-request", "x":{}}`, `{"a":1,"attachment":{"type":"file"},"type":"attachment"}`,
		`{"message":{"type":"progress"},"type":"user"}`, `{"type":"user","type":"progress"}`, `{"attachment":{"type":"file"},"type":"user"}`,
		`{"attachment":{"type":"nested_memory","type":"queued_command"},"type":"attachment"}`, `{"ty\u0070e":"user","type":"mode"}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		b = bytes.TrimSpace(b)
		if len(b) == 0 || !json.Valid(b) || duplicates(b) {
			return
		}
		kind, ok := needless(b)
		if !ok {
			return
		}
		l, _ := readLine(&line{}, b, 1)
		if needed, known := l.use(); l.typ == "attachment" && l.kind() != kind || needed && l.attachment == nil || !known && l.attachment == nil {
			t.Fatalf("%q is passed over, but %q has facts: %v", kind, l.kind(), needed)
		}
	})
}

// duplicates reports whether an object has a member twice, at the top or in a member.
func duplicates(b []byte) bool {
	seen := map[string]bool{}
	for key, v := range schema.Fields(b) {
		if seen[key] || duplicates(v) {
			return true
		}
		seen[key] = true
	}
	return false
}
