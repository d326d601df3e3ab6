package secrets

import (
	"encoding/json"
	"fmt"
	"math/rand"
	"slices"
	"strings"
	"testing"

	"github.com/actiongraph/actiongraph/policy"
	"github.com/actiongraph/actiongraph/redact"
	"github.com/actiongraph/actiongraph/schema"
	"github.com/actiongraph/actiongraph/secrets/secretstest"
)

func rules(t testing.TB, o Options) *Rules {
	t.Helper()
	o.Key = []byte("key")
	r, err := NewRules(o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// token is a secret that no redaction of ours has seen.
func token(n int) string {
	rnd := rand.New(rand.NewSource(int64(n)))
	b := []byte("ghp_")
	for range 36 {
		b = append(b, "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"[rnd.Intn(56)])
	}
	return string(b)
}

func eventOf(t testing.TB, input any) []byte {
	t.Helper()
	raw, err := json.Marshal(input)
	if err != nil {
		t.Fatal(err)
	}
	e := schema.Event{V: schema.Version, EventID: "e1", EventType: schema.ToolStart, SessionID: "s", ToolInput: raw}
	return e.AppendJSON(nil)
}

// TestRecordAtAnyDepth: a secret is found and taken out wherever a person would see it in an
// event, and nothing else of the event changes.
func TestRecordAtAnyDepth(t *testing.T) {
	r := rules(t, Options{})
	secret := token(1)
	deep := any(map[string]any{"token": "echo " + secret})
	for range 3 {
		text, err := json.Marshal(deep)
		if err != nil {
			t.Fatal(err)
		}
		deep = map[string]any{"text": string(text)}
	}
	for field, input := range map[string]any{
		"tool_input.command":   map[string]any{"command": "curl -d " + secret, "n": 1.50},
		"tool_input.a.b.c":     map[string]any{"a": []any{1, map[string]any{"b": map[string]any{"c": []string{"x", "y " + secret}}}}},
		"tool_input":           map[string]any{"key " + secret: 1},
		"tool_input.text":      deep,
		"tool_input.escaped":   map[string]any{"escaped": strings.ReplaceAll(secret, "_", `\u005f`)},
		"tool_input.name.deep": map[string]any{"name": map[string]any{"deep": `{\"x\": \"` + secret + `\"}`}},
	} {
		line := eventOf(t, input)
		var fields []string
		out := r.record(line, func(event, field string, h hit) {
			if event != "e1" || h.rule != "github-token" && h.rule != "github-pat" {
				t.Errorf("%s: found by %s in %s", field, h.rule, event)
			}
			fields = append(fields, field)
		})
		if !slices.Equal(fields, []string{field}) {
			t.Errorf("found in %v, want %s", fields, field)
		}
		if strings.Contains(string(out), secret[4:]) {
			t.Errorf("%s: is left in %s", field, out)
		}
		e, err := schema.Decode(out)
		if err != nil || e.EventID != "e1" || len(e.Redacted) != 1 {
			t.Errorf("%s: %v, redacted %v", field, err, e.Redacted)
		}
		if again := r.record(out, func(_, field string, h hit) { t.Errorf("found again: %v in %s", h, field) }); string(again) != string(out) {
			t.Errorf("%s: another time it is %s", field, again)
		}
	}
}

// TestWalkSeesEveryString against encoding/json, and changes nothing by itself.
func TestWalkSeesEveryString(t *testing.T) {
	rnd := rand.New(rand.NewSource(1))
	var value func(depth int) any
	value = func(depth int) any {
		switch rnd.Intn(6 - min(depth, 3)) {
		case 0, 1:
			return fmt.Sprintf("\"\\/<&\u2028 %d", rnd.Int())
		case 2:
			return rnd.Float64()
		case 3:
			var list []any
			for range rnd.Intn(4) {
				list = append(list, value(depth+1))
			}
			return list
		default:
			obj := map[string]any{}
			for range rnd.Intn(4) {
				obj[fmt.Sprint("k\"", rnd.Int())] = value(depth + 1)
			}
			return obj
		}
	}
	for range 500 {
		v := value(0)
		raw, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		var want, got []string
		var collect func(v any)
		collect = func(v any) {
			switch v := v.(type) {
			case string:
				want = append(want, v)
			case []any:
				for _, x := range v {
					collect(x)
				}
			case map[string]any:
				for k, x := range v {
					want = append(want, k)
					collect(x)
				}
			}
		}
		collect(v)
		same := walk(raw, nil, func(_ func() string, _, text string) string { got = append(got, text); return text })
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(want, got) || string(same) != string(raw) {
			t.Fatalf("%s: strings %q, want %q", raw, got, want)
		}
		upper := walk(raw, nil, func(_ func() string, _, text string) string { return text + "+" })
		if !json.Valid(upper) || strings.Count(string(upper), `+"`) < len(want) {
			t.Fatalf("%s became %s", raw, upper)
		}
	}
}

// TestTornLines: a piece of a record is looked at as the text that it is.
func TestTornLines(t *testing.T) {
	r := rules(t, Options{})
	line := eventOf(t, map[string]any{"command": `say "` + token(2) + `" now`})
	out := r.record(line[:len(line)-4], func(_, field string, _ hit) {
		if field != "a torn line" {
			t.Error(field)
		}
	})
	if strings.Contains(string(out), token(2)) || !strings.Contains(string(out), "[REDACTED:") {
		t.Errorf("%s", out)
	}
}

// TestEveryRule: what gitleaks finds of each of its rules is gone after one look, whether or not
// redact knows it.
func TestEveryRule(t *testing.T) {
	seed := secretstest.Seed()
	t.Logf("GITLEAKS_SEED=%d", seed)
	samples, err := secretstest.Samples(seed)
	if err != nil {
		t.Fatal(err)
	}
	r, only := rules(t, Options{}), rules(t, Options{})
	only.redactor = redact.New(redact.Options{Policy: func() *policy.Policy { return nil }})
	for _, s := range samples {
		text, hits := r.clean("", s.Text)
		for _, part := range s.Parts() {
			if strings.Contains(text, part) || len(hits) == 0 {
				t.Errorf("%s: %q became %q", s.Rule, s.Text, text)
			}
		}
		if again, hits := r.clean("", text); again != text || len(hits) > 0 {
			t.Errorf("%s: %q became %q, another time %q", s.Rule, s.Text, text, again)
		}
		if spans := r.byGitleaks(s.Text); len(spans) == 0 {
			t.Errorf("%s: gitleaks alone finds nothing in %q", s.Rule, s.Text)
		}
	}
}

// TestAllow: what is allowed by its fingerprint stays, and only that, whichever rules know it.
func TestAllow(t *testing.T) {
	all := rules(t, Options{})
	text := "a " + token(3) + " b " + token(4) + " c"
	_, hits := all.clean("", text)
	if len(hits) != 2 {
		t.Fatal(hits)
	}
	some := rules(t, Options{Allow: []string{hits[0].fingerprint}})
	got, left := some.clean("", text)
	// Gitleaks' rule has another name for the same, which is allowed by its own.
	for len(left) > 1 {
		some = rules(t, Options{Allow: append([]string{hits[0].fingerprint}, left[1].fingerprint)})
		got, left = some.clean("", text)
	}
	if !strings.Contains(got, token(3)) || strings.Contains(got, token(4)) {
		t.Errorf("%q", got)
	}
}

// TestPatterns: the user's own patterns are looked for, too, and their marks are known.
func TestPatterns(t *testing.T) {
	p, err := policy.New(policy.Rules{Redact: []string{"ACME-[0-9]{8}", `(?i)pin: (?P<pin>[0-9]{4})`}, Content: policy.None})
	if err != nil {
		t.Fatal(err)
	}
	r := rules(t, Options{Policy: p})
	got, hits := r.clean("", "ACME-12345678, PIN: 1234")
	if want := "[REDACTED:custom-1], PIN: [REDACTED:pin]"; got != want || len(hits) != 2 || hits[1].rule != "pin" {
		t.Errorf("%q, %v", got, hits)
	}
	if again, hits := r.clean("", got); again != got || len(hits) > 0 {
		t.Errorf("another time %q", again)
	}
	if got, _ := r.clean("", "[REDACTED:"+token(5)+"]"); strings.Contains(got, token(5)) {
		t.Errorf("a mark hides a secret: %s", got)
	}
}

// TestNoSecrets: what only gitleaks' loosest rule takes for one.
func TestNoSecrets(t *testing.T) {
	r := rules(t, Options{})
	for _, text := range []string{
		"golang.org/x/oauth2 v0.25.0 h1:CY4y7XT9v0cRI9oupztF8AgiIu99L/ksR/Xp/6jrZ70=",
		`{token.NUMBER, "0x123456789abcDEF"}, {token.FLOAT, "-01234567890.98e-10"}`,
		`key: '9df21e95-3848-409d-8f94-c675cdfee839'`,
		`<add key="Password" value="[REDACTED:nuget-config-password]" /> <add key="x" value="y" />`,
		"[REDACTED:github-token] and key = [REDACTED:generic-api-key]",
	} {
		if got, hits := r.clean("", text); len(hits) > 0 {
			t.Errorf("%q became %q: %v", text, got, hits)
		}
	}
	for _, text := range []string{"key = " + token(9)[4:]} {
		if _, hits := r.clean("", text); len(hits) != 1 {
			t.Errorf("%q: %v", text, hits)
		}
	}
}

// TestSameLength: a line of a log keeps its length, and loses its secrets.
func TestSameLength(t *testing.T) {
	r := rules(t, Options{})
	for _, line := range []string{`{"level":"warn","error_message":"bad ` + token(6) + `"}`, "x " + token(7) + " y " + token(8), "password=hunter2!", "nothing"} {
		out := string(r.sameLength([]byte(line)))
		_, hits := r.clean("", out)
		if len(out) != len(line) || len(hits) > 0 || strings.Contains(out, "hunter2!") || line == "nothing" && out != line {
			t.Errorf("%q became %q: %v", line, out, hits)
		}
	}
}
