package redact

import (
	"encoding/json"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/actiongraph/actiongraph/schema"
)

type golden struct {
	rule     string
	found    bool
	template string
}

func goldens(t testing.TB) (list []golden) {
	t.Helper()
	b, err := os.ReadFile("testdata/golden.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if strings.HasPrefix(line, "#") {
			continue
		}
		if len(f) != 3 || f[1] != "+" && f[1] != "-" {
			t.Fatalf("testdata/golden.txt: %q: want rule, + or -, template", line)
		}
		list = append(list, golden{f[0], f[1] == "+", f[2]})
	}
	return list
}

// wrappings put a text where an event can hold it. Each is an event and the way to
// get the text back out of the encoded line.
var wrappings = map[string]func(text string) schema.Event{
	"content":       func(s string) schema.Event { return schema.Event{Content: s} },
	"error_message": func(s string) schema.Event { return schema.Event{ErrorMessage: s} },
	"tool_input":    func(s string) schema.Event { return schema.Event{ToolInput: object("command", s)} },
	"result":        func(s string) schema.Event { return schema.Event{Result: marshal(s)} },
	"depth": func(s string) schema.Event {
		return schema.Event{Extra: object("a", []any{1, map[string]any{"b": []any{[]any{s}, nil}}})}
	},
	"json in json": func(s string) schema.Event { return schema.Event{Result: object("stdout", string(object("x", s)))} },
	"three deep": func(s string) schema.Event {
		return schema.Event{Metadata: object("a", string(object("b", string(object("c", s)))))}
	},
	"escaped": func(s string) schema.Event { return schema.Event{ToolInput: escapeAll(s)} },
	"key":     func(s string) schema.Event { return schema.Event{Extra: object(s, 1)} },
}

func TestRulesFindTheirSecretsWhereverTheyStand(t *testing.T) {
	r := New(Options{})
	for _, g := range goldens(t) {
		if !g.found {
			continue
		}
		for seed := range 3 {
			text, parts := expand(g.template, strconv.Itoa(seed))
			got, counts := r.Text(text)
			if counts[g.rule] == 0 {
				t.Errorf("%s: not found in %q: %q %v", g.rule, text, got, counts)
			}
			for where, wrap := range wrappings {
				e := wrap(text)
				e.EventID, e.SessionID = "e", "s"
				line := r.Event(e)
				checkLine(t, line)
				if left := leftover(line.Bytes(), parts); left != "" {
					t.Errorf("%s: in %s, %q is left of %q: %s", g.rule, where, left, text, line.Bytes())
				}
			}
		}
	}
}

func TestRulesLeaveWhatOnlyLooksAlike(t *testing.T) {
	r := New(Options{})
	for _, g := range goldens(t) {
		if g.found {
			continue
		}
		for seed := range 3 {
			text, _ := expand(g.template, strconv.Itoa(seed))
			if got, counts := r.Text(text); counts != nil || got != text {
				t.Errorf("%s: found %v in %q", g.rule, counts, text)
			}
		}
	}
}

func TestEveryRuleHasAGoldenOfEachKind(t *testing.T) {
	have := map[string]bool{}
	for _, g := range goldens(t) {
		have[g.rule+strconv.FormatBool(g.found)] = true
		if !slices.Contains(RuleIDs(), g.rule) {
			t.Errorf("testdata/golden.txt: %s is no rule", g.rule)
		}
	}
	for _, id := range RuleIDs() {
		if !have[id+"true"] || !have[id+"false"] {
			t.Errorf("testdata/golden.txt: %s needs a line with + and one with -", id)
		}
	}
}

func TestTheDocumentationListsEveryRule(t *testing.T) {
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	listed := strings.Fields(string(doc[strings.Index(string(doc), "# Rules"):]))
	for _, id := range RuleIDs() {
		if !slices.Contains(listed, id) {
			t.Errorf("doc.go does not list %s", id)
		}
	}
}

func TestEveryRowOfTheTablesWorks(t *testing.T) {
	r := New(Options{})
	for slot, ru := range r.rules {
		if len(ru.lits) == 0 {
			t.Errorf("%s has no literal", ru.id)
		}
		for _, lit := range ru.lits {
			if len(lit) < 3 {
				t.Errorf("%s: literal %q is shorter than a window", ru.id, lit)
			}
			if ru.fold && lit != strings.ToLower(lit) {
				t.Errorf("%s: literal %q is not in lower case", ru.id, lit)
			}
		}
		if (ru.kind == shape || ru.kind == assigned) != (ru.expr != "") {
			t.Errorf("%s: an expression is for shapes and assigned values", ru.id)
		}
		if ru.expr != "" && r.expr(slot) == nil {
			t.Errorf("%s: does not compile", ru.id)
		}
	}
}

func object(key string, v any) json.RawMessage { return marshal(map[string]any{key: v}) }

func marshal(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

// escapeAll writes every character of {"command": s} as an escape.
func escapeAll(s string) json.RawMessage {
	const hex = "0123456789abcdef"
	b := []byte(`{"command":"`)
	for _, r := range s {
		b = append(b, '\\', 'u', hex[r>>12&15], hex[r>>8&15], hex[r>>4&15], hex[r&15])
	}
	return append(b, `"}`...)
}

// leftover returns a part of the secret that can still be read from the line: as
// it is, or with the escapes of JSON taken off, however often they were put on.
func leftover(line []byte, parts []string) string {
	plain := string(line)
	for range 6 {
		for _, p := range parts {
			if strings.Contains(plain, p) {
				return p
			}
		}
		view, _ := unescape([]byte(plain))
		plain = strings.ReplaceAll(string(view), `\\`, `\`)
	}
	return ""
}

// checkLine fails where a line is not what a journal asks for.
func checkLine(t *testing.T, l Line) schema.Event {
	t.Helper()
	if !json.Valid(l.Bytes()) || strings.ContainsAny(string(l.Bytes()), "\n\r") {
		t.Fatalf("no line of JSON: %q", l.Bytes())
	}
	e, err := schema.Decode(l.Bytes())
	if err != nil {
		t.Fatalf("%v: %q", err, l.Bytes())
	}
	if e.SessionID != l.Session() || !schema.ValidID(l.Session()) {
		t.Fatalf("session id %q, Session() %q", e.SessionID, l.Session())
	}
	return e
}
