package schema_test

import (
	"bytes"
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/actiongraph/actiongraph/schema"
)

type member struct {
	Key   string
	Value string
}

// membersByDecoder reads an object's members, in order, with encoding/json.
func membersByDecoder(obj []byte) (list []member) {
	dec := json.NewDecoder(bytes.NewReader(obj))
	if tok, err := dec.Token(); err != nil || tok != json.Delim('{') {
		return nil
	}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return nil
		}
		var raw json.RawMessage
		if dec.Decode(&raw) != nil {
			return nil
		}
		list = append(list, member{key.(string), string(raw)})
	}
	return list
}

func elementsByDecoder(arr []byte) (list []string) {
	var raws []json.RawMessage
	if json.Unmarshal(arr, &raws) != nil {
		return nil
	}
	for _, raw := range raws {
		list = append(list, string(raw))
	}
	return list
}

func seeds() []string {
	return []string{
		`{}`, `{"a":1}`, ` { "a" : 1 , "b" : [ ] } `, `{"a":"\"}","b\n":{"c":"]"},"a":null}`, `{"é":"\u00e9\ud83d\ude00","x":"\ud800"}`,
		`{"a":-1.5e+10,"b":true,"c":false,"d":null}`, `{"\\":"\\\\","\"":"\\\""}`, `[]`, `[1,"a",[2,{"b":3}],null]`, ` [ 1 , 2 ] `,
		`"text"`, `12`, `true`, `{"a":`, `{"a"`, `{"a":}`, `{,}`, `[,]`, `{"a":1}}`, `{"a":1 "b":2}`, `nullx`, "{\"a\":\"\xff\xfe\"}", `{"a":[}`,
		`{"e":"` + strings.Repeat(`\"`, 50) + `"}`, `{"s":"` + strings.Repeat(`\\`, 51) + `"}`, "\xef\xbb\xbf{}", `{"a":1}{"b":2}`, "{\"a\":1}\n", "",
	}
}

func FuzzFieldsAndElements(f *testing.F) {
	for _, s := range seeds() {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var members []member
		for k, v := range schema.Fields(b) {
			members = append(members, member{k, string(v)})
			if cap(v) != len(v) {
				t.Fatal("an append to a value would overwrite what follows it")
			}
		}
		var elements []string
		for v := range schema.Elements(b) {
			elements = append(elements, string(v))
		}
		if !json.Valid(b) {
			return // nothing is promised but to return
		}
		if diff := cmp.Diff(membersByDecoder(b), members); diff != "" {
			t.Fatalf("Fields (-encoding/json +Fields):\n%s", diff)
		}
		if diff := cmp.Diff(elementsByDecoder(b), elements); diff != "" {
			t.Fatalf("Elements (-encoding/json +Elements):\n%s", diff)
		}
		for _, m := range members {
			if first := schema.Field(b, m.Key); first == nil {
				t.Fatalf("Field(%q) does not find it", m.Key)
			}
		}
	})
}

func FuzzValueEnd(f *testing.F) {
	for _, s := range seeds() {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		end, complete := schema.ValueEnd(b)
		if complete && (end <= 0 || end > len(b)) || !complete && end != 0 {
			t.Fatalf("ValueEnd = %d, %v of %d bytes", end, complete, len(b))
		}
		// Against encoding/json: the first value of a stream.
		dec := json.NewDecoder(bytes.NewReader(append(bytes.Clone(b), ' ')))
		var raw json.RawMessage
		if dec.Decode(&raw) != nil {
			return // no valid value: the caller validates
		}
		open := strings.IndexByte("{[\"", raw[0]) >= 0
		// Of "00x" encoding/json takes the 0, ValueEnd all three: the caller refuses it.
		if want := int(dec.InputOffset()); (open || json.Valid(b[:end])) && complete && end != want {
			t.Fatalf("ValueEnd(%q) = %d, encoding/json stops at %d", b, end, want)
		}
		if open && !complete {
			t.Fatalf("ValueEnd(%q): a whole value is said to be incomplete", b)
		}
		// A reader that gets the bytes one by one must stop neither early nor late.
		for i := range end {
			if _, done := schema.ValueEnd(b[:i]); done && i < len(raw) {
				t.Fatalf("ValueEnd(%q) is complete, the value is %q", b[:i], raw)
			}
		}
	})
}

func FuzzStrings(f *testing.F) {
	for _, s := range append(seeds(), "\x00\x1f\x7f", "\u2028\u2029<>&", "\xc3(", "😀", "\xed\xa0\x80",
		`"\"\\\/\b\f\n\r\t\u00e9\uD83D\ude00"`, `"\ud83d"`, `"\ud83d\u0041"`, `"\udc00x"`, `"\u12"`, `"\x"`, `"a\"`, "\"\\n\x01\"", `"\n"b"`) {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		quoted := schema.AppendString(nil, s)
		var want string
		if err := json.Unmarshal(quoted, &want); err != nil {
			t.Fatalf("AppendString(%q) = %s: %v", s, quoted, err)
		}
		if valid := strings.ToValidUTF8(s, "") == s; valid && want != s {
			t.Fatalf("AppendString(%q) reads as %q", s, want)
		}
		// encoding/json replaces invalid bytes in the same way.
		std, _ := json.Marshal(s)
		var byStd string
		if json.Unmarshal(std, &byStd); byStd != want {
			t.Fatalf("AppendString(%q) reads as %q, encoding/json's as %q", s, want, byStd)
		}
		if got := schema.Unquote(quoted); got != want {
			t.Fatalf("Unquote(%s) = %q, encoding/json says %q", quoted, got, want)
		}
		// s itself as raw JSON.
		if json.Unmarshal([]byte(s), &want) == nil && s != "null" && strings.HasPrefix(s, `"`) && strings.HasSuffix(s, `"`) {
			if got := schema.Unquote([]byte(s)); got != want {
				t.Fatalf("Unquote(%q) = %q, encoding/json says %q", s, got, want)
			}
		}
	})
}

// plain has Event's fields and tags but not its methods: encoding/json decodes it
// by the tags alone.
type plain schema.Event

func FuzzDecode(f *testing.F) {
	for _, line := range goldens(f) {
		f.Add(line)
	}
	for _, s := range append(seeds(), `{"v":1.5}`, `{"seq":1e3}`, `{"timestamp":"2026-11-21T23:01:00+02:00"}`, `{"tags":["a",null]}`,
		`{"content":null,"role":"\u0075ser"}`, `{"duration_ms":1e999}`, `{"input_tokens":9223372036854775808}`, `{"redacted":{"a":1,"a":2}}`) {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		e, err := schema.Decode(line)
		// What was decoded before changes nothing, and a Decoder keeps nothing of a line.
		var d schema.Decoder
		for range 2 {
			own := bytes.Clone(line)
			other, otherErr := d.Decode(own)
			clear(own)
			if diff := cmp.Diff(e, other); diff != "" || (err == nil) != (otherErr == nil) || err != nil && err.Error() != otherErr.Error() {
				t.Fatalf("%q: a Decoder says %v, Decode %v (-Decode +Decoder):\n%s", line, otherErr, err, diff)
			}
		}
		// What aliases the line says the same.
		in := schema.Decoder{Alias: true}
		other, otherErr := in.Decode(line)
		if diff := cmp.Diff(e, other); diff != "" || (err == nil) != (otherErr == nil) || err != nil && err.Error() != otherErr.Error() {
			t.Fatalf("%q: a Decoder that aliases says %v, Decode %v (-Decode +Decoder):\n%s", line, otherErr, err, diff)
		}
		if notJSON := err != nil && strings.HasSuffix(err.Error(), "the line is not valid JSON"); notJSON == json.Valid(line) {
			t.Fatalf("%q: Decode says %v", line, err)
		}
		if err != nil {
			return
		}
		out := e.AppendJSON(nil)
		if !json.Valid(out) {
			t.Fatalf("AppendJSON of the event in %q is %q", line, out)
		}
		again, err := schema.Decode(out)
		if y := e.Timestamp.Year(); y < 0 || y > 9999 || e.Timestamp.IsZero() {
			return // Validate refuses it
		}
		if err != nil {
			t.Fatalf("%q decodes, what it encodes to does not: %v", line, err)
		}
		if diff := cmp.Diff(e, again, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("%q (-first +second decoding):\n%s", line, diff)
		}
		if repeats(line) {
			return // which of two members stands is not the tags' matter
		}
		var want plain
		if err := json.Unmarshal(exact(line), &want); err != nil {
			t.Fatalf("Decode reads %q, encoding/json does not: %v", line, err)
		}
		want.Timestamp = want.Timestamp.UTC()
		for _, raw := range []*json.RawMessage{&want.ToolInput, &want.Result, &want.Metadata, &want.Extra} {
			if string(*raw) == "null" {
				*raw = nil
			}
		}
		if diff := cmp.Diff(schema.Event(want), e); diff != "" {
			t.Fatalf("%q (-encoding/json +Decode):\n%s", line, diff)
		}
	})
}

// exact drops members whose name is not exactly one of the protocol's:
// encoding/json would match "Content" to content.
func exact(line []byte) []byte {
	names := map[string]bool{}
	for _, f := range fields() {
		names[f.name] = true
	}
	out := []byte{'{'}
	for k, v := range schema.Fields(line) {
		if !names[k] {
			continue
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(append(schema.AppendString(out, k), ':'), v...)
	}
	return append(out, '}')
}

func repeats(line []byte) bool {
	seen := map[string]bool{}
	for k := range schema.Fields(line) {
		if seen[k] {
			return true
		}
		seen[k] = true
	}
	return false
}

// TestNamesWithoutMemory holds each name of the switch against itself, and the switch
// against what it is for.
func TestNamesWithoutMemory(t *testing.T) {
	source, err := os.ReadFile("names.go")
	if err != nil {
		t.Fatal(err)
	}
	cases := regexp.MustCompile(`case "(.*)":\n\t\treturn "(.*)"\n`).FindAllStringSubmatch(string(source), -1)
	if len(cases) < 100 {
		t.Fatalf("%d names", len(cases))
	}
	for _, c := range cases {
		obj := []byte(`{"` + c[1] + `":1,"` + c[1] + `":2}`)
		for name := range schema.Fields(obj) {
			if name != c[1] {
				t.Errorf("Fields calls %s %s", c[1], name)
			}
		}
		if n := testing.AllocsPerRun(10, func() {
			for range schema.Fields(obj) {
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations", c[1], n)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	for typ, line := range goldens(b) {
		b.Run(string(typ), func(b *testing.B) {
			b.SetBytes(int64(len(line)))
			b.ReportAllocs()
			var d schema.Decoder
			for b.Loop() {
				if _, err := d.Decode(line); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
