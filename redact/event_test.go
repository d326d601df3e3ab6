package redact

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph/schema"
	"github.com/google/go-cmp/cmp"
)

// token is a secret of an anchored shape.
func token() string {
	s, _ := expand("ghp_{a36}", "")
	return s
}

func event(e schema.Event) schema.Event {
	e.V, e.EventID, e.SourceSDK, e.Origin = schema.Version, "e1", "claude-code", schema.OriginHook
	e.EventType, e.Timestamp = schema.ToolStart, time.Date(2026, 11, 22, 1, 2, 3, 4, time.UTC)
	if e.SessionID == "" {
		e.SessionID = "s1"
	}
	return e
}

func payloads(t testing.TB) (list [][]byte) {
	t.Helper()
	b, err := os.ReadFile("testdata/payloads.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Split(bytes.TrimSpace(b), []byte("\n"))
}

func TestRealPayloadsHoldNothingAndStayAsTheyAre(t *testing.T) {
	r := New(Options{})
	for _, p := range payloads(t) {
		e := event(schema.Event{Extra: p})
		if got := r.Event(e); string(got.Bytes()) != string(e.AppendJSON(nil)) {
			t.Errorf("changed:\n%s\n%s", p, got.Bytes())
		}
	}
}

func TestEventCountsWhatItTookOut(t *testing.T) {
	aws, _ := expand("AKIA{U16}", "")
	in := event(schema.Event{
		Content:   "first " + token() + " then " + token(),
		ToolInput: object("env", map[string]any{"A": aws, "list": []string{token()}}),
		Redacted:  map[string]int{"github-token": 2, "other": 1},
		Cut:       4,
	})
	before := fmt.Sprint(in.Redacted)
	e := checkLine(t, New(Options{}).Event(in))
	want := map[string]int{"github-token": 5, "aws-access-key-id": 1, "other": 1}
	if diff := cmp.Diff(want, e.Redacted); diff != "" || e.Cut != 4 {
		t.Errorf("counts (-want +got):\n%s, cut %d", diff, e.Cut)
	}
	if e.Content != "first [REDACTED:github-token] then [REDACTED:github-token]" {
		t.Errorf("content %q", e.Content)
	}
	if fmt.Sprint(in.Redacted) != before {
		t.Error("the caller's map was changed")
	}
}

func TestIdsHashesPathsAndImagesAreNeverTouched(t *testing.T) {
	x := func(template string) string { s, _ := expand(template, "id"); return s }
	image := x("{b200}") + "/AKIA" + x("{U16}") + "/" + x("{b3000}") + "=="
	in := event(schema.Event{
		SessionID: x("{uuid}"), AgentID: x("a{x16}"), ToolUseID: x("toolu_01{a22}"), PromptID: x("{uuid}"),
		MessageID: x("msg_01{a22}"), InputHash: x("{x32}"), PromptHash: x("{x64}"), CausedBy: x("{x32}"),
		FrameID: x("{x32}"), TaskID: x("b{y8}"), ParentSessionID: x("{uuid}"), ParentEventID: x("{x32}"),
		RelatedTo: []string{x("{x32}")}, WorkingDirectory: "/home/dev/token/secret_1/password2",
		Content: token(), // makes it look at everything
		Extra: marshal(map[string]any{
			"uuid": x("{uuid}"), "parentUuid": x("{uuid}"), "requestId": x("req_011{a21}"), "session_id": x("{uuid}"), "token_hash": x("{x64}"),
			"commit": x("{x40}"), "integrity": "sha512-" + x("{b86}") + "==", "file_path": "/srv/keys/api_key-2024/id_rsa.pub",
			"transcript_path": "/home/dev/.claude/projects/-x/" + x("{uuid}") + ".jsonl", "cache_key": x("{x64}"), "tokenId": x("{uuid}"),
			"thinking": map[string]any{"type": "thinking", "thinking": "hm", "signature": x("{b400}") + "=="},
			"image":    map[string]any{"type": "base64", "media_type": "image/png", "data": image},
			"file":     map[string]any{"base64": image},
			"url":      "see data:image/png;base64," + image,
			"log":      "commit " + x("{x40}") + "\nAuthor: a <a@b.c>\n e69de29bb2d1d6434b8b29ae775ad8c2e48c5391 go.sum h1:" + x("{b43}") + "=",
			"etag":     x("W/\"{x32}\""), "digest": "sha256:" + x("{x64}"),
		}),
	})
	got := checkLine(t, New(Options{}).Event(in))
	want := in
	want.Content, want.Redacted = "[REDACTED:github-token]", map[string]int{"github-token": 1}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAnUnsafeSessionIDBecomesSafe(t *testing.T) {
	for _, id := range []string{"", "../../etc/passwd", "a b", strings.Repeat("x", 200), "é", "a\nb"} {
		l := New(Options{}).Event(schema.Event{SessionID: id})
		checkLine(t, l)
		if l.Session() != schema.SafeID(id) {
			t.Errorf("%q became %q", id, l.Session())
		}
	}
}

func TestLineKnowsItsType(t *testing.T) {
	if l := New(Options{}).Event(event(schema.Event{})); l.Type() != schema.ToolStart || l.Session() != "s1" {
		t.Errorf("type %q, session %q", l.Type(), l.Session())
	}
}

func TestRawFieldsThatAreNoJSONAreKeptAsStrings(t *testing.T) {
	deep := strings.Repeat("[", 10000) + strings.Repeat("]", 10000)
	for _, raw := range []string{"{", `1,"is_error":true`, `{}{}`, "nul", `{"a":"` + "\n" + `"}`, "\x00", `"` + "\xff" + `"x`, "  ", deep} {
		in := event(schema.Event{ToolInput: []byte(raw), Extra: []byte(raw)})
		e := checkLine(t, New(Options{}).Event(in))
		want := strings.ToValidUTF8(strings.TrimSpace(raw), "\ufffd")
		if e.IsError || want != "" && (schema.Unquote(e.ToolInput) != want || schema.FieldString(e.Extra, schema.MetaPayload) != want) {
			t.Errorf("%.40q became %.80q, %.80q", raw, e.ToolInput, e.Extra)
		}
	}
}

func TestRawFieldsBecomeOneLine(t *testing.T) {
	in := event(schema.Event{
		ToolInput: []byte("\n{\n  \"a\": [1,\r\n 2],\t\"b\": \"x\\ny\"\n}\n"), Result: []byte("\"caf\xe9\""), Metadata: []byte(`[1]`), Extra: []byte("null"),
	})
	e := checkLine(t, New(Options{}).Event(in))
	if string(e.ToolInput) != `{"a":[1,2],"b":"x\ny"}` || string(e.Result) != `"caf`+"\ufffd"+`"` || string(e.Metadata) != `{"payload":"[1]"}` || e.Extra != nil {
		t.Errorf("%s %s %s %s", e.ToolInput, e.Result, e.Metadata, e.Extra)
	}
}

func TestAKeySaysWhatItsValueIs(t *testing.T) {
	for in, want := range map[string]string{
		`{"password":"hunter2!"}`:                            `{"password":"[REDACTED:secret]"}`,
		`{"db":{"user":"u","pass" : "hunter2!"}}`:            `{"db":{"user":"u","pass" : "[REDACTED:secret]"}}`,
		`{"X-Api-Key":["a1b2c3d4e5f6g7h8"]}`:                 `{"X-Api-Key":["[REDACTED:secret]"]}`,
		`{"name":"DB_PASSWORD","value":"hunter2!"}`:          `{"name":"DB_PASSWORD","value":"[REDACTED:secret]"}`,
		`{"p\u0061ssword":"hunter2!"}`:                       `{"p\u0061ssword":"[REDACTED:secret]"}`,
		`{"password":"hunter\u0032!"}`:                       `{"password":"[REDACTED:secret]"}`,
		`{"Authorization":"Bearer a1b2c3d4e5f6"}`:            `{"Authorization":"[REDACTED:secret]"}`,
		`{"password":"string","token":"true","secret":"s"}`:  `{"password":"string","token":"true","secret":"s"}`,
		`{"api_key":"${API_KEY}","token":"<token>"}`:         `{"api_key":"${API_KEY}","token":"<token>"}`,
		`{"password":{"type":"string1!"},"x":["hunter2!"]}`:  `{"password":{"type":"string1!"},"x":["hunter2!"]}`,
		`{"password":[{"a":1},"hunter2!"],"y":"z"}`:          `{"password":[{"a":1},"hunter2!"],"y":"z"}`,
		`{"name":"DB_PASSWORD"},{"value":"hunter2!"}`:        ``,
		`[{"name":"DB_PASSWORD"},{"value":"hunter2!"}]`:      `[{"name":"DB_PASSWORD"},{"value":"hunter2!"}]`,
		`{"token":123456789012,"secret":null,"pwd":"/a/b1"}`: `{"token":123456789012,"secret":null,"pwd":"/a/b1"}`,
	} {
		if want == "" {
			continue
		}
		e := checkLine(t, New(Options{}).Event(event(schema.Event{ToolInput: []byte(in)})))
		if string(e.ToolInput) != want {
			t.Errorf("%s became %s, want %s", in, e.ToolInput, want)
		}
	}
}

func TestPrivateBlocks(t *testing.T) {
	for in, want := range map[string]string{
		"a <private>b</private> c": "a [REDACTED:private] c",
		"<private>b":               "[REDACTED:private]",
		"<PRIVATE>x\ny</Private>z<private></private>": "[REDACTED:private]z[REDACTED:private]",
		"<private>a<private>b</private>c</private>":   "[REDACTED:private]c</private>",
		"</private> <privat> private":                 "</private> <privat> private",
	} {
		e := checkLine(t, New(Options{}).Event(event(schema.Event{Content: in, ToolInput: object("p", in)})))
		if e.Content != want || schema.FieldString(e.ToolInput, "p") != want {
			t.Errorf("%q became %q and %s, want %q", in, e.Content, e.ToolInput, want)
		}
	}
	// An encoder that escapes < and > (Go's own) hides nothing.
	e := checkLine(t, New(Options{}).Event(event(schema.Event{ToolInput: []byte(`{"p":"\u003cprivate\u003eb\u003c/private\u003e, next"}`)})))
	if got := schema.FieldString(e.ToolInput, "p"); got != "[REDACTED:private], next" {
		t.Errorf("%q", got)
	}
}

func TestLongStringsAreCutAfterRedaction(t *testing.T) {
	long := strings.Repeat("0123456789 ", 300)
	straddling := strings.Repeat("x ", 240) + token() + " " + strings.Repeat("y ", 400)
	in := event(schema.Event{Content: long, ErrorMessage: straddling, Result: object("stdout", []string{long, "short"})})
	l := New(Options{MaxString: 1000}).Event(in)
	e := checkLine(t, l)
	mark := fmt.Sprintf("…[cut: %d bytes, sha256:%x]…", len(long), sha256.Sum256([]byte(long)))
	var stdout []string
	if err := json.Unmarshal(schema.Field(e.Result, "stdout"), &stdout); err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{e.Content, stdout[0]} {
		if len(s) > 1000 || !strings.Contains(s, mark) || !strings.HasPrefix(s, long[:400]) || !strings.HasSuffix(s, long[len(long)-400:]) {
			t.Errorf("%d bytes: %q", len(s), s)
		}
	}
	if e.Cut != 3 || stdout[1] != "short" || e.Redacted["github-token"] != 1 {
		t.Errorf("cut %d, %q, %v", e.Cut, stdout[1], e.Redacted)
	}
	for _, half := range []string{token()[:10], token()[len(token())-10:]} {
		if strings.Contains(string(l.Bytes()), half) {
			t.Errorf("half a secret is left: %s", l.Bytes())
		}
	}
}

// TestManySmallValuesAreCut: a value that has no long string is bounded all the same,
// after it was redacted; what readers take apart (positions of files) is not.
func TestManySmallValuesAreCut(t *testing.T) {
	many := marshal(map[string]any{"list": slices.Repeat([]int{1234567}, 2000), "note": "it is " + token()})
	fits := object("list", slices.Repeat([]int{1234567}, 1990))
	r := New(Options{MaxString: 1000})
	e := checkLine(t, r.Event(event(schema.Event{ToolInput: many, Result: fits, Extra: many})))
	text := schema.Unquote(e.ToolInput)
	whole := strings.ReplaceAll(string(many), token(), "[REDACTED:github-token]")
	mark := fmt.Sprintf("…[cut: %d bytes, sha256:%x]…", len(whole), sha256.Sum256([]byte(whole)))
	if len(text) > 1000 || !strings.Contains(text, mark) || !strings.HasPrefix(text, whole[:400]) || !strings.HasSuffix(text, whole[len(whole)-400:]) {
		t.Errorf("%d bytes: %q", len(text), text)
	}
	if e.Cut != 1 || e.Redacted["github-token"] != 2 || string(e.Result) != string(fits) || string(e.Extra) != whole {
		t.Errorf("cut %d, redacted %v, result of %d bytes, extra of %d", e.Cut, e.Redacted, len(e.Result), len(e.Extra))
	}
	if again := checkLine(t, r.Event(e)); string(again.AppendJSON(nil)) != string(e.AppendJSON(nil)) {
		t.Error("redacting twice differs")
	}
	// The longest that a text can be written is no long value.
	if e = checkLine(t, r.Event(event(schema.Event{Result: marshal(strings.Repeat("\x01", 1000))}))); e.Cut != 0 {
		t.Errorf("cut %d: %q", e.Cut, e.Result)
	}
}

func TestWhatFitsIsNotCut(t *testing.T) {
	s := strings.Repeat("a b ", 250)
	e := checkLine(t, New(Options{MaxString: 1000}).Event(event(schema.Event{Content: s, Result: marshal(s)})))
	if e.Content != s || e.Cut != 0 || schema.Unquote(e.Result) != s {
		t.Errorf("cut %d: %q", e.Cut, e.Content)
	}
	// What counts is the text, not how JSON writes it.
	tabs := strings.Repeat("\t", 1000)
	e = checkLine(t, New(Options{MaxString: 1000}).Event(event(schema.Event{Result: marshal(tabs)})))
	if e.Cut != 0 || schema.Unquote(e.Result) != tabs {
		t.Errorf("1000 tabs were cut at 1000 bytes")
	}
}

func TestNewCompilesNothingUntilALiteralTurnsUp(t *testing.T) {
	r := New(Options{})
	for _, p := range payloads(t) {
		r.Event(event(schema.Event{Extra: p}))
	}
	compiled := func() (ids []string) {
		for i := range r.exprs {
			if r.exprs[i].re != nil {
				ids = append(ids, r.rules[i].id)
			}
		}
		return ids
	}
	if ids := compiled(); len(ids) != 0 {
		t.Errorf("clean payloads compiled %v", ids)
	}
	r.Text("x " + token())
	if diff := cmp.Diff([]string{"github-token"}, compiled()); diff != "" {
		t.Error(diff)
	}
}

func TestARedactorServesManyAtOnce(t *testing.T) {
	r := New(Options{})
	done := make(chan string)
	for range 8 {
		go func() { s, _ := r.Text("x " + token()); done <- s }()
	}
	for range 8 {
		if s := <-done; s != "x [REDACTED:github-token]" {
			t.Error(s)
		}
	}
}

// Texts made so that one literal after another asks for work: each must take time
// in proportion to its length.
func TestHostileTextTakesLinearTime(t *testing.T) {
	r := New(Options{})
	for _, unit := range []string{
		"sk-", "eyJ", ".ey", "-----BEGIN PRIVATE KEY-----", "<private>", "://a:", "://a:b@", "password=", "password=\"", "curl -u ", "key-us1", "\\u00", "\\",
		"T3BlbkFJ", "Authorization: ", "token ", "[REDACTED:x]", "://:@", "/IncomingWebhook/", "xoxb-1", "ghp_", "secret: str ",
	} {
		r.Text(strings.Repeat(unit, 100)) // compile
		cost := func(n int) time.Duration {
			s, best := strings.Repeat(unit, n/len(unit)), time.Hour
			for range 3 {
				start := time.Now()
				r.Text(s)
				best = min(best, time.Since(start))
			}
			return best
		}
		if small, large := cost(40_000), cost(320_000); large > 40*small+200*time.Millisecond {
			t.Errorf("%q: %v for 40 kB, %v for 320 kB", unit, small, large)
		} else {
			t.Logf("%q: %v for 40 kB, %v for 320 kB", unit, small, large)
		}
	}
}
