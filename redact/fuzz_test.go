package redact

import (
	"bytes"
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/actiongraph/actiongraph/schema"
)

var (
	errDiffer = errors.New("differ")
	markRE    = regexp.MustCompile(`\[REDACTED:[a-z0-9-]+\]`)
)

// seeds are texts in which something is found, or nearly.
func seeds(f *testing.F) (list []string) {
	for i, g := range goldens(f) {
		if i%8 == 0 {
			text, _ := expand(g.template, "fuzz")
			list = append(list, text)
		}
	}
	return append(list, "", "\x00\xff", `{"password":"hunter2!"}`, `\u0067hp_`, "<private>", `{"a":"\ud800"}`, strings.Repeat("[", 10001))
}

// FuzzEvent: whatever an event holds, its line is one line of valid JSON that
// decodes to an event with the same ids; and redacting that again changes nothing.
func FuzzEvent(f *testing.F) {
	for _, s := range seeds(f) {
		f.Add(s, s, []byte(s), true)
		f.Add("id", s, []byte(object("k", []string{s})), false)
	}
	r := New(Options{})
	f.Fuzz(func(t *testing.T, id, text string, raw []byte, short bool) {
		in := schema.Event{EventID: "e", SessionID: id, AgentID: id, Content: text, Tags: []string{text}, ToolInput: raw, Result: raw, Metadata: raw, Extra: raw}
		e := checkLine(t, r.Event(in))
		if want := string([]rune(id)); e.EventID != "e" || e.AgentID != want {
			t.Fatalf("ids changed: %q %q", e.EventID, e.AgentID)
		}
		if json.Valid(raw) && len(e.Redacted) == 0 && e.Cut == 0 && sameJSON(raw, e.ToolInput) != nil {
			t.Fatalf("nothing found, and %q became %q", raw, e.ToolInput)
		}
		for _, room := range []int{0, 10, 1 << 16} {
			buf := append(make([]byte, 0, room+5), "first"...)
			line, longer := r.AppendEvent(buf, in)
			if own := r.Event(in); !bytes.Equal(line.Bytes(), own.Bytes()) || line.Session() != own.Session() || line.Type() != own.Type() {
				t.Fatalf("AppendEvent makes %q of what Event makes %q of", line.Bytes(), own.Bytes())
			}
			if rest, ok := bytes.CutPrefix(longer, []byte("first")); !ok || len(rest) > 0 && !bytes.Equal(rest, line.Bytes()) {
				t.Fatalf("AppendEvent makes %q of a buffer", longer)
			}
			if _ = append(line.Bytes(), '!'); len(longer) < cap(longer) && longer[:len(longer)+1][len(longer)] == '!' {
				t.Fatal("what is appended to a line is in the buffer")
			}
		}
		again := checkLine(t, r.Event(e))
		if !bytes.Equal(again.AppendJSON(nil), e.AppendJSON(nil)) {
			t.Fatalf("redacting twice differs:\n%s\n%s", e.AppendJSON(nil), again.AppendJSON(nil))
		}
		if short {
			small := checkLine(t, New(Options{MaxString: 200}).Event(in))
			if len(small.Content) > 200 {
				t.Fatalf("%d bytes of content were kept of at most 200", len(small.Content))
			}
		}
	})
}

// sameJSON returns an error where two raw values differ otherwise than in blanks
// and in bytes that are no UTF-8.
func sameJSON(a, b []byte) error {
	var x, y any
	if err := json.Unmarshal(bytes.ToValidUTF8(a, []byte("\ufffd")), &x); err != nil {
		return nil
	}
	if err := json.Unmarshal(b, &y); err != nil {
		return err
	}
	ja, _ := json.Marshal(x)
	jb, _ := json.Marshal(y)
	if !bytes.Equal(ja, jb) {
		return errDiffer
	}
	return nil
}

// FuzzText: redacting twice is redacting once, nothing is found in what is left,
// and what is kept stands in the order in which it stood.
func FuzzText(f *testing.F) {
	for _, s := range seeds(f) {
		f.Add(s)
	}
	r := New(Options{})
	f.Fuzz(func(t *testing.T, s string) {
		once, counts := r.Text(s)
		if twice, more := r.Text(once); twice != once || more != nil {
			t.Fatalf("%q became %q, then %q (%v)", s, once, twice, more)
		}
		if (counts == nil) != (once == s) {
			t.Fatalf("%q became %q: %v", s, once, counts)
		}
		rest := s
		for _, kept := range markRE.Split(once, -1) {
			i := strings.Index(rest, kept)
			if i < 0 {
				t.Fatalf("%q of %q was not in %q", kept, once, s)
			}
			rest = rest[i+len(kept):]
		}
	})
}

// FuzzMayHold: the one look at an encoded line misses nothing that is found string
// by string.
func FuzzMayHold(f *testing.F) {
	for _, s := range seeds(f) {
		f.Add(s)
	}
	r := New(Options{})
	f.Fuzz(func(t *testing.T, s string) {
		s = strings.ToValidUTF8(s, "")
		if _, counts := r.Text(s); counts == nil {
			return
		}
		inner := object("k", s)
		for _, line := range [][]byte{inner, object("a", string(inner)), bytes.ReplaceAll(inner, []byte("/"), []byte(`\/`)), escapeAll(s)} {
			if !r.mayHold(line) {
				t.Fatalf("something is found in %q, and %q looks clean", s, line)
			}
		}
	})
}
