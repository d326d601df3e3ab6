package settings

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// drawMixed is a settings file in which entries of ours, old ones, doubled ones and limited
// ones, are among those of others.
func drawMixed(t *rapid.T) string {
	handlers := rapid.SampledFrom([]string{
		`{"type":"command","command":"/x/ag-hook","args":["claude"]}`,
		`{"args":["claude"],"type":"command","command":"/b/ag-hook"}`,
		`{"command":"/x/ag-hook.exe claude --home /h","type":"command","timeout":3}`,
		`{"type":"command","command":"tee log | ag-hook claude"}`,
		`{"type":"command","command":"/usr/bin/other"}`,
		`{"type":"http","url":"http://localhost/ag-hook claude"}`,
		`{"type":"command","command":"ag-hook events"}`, `7`, `{}`,
	})
	var events []string
	for _, name := range []string{"Stop", "Setup", "WorktreeCreate", "PreToolUse"} {
		if rapid.Bool().Draw(t, "event") {
			groups := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) string {
				matcher := rapid.SampledFrom([]string{``, `"matcher":"",`, `"matcher":"*",`, `"matcher":"Bash",`, `"matcher":"Edit",`}).Draw(t, "matcher")
				list := rapid.SliceOfN(handlers, 0, 3).Draw(t, "handlers")
				return fmt.Sprintf(`{%s"hooks":[%s]}`, matcher, join(list))
			}), 0, 3).Draw(t, "groups")
			events = append(events, fmt.Sprintf(`%q:[%s]`, name, join(groups)))
		}
	}
	text := fmt.Sprintf(`{"a":1,"hooks":{%s}}`, join(events))
	if rapid.Bool().Draw(t, "indented") {
		out, err := json.MarshalIndent(json.RawMessage(text), "", "\t")
		if err != nil {
			t.Fatal(err)
		}
		text = string(out) + "\n"
	}
	return text
}

func join(list []string) (all string) {
	for i, s := range list {
		if i > 0 {
			all += ","
		}
		all += s
	}
	return all
}

// of are the entries of a text that is says, without their lines.
func of(t *rapid.T, text string, is func(Entry) bool) (all []string) {
	d, err := parse([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	for _, e := range d.entries(member(&d.root, "hooks")) {
		if is(e) {
			e.Line = 0
			all = append(all, fmt.Sprintf("%+v", e))
		}
	}
	return all
}

func others(e Entry) bool { return !clean(e) }

func TestOnlyOursChange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := drawMixed(t)
		r := Recorder{Binary: "/b/ag-hook", Args: []string{"claude"}, Events: []string{"Setup", "Stop"}}
		before := of(t, text, others)
		out := install(t, text, r)
		left := uninstall(t, out)
		for what, now := range map[string]string{"install": out, "uninstall": left, "uninstall at once": uninstall(t, text)} {
			if got := of(t, now, others); !slices.Equal(got, before) {
				t.Fatalf("%s made of\n%s\n%s\nothers were %q, are %q", what, text, now, before, got)
			}
			if ours := of(t, now, clean); what != "install" && len(ours) > 0 {
				t.Fatalf("%s left %q in\n%s", what, ours, now)
			}
		}
		if again := uninstall(t, left); again != left {
			t.Fatalf("uninstalled again\n%s", again)
		}
		if again := install(t, out, r); again != out {
			t.Fatalf("%s\ninstalled\n%s\nagain\n%s", text, out, again)
		}
		seen := map[string]bool{}
		for _, e := range readEntries(t, out) {
			switch id := e.Event + " " + e.Matcher; {
			case !clean(e):
			case e.Command != r.Binary || !e.Exec || !slices.Equal(e.Args, r.Args) || !slices.Contains(r.Events, e.Event) || seen[id]:
				t.Fatalf("%s\ninstalled\n%s\nhas %+v", text, out, e)
			default:
				seen[id] = true
			}
		}
		for _, event := range r.Events {
			if !slices.ContainsFunc(readEntries(t, out), func(e Entry) bool {
				return e.Event == event && e.Ours() && (e.Wrapped() || e.Every() && e.If == "")
			}) {
				t.Fatalf("%s\ninstalled\n%s\nhas no %s", text, out, event)
			}
		}
	})
}

func readEntries(t *rapid.T, text string) []Entry {
	d, err := parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return d.entries(member(&d.root, "hooks"))
}
