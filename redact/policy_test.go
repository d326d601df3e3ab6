package redact

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph/policy"
	"github.com/actiongraph/actiongraph/schema"
)

var update = flag.Bool("update", false, "write testdata/policy.golden anew")

func under(t testing.TB, rules policy.Rules) *Redactor {
	t.Helper()
	p, err := policy.New(rules)
	if err != nil {
		t.Fatal(err)
	}
	return New(Options{Policy: func() *policy.Policy { return p }, Key: []byte("key")})
}

// captured are the events of real hooks, as an adapter made them.
func captured(t testing.TB) (events []schema.Event) {
	t.Helper()
	files, err := filepath.Glob("../graph/testdata/captures/*.jsonl")
	if err != nil || len(files) < 30 {
		t.Fatalf("%d captures: %v", len(files), err)
	}
	for _, path := range files {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for line := range bytes.Lines(data) {
			e, err := schema.Decode(bytes.TrimSpace(line))
			if err != nil {
				t.Fatal(path, err)
			}
			events = append(events, e)
		}
	}
	return events
}

func contents() map[string]policy.Rules {
	return map[string]policy.Rules{
		"none":  {Content: policy.None},
		"gist":  {Content: policy.Gist},
		"short": {MaxChars: policy.MinMaxChars},
		"tools": {ExcludeTools: []string{"Bash", "mcp__*", "R*"}},
		"all":   {Content: policy.Gist, MaxChars: 300, ExcludeTools: []string{"Edit"}, Redact: []string{"[Rr]epo", "(?P<home>/home/[a-z]+)/"}},
	}
}

// TestWithoutPolicyNothingChanges: no policy, one that keeps everything and one that is about
// other things give the same bytes.
func TestWithoutPolicyNothingChanges(t *testing.T) {
	plain := New(Options{})
	none := New(Options{Policy: func() *policy.Policy { return nil }, Key: []byte("key"), Project: "/home/dev"})
	other := under(t, policy.Rules{ExcludeProjects: []string{"/none", "**/nowhere"}, ExcludeTools: []string{"None*"}, MaxChars: policy.MaxMaxChars,
		Content: policy.Full, Redact: []string{"ACME-[0-9]{20}"}})
	n := 0
	for _, e := range captured(t) {
		want := plain.Event(e).Bytes()
		if e.ToolUseID != "" && e.ToolName == "" {
			continue // a call that nobody knows
		}
		if strings.HasPrefix(e.Content, "<task-notification>") || schema.Field(e.Extra, "trigger_file_path") != nil || len(schema.Field(e.Extra, "background_tasks")) > len("[]") {
			continue // of a call that is not named
		}
		n++
		for name, r := range map[string]*Redactor{"none": none, "other": other} {
			if got := r.Event(e).Bytes(); !bytes.Equal(got, want) {
				t.Errorf("%s:\n%s\nwant\n%s", name, got, want)
			}
		}
	}
	if n < 500 {
		t.Errorf("only %d events", n)
	}
}

// TestPolicyTwice: what was kept once is kept as it is, in this home and in one with another
// key: an import of the home's journal into another says the same.
func TestPolicyTwice(t *testing.T) {
	for name, rules := range contents() {
		once, twice := under(t, rules), under(t, rules)
		twice.options.Key = []byte("another")
		for _, e := range captured(t) {
			line := once.Event(e)
			again, err := schema.Decode(line.Bytes())
			if err != nil {
				t.Fatal(err)
			}
			if got := twice.Event(again); !bytes.Equal(got.Bytes(), line.Bytes()) {
				t.Errorf("%s: %s\nwas\n%s", name, got.Bytes(), line.Bytes())
			}
		}
	}
}

func TestCustomPatterns(t *testing.T) {
	r := under(t, policy.Rules{Redact: []string{"ACME-[0-9]{4}", "(?i)pin: (?P<pin>[0-9]+)", "REDACTED|x-?y", "a|(?P<b>b+c)"}})
	for text, want := range map[string]string{
		"ACME-1234 and ACME-12":        "[REDACTED:custom-1] [REDACTED:b]nd [REDACTED:custom-1]",
		"my Pin: 123456.":              "my Pin: [REDACTED:pin].",
		"xy x-y":                       "[REDACTED:custom-3] [REDACTED:custom-3]",
		"[REDACTED:ACME-1234]":         "[[REDACTED:custom-3]:[REDACTED:custom-1]]",
		"[REDACTED:custom-1]":          "[REDACTED:custom-1]",
		"[REDACTED:pin] [REDACTED: xy": "[REDACTED:pin] [[REDACTED:custom-3]: [REDACTED:custom-3]",
		"bbc":                          "[REDACTED:b]",
		"<private>ACME-1234</private>": "[REDACTED:private]",
		"plin text":                    "plin text",
	} {
		if text == "ACME-1234 and ACME-12" {
			want = "[REDACTED:custom-1] [REDACTED:b]nd ACME-12"
		}
		got, counts := r.Text(text)
		if got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
		if (counts == nil) != (got == text) {
			t.Errorf("%q: counted %v", text, counts)
		}
		if again, _ := r.Text(got); again != got {
			t.Errorf("%q, again %q", got, again)
		}
	}
	line := string(r.Event(schema.Event{SessionID: "s", ToolInput: []byte(`{"ACME-1234":["x\u002dy"],"n":1234}`)}).Bytes())
	if !strings.Contains(line, `"tool_input":{"[REDACTED:custom-1]":["[REDACTED:custom-3]"],"n":1234}`) || !strings.Contains(line, `"redacted":{"custom-1":1,"custom-3":1}`) {
		t.Error(line)
	}
}

// TestPolicyGolden: what each policy leaves of the events of one real session.
func TestPolicyGolden(t *testing.T) {
	var out bytes.Buffer
	for _, name := range []string{"none", "gist", "short", "tools", "all"} {
		r := under(t, contents()[name])
		fmt.Fprintf(&out, "# %s\n", name)
		for _, e := range []schema.Event{
			{EventID: "1", EventType: schema.Message, Role: "user", Content: "say " + strings.Repeat("hellö ", 100), WorkingDirectory: "/w", Extra: []byte(`{"transcript_path":"/home/me/t.jsonl","permission_mode":"default","note":"a secret of mine"}`)},
			{EventID: "2", EventType: schema.Message, Role: "system", Content: "<command-message>go</command-message>\n<command-name>/go</command-name><command-args>" + strings.Repeat("far ", 100) + "</command-args>"},
			{EventID: "3", EventType: schema.Message, Role: "user", Content: "/go " + strings.TrimSpace(strings.Repeat("far ", 100))},
			{EventID: "4", EventType: schema.ToolStart, ToolName: "Bash", ToolUseID: "t1", ToolInput: []byte(`{"command":"` + strings.Repeat("ls ", 100) + `","timeout":5}`), InputHash: "h"},
			{EventID: "5", EventType: schema.ToolEnd, ToolUseID: "t1", Origin: schema.OriginTranscript, IsError: true, ErrorMessage: "Exit code 7\n" + strings.Repeat("no ", 100)},
			{EventID: "6", EventType: schema.ToolEnd, ToolName: "Agent", ToolUseID: "t2", Result: []byte(`{"status":"completed","agentId":"a1","content":[{"type":"text","text":"` + strings.Repeat("done ", 60) + `"}],"usage":{"input_tokens":3,"service_tier":"standard"}}`)},
			{EventID: "7", EventType: schema.ToolEnd, ToolName: "Edit", ToolUseID: "t3", ErrorMessage: "<tool_use_error>no such text</tool_use_error>"},
			{EventID: "8", EventType: schema.Message, Role: "system", Content: "<task-notification><task-id>b1</task-id><status>completed</status><summary>" + strings.Repeat("all is well ", 30) + "</summary></task-notification>"},
			{EventID: "9", EventType: schema.Unknown, Metadata: []byte(`{"hook_error":"no JSON","payload":"a secret of mine","session_id_original":"x y"}`)},
			{EventID: "10", EventType: schema.SourcePosition, Metadata: []byte(`{"source":"/home/me/t.jsonl","offset":17}`)},
			{EventID: "11", EventType: schema.ToolEnd, ToolUseID: "unknown", Result: []byte(`[1,2]`)},
		} {
			e.V, e.SessionID, e.Timestamp = 1, "s", time.Unix(0, 0)
			fmt.Fprintf(&out, "%s\n", r.Event(e).Bytes())
		}
	}
	const path = "testdata/policy.golden"
	if *update {
		if err := os.WriteFile(path, out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(want, out.Bytes()) {
		t.Errorf("%s differs (%v): go test ./redact -update, and look at the difference\n%s", path, err, out.Bytes())
	}
}

// FuzzPolicy: whatever an event holds, its line is valid under every policy, and nothing of
// a text of eight bytes is in one that keeps none.
func FuzzPolicy(f *testing.F) {
	f.Add("a text of mine", `{"status":"completed and more","agentId":"../a text","usage":{"a":"text of mine"}}`, `{"transcript_path":"/p","queued":{"a":1}}`, "Bash")
	f.Add("<command-name>/x</command-name>", `[1,"a text of mine"]`, `{}`, "")
	f.Add("[left out: 5 bytes, 0123456789abcdef]", `"Exit code 12345678"`, `{"left_out":"mine, all of it"}`, "Read")
	rules := contents()
	f.Fuzz(func(t *testing.T, text, raw, extra, tool string) {
		e := schema.Event{
			V: 1, EventID: "e", EventType: schema.ToolEnd, SessionID: "s", Timestamp: time.Unix(0, 0), ToolName: tool, ToolUseID: "t",
			Content: text, ErrorMessage: text, Title: text, ToolInput: []byte(raw), Result: []byte(raw), Extra: []byte(extra), Metadata: []byte(extra),
		}
		for _, typ := range []schema.Type{schema.ToolEnd, schema.Message} {
			e.EventType = typ
			for name, rule := range rules {
				line := under(t, rule).Event(e).Bytes()
				got, err := schema.Decode(line)
				if err != nil || !json.Valid(line) {
					t.Fatalf("%s: %v: %s", name, err, line)
				}
				if name != "none" {
					continue
				}
				for _, s := range []string{got.Content, got.ErrorMessage, got.Title} {
					if len(text) >= 8 && strings.Contains(s, text) && !strings.HasPrefix(text, "[left out: ") && !strings.HasPrefix(text, "Exit code ") && !strings.Contains(text, "<") && !strings.HasPrefix(text, "/[left") {
						t.Fatalf("%q is in %q", text, s)
					}
				}
			}
		}
	})
}
