package settings

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

var recorder1 = Recorder{Binary: "/opt/ag/ag-hook", Args: []string{"claude"}, Events: []string{"SessionStart", "SessionEnd", "PreToolUse", "Stop"}}

func install(t interface {
	Helper()
	Fatalf(string, ...any)
}, text string, r Recorder) string {
	t.Helper()
	out, err := Install([]byte(text), r)
	if err != nil {
		t.Fatalf("install into %q: %v", text, err)
	}
	return string(out)
}

func uninstall(t interface {
	Helper()
	Fatalf(string, ...any)
}, text string) string {
	t.Helper()
	out, err := Uninstall([]byte(text))
	if err != nil {
		t.Fatalf("uninstall from %q: %v", text, err)
	}
	return string(out)
}

func TestInstallText(t *testing.T) {
	r := Recorder{Binary: "/b/ag-hook", Args: []string{"claude"}, Events: []string{"Stop"}}
	const one = `{"hooks": [{"type": "command", "command": "/b/ag-hook", "args": ["claude"]}]}`
	for _, c := range []struct{ name, before, after string }{
		{"no file", "", `{
  "hooks": {
    "Stop": [
      {
        "hooks": [
          {
            "type": "command",
            "command": "/b/ag-hook",
            "args": [
              "claude"
            ]
          }
        ]
      }
    ]
  }
}
`},
		{"an object", "{}\n", strings.ReplaceAll(`{
  "hooks": {
    "Stop": [
      {
        "hooks": [
          {
            "command": "/b/ag-hook",
            "type": "command",
            "args": [
              "claude"
            ]
          }
        ]
      }
    ]
  }
}
`, "\r", "")},
		{"one line", `{"model":"opus","x":[1, 2]}`,
			`{"model":"opus","x":[1, 2],"hooks":{"Stop":[` + strings.NewReplacer(": ", ":", ", ", ",").Replace(one) + `]}}`},
		{"tabs and CRLF", "\uFEFF{\r\n\t\"model\" : 1e2\r\n}\r\n",
			"\uFEFF{\r\n\t\"model\" : 1e2,\r\n\t\"hooks\": {\r\n\t\t\"Stop\": [\r\n\t\t\t{\r\n\t\t\t\t\"hooks\": [\r\n\t\t\t\t\t{\r\n\t\t\t\t\t\t\"type\": \"command\",\r\n\t\t\t\t\t\t\"command\": \"/b/ag-hook\",\r\n\t\t\t\t\t\t\"args\": [\r\n\t\t\t\t\t\t\t\"claude\"\r\n\t\t\t\t\t\t]\r\n\t\t\t\t\t}\r\n\t\t\t\t]\r\n\t\t\t}\r\n\t\t]\r\n\t}\r\n}\r\n"},
		{"another's hook on the event", `{ "hooks": { "Stop": [ {"hooks": [{"type": "command", "command": "x"}]} ] } }`,
			`{ "hooks": { "Stop": [ {"hooks": [{"type": "command", "command": "x"}]}, ` + one + ` ] } }`},
		{"a list without groups", `{"hooks": {"Stop": [ ]}}`,
			`{"hooks": {"Stop": [` + `{"hooks": [{"type": "command", "args": ["claude"], "command": "/b/ag-hook"}]}` + ` ]}}`},
	} {
		if got := install(t, c.before, r); got != c.after {
			t.Errorf("%s: %q is\n%s\nwant\n%s", c.name, c.before, got, c.after)
		}
		if got := uninstall(t, c.after); got != c.before {
			t.Errorf("%s: uninstalled %q, want %q", c.name, got, c.before)
		}
	}
}

// TestInstallUnlimits: an entry of ours is for all of its event, whatever is around it, and what is
// another's stays as it was.
func TestInstallUnlimits(t *testing.T) {
	r := Recorder{Binary: "/b/ag-hook", Args: []string{"claude"}, Events: []string{"PreToolUse"}}
	const (
		ours  = `{"type":"command","command":"/b/ag-hook","args":["claude"]}`
		other = `{"type":"command","command":"x"}`
	)
	in := func(groups string) string { return `{"hooks":{"PreToolUse":[` + groups + `]}}` }
	for name, c := range map[string]struct{ before, after string }{
		"alone":          {in(`{"matcher":"Bash","hooks":[` + ours + `]}`), in(`{"hooks":[` + ours + `]}`)},
		"several":        {in(`{"matcher":"Bash","hooks":[` + ours + `]},{"matcher":"Read","hooks":[` + ours + `]}`), in(`{"hooks":[` + ours + `]}`)},
		"shared":         {in(`{"matcher":"Bash","hooks":[` + other + `,` + ours + `]}`), in(`{"matcher":"Bash","hooks":[` + other + `]},{"hooks":[` + ours + `]}`)},
		"shared first":   {in(`{"matcher":"Bash","hooks":[` + other + `,` + ours + `]},{"hooks":[` + ours + `],"matcher":"Read"}`), in(`{"matcher":"Bash","hooks":[` + other + `]},{"hooks":[` + ours + `]}`)},
		"if":             {in(`{"hooks":[{"if":"Bash(git *)",` + ours[1:] + `]}`), in(`{"hooks":[` + ours + `]}`)},
		"async":          {in(`{"hooks":[` + ours[:len(ours)-1] + `,"async":true}]}`), in(`{"hooks":[` + ours + `]}`)},
		"not async":      {in(`{"hooks":[` + ours[:len(ours)-1] + `,"async":false}]}`), in(`{"hooks":[` + ours[:len(ours)-1] + `,"async":false}]}`)},
		"if, at the end": {in(`{"hooks":[` + ours[:len(ours)-1] + `,"if":"Bash(git *)"}]}`), in(`{"hooks":[` + ours + `]}`)},
		"another's":      {in(`{"matcher":"Bash","hooks":[{"if":"Bash(git *)",` + other[1:] + `]}`), in(`{"matcher":"Bash","hooks":[{"if":"Bash(git *)",` + other[1:] + `]},{"hooks":[` + ours + `]}`)},
		"wrapped":        {in(`{"matcher":"Bash","hooks":[{"type":"command","command":"timeout 5 ag-hook claude"}]}`), in(`{"matcher":"Bash","hooks":[{"type":"command","command":"timeout 5 ag-hook claude"}]}`)},
		"options first":  {in(`{"hooks":[{"type":"command","command":"ag-hook --home /x claude"}]}`), in(`{"hooks":[` + ours + `]}`)},
	} {
		got := install(t, c.before, r)
		if got != c.after {
			t.Errorf("%s:\n%s\nwant\n%s", name, got, c.after)
		}
		if again := install(t, got, r); again != got {
			t.Errorf("%s, the second time:\n%s", name, again)
		}
	}
	// Its matcher says which files are watched.
	watched := `{"hooks":{"FileChanged":[{"matcher":".env","hooks":[` + ours + `]}]}}`
	r.Events = []string{"FileChanged"}
	if got := install(t, watched, r); got != watched {
		t.Errorf("FileChanged: %s", got)
	}
}

func TestInstallMends(t *testing.T) {
	r := Recorder{Binary: "/new/ag-hook", Args: []string{"claude", "--home", "/h"}, Events: []string{"Stop", "SessionEnd"}}
	before := `{
  "hooks": {
    "Stop": [
      {"matcher": "", "hooks": [
        {"type": "command", "command": "first"},
        {"type": "command", "command": "/old/ag-hook claude", "timeout": 7, "mine": true},
        {"type": "command", "command": "/old/ag-hook", "args": ["claude"]}
      ]},
      {"matcher": "Bash", "hooks": [{"type": "command", "command": "/older/ag-hook", "args": ["claude"]}]}
    ],
    "SessionEnd": [{"hooks": [{"type": "command", "command": "C:\\x\\ag-hook.exe", "args": ["claude"]}]}],
    "WorktreeCreate": [{"hooks": [{"type": "command", "command": "ag-hook", "args": ["claude"]}]}],
    "PreCompact": [{"hooks": [{"type": "command", "command": "ag-hook events"}, {"type": "command", "command": "ag-hook claude"}]}]
  }
}`
	want := `{
  "hooks": {
    "Stop": [
      {"matcher": "", "hooks": [
        {"type": "command", "command": "first"},
        {"type": "command", "command": "/new/ag-hook", "timeout": 7, "mine": true, "args": ["claude", "--home", "/h"]}
      ]}
    ],
    "SessionEnd": [{"hooks": [{"type": "command", "command": "/new/ag-hook", "args": ["claude", "--home", "/h"]}]}],
    "PreCompact": [{"hooks": [{"type": "command", "command": "ag-hook events"}]}]
  }
}`
	got := install(t, before, r)
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if again := install(t, got, r); again != got {
		t.Errorf("the second time\n%s", again)
	}
	left := uninstall(t, got)
	want = `{
  "hooks": {
    "Stop": [
      {"matcher": "", "hooks": [
        {"type": "command", "command": "first"}
      ]}
    ],
    "PreCompact": [{"hooks": [{"type": "command", "command": "ag-hook events"}]}]
  }
}`
	if left != want {
		t.Errorf("uninstalled\n%s\nwant\n%s", left, want)
	}
}

// A line that does more than call ag-hook is not touched.
func TestInstallLeavesAlone(t *testing.T) {
	r := Recorder{Binary: "/b/ag-hook", Args: []string{"claude"}, Events: []string{"Stop"}}
	for _, text := range []string{
		`{"hooks":{"Stop":[{"matcher":"Bash","hooks":[{"type":"command","command":"sh -c 'ag-hook claude'"}]}]}}`,
		`{"hooks":{"Stop":[{"hooks":[{"type":"command","command":"tee /tmp/log | ag-hook claude"}]}]}}`,
	} {
		if got := install(t, text, r); got != text {
			t.Errorf("%s\nbecame\n%s", text, got)
		}
	}
	wrapped := `{"hooks":{"Stop":[{"hooks":[{"type":"command","command":"tee /tmp/log | ag-hook claude"}]}]}}`
	if got := uninstall(t, wrapped); got != wrapped {
		t.Errorf("%s\nbecame\n%s", wrapped, got)
	}
}

func TestInstallRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"{\"hooks\": []}":                    "line 1, column 11: \"hooks\" is no object",
		"{\"hooks\": null}":                  "no object",
		"{\n  \"hooks\": {\"Stop\": {}}\n}":  "line 2, column 21: the hooks of \"Stop\" are no list",
		"{\"a\": 1,}":                        "line 1, column 9",
		"{} // mine":                         "line 1, column 4",
		"[1]":                                "no object",
		"{\"a\": 'x'}":                       "line 1, column 7",
		"\xff\xfe{\x00}\x00":                 "is UTF-16",
		"\uFEFF{\n\t\"a\": 1\n\t\"b\": 2\n}": "line 3, column 2",
	} {
		if out, err := Install([]byte(text), recorder1); err == nil || out != nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %q, %v, want %s", text, out, err, want)
		}
		_, err := Uninstall([]byte(text))
		if bad := !json.Valid([]byte(strings.TrimPrefix(text, bom))) || text == "[1]"; bad != (err != nil) {
			t.Errorf("uninstall from %q: %v", text, err)
		}
	}
	for _, r := range []Recorder{{Binary: "/\xff", Events: []string{"Stop"}}, {Binary: "/b"}} {
		if _, err := Install(nil, r); err == nil {
			t.Errorf("%+v was installed", r)
		}
	}
}

// A member that hid another of its name, which no parser but JSON.parse's would read, must
// not bring that to life when it goes.
func TestUninstallKeepsTheDeadDead(t *testing.T) {
	const ours = `[{"hooks":[{"type":"command","command":"ag-hook claude"}]}]`
	for text, want := range map[string]string{
		`{"hooks":{"Stop":[{"hooks":[{"type":"command","command":"x"}]}]},"hooks":{"Stop":` + ours + `}}`: `{"hooks":{"Stop":[{"hooks":[{"type":"command","command":"x"}]}]},"hooks":{}}`,
		`{"hooks":{"Stop":[1],"Stop":` + ours + `}}`:                                                      `{"hooks":{"Stop":[1],"Stop":[]}}`,
	} {
		if got := uninstall(t, text); got != want {
			t.Errorf("%s\nbecame\n%s\nwant\n%s", text, got, want)
		}
	}
}

// drawSettings is a settings file that a person, or a program, could have written: any JSON with
// any white space, the keys that matter more often than others.
func drawSettings(t *rapid.T) string {
	space := rapid.SampledFrom([]string{"", "", "", " ", "\n", "\n  ", "\n    ", "\t", "\r\n", "\r\n\t", "\n\n"})
	names := rapid.SampledFrom([]string{"hooks", "hooks", "Stop", "PreToolUse", "SessionEnd", "Other", "matcher", "type", "command", "args", "a", "h\\u006foks", "é", ""})
	leaf := rapid.SampledFrom([]string{`1e5`, `-0.10`, `true`, `null`, `"x"`, `"\u00e9\/"`, `"command"`, `"tool claude"`, `[]`, `{}`, `"*"`})
	var b strings.Builder
	var value func(depth int)
	list := func(depth int, open, shut string, one func()) {
		b.WriteString(open)
		n := rapid.IntRange(0, 3).Draw(t, "n")
		for i := range n {
			if i > 0 {
				b.WriteString(space.Draw(t, "s") + ",")
			}
			b.WriteString(space.Draw(t, "s"))
			one()
		}
		b.WriteString(space.Draw(t, "s") + shut)
	}
	member := func(depth int) func() {
		return func() {
			b.WriteString(`"` + names.Draw(t, "name") + `"` + space.Draw(t, "s") + ":" + space.Draw(t, "s"))
			value(depth - 1)
		}
	}
	value = func(depth int) {
		switch kind := rapid.IntRange(0, 5).Draw(t, "kind"); {
		case depth > 0 && kind < 3:
			list(depth, "{", "}", member(depth))
		case depth > 0 && kind < 5:
			list(depth, "[", "]", func() { value(depth - 1) })
		default:
			b.WriteString(leaf.Draw(t, "leaf"))
		}
	}
	b.WriteString(rapid.SampledFrom([]string{"", "", "", bom}).Draw(t, "bom"))
	b.WriteString(space.Draw(t, "s"))
	if rapid.IntRange(0, 9).Draw(t, "blank") > 0 {
		list(7, "{", "}", member(7))
	}
	b.WriteString(space.Draw(t, "s"))
	return b.String()
}

func drawRecorder(t *rapid.T) Recorder {
	r := Recorder{Binary: rapid.SampledFrom([]string{"/b/ag-hook", `C:\a b\ag-hook.exe`}).Draw(t, "binary"), Args: []string{"claude"}}
	if rapid.Bool().Draw(t, "home") {
		r.Args = append(r.Args, "--home", "/é\n\"<h>")
	}
	events := []string{"Stop", "PreToolUse", "SessionEnd", "Setup"}
	r.Events = events[rapid.IntRange(0, 3).Draw(t, "from"):]
	return r
}

// checkInverse holds what Install and Uninstall promise for one text.
func checkInverse(t interface {
	Helper()
	Fatalf(string, ...any)
}, text string, r Recorder) {
	t.Helper()
	out, err := Install([]byte(text), r)
	if err != nil {
		return
	}
	if got := uninstall(t, string(out)); got != text {
		t.Fatalf("%q\ninstalled\n%q\nuninstalled\n%q", text, out, got)
	}
	if again := install(t, string(out), r); again != string(out) {
		t.Fatalf("%q\ninstalled\n%q\nagain\n%q", text, out, again)
	}
	counts := map[string]int{}
	d, err := parse(out)
	if err != nil {
		t.Fatalf("%q became %q: %v", text, out, err)
	}
	for _, e := range d.entries(member(&d.root, "hooks")) {
		if e.Ours() {
			counts[e.Event]++
			if e.Command != r.Binary || !slices.Equal(e.Args, r.Args) || e.Matcher != "" || e.Type != "command" {
				t.Fatalf("registered %+v", e)
			}
		}
	}
	for _, event := range r.Events {
		if counts[event] != 1 {
			t.Fatalf("%q\ninstalled\n%q\nhas %s %d times", text, out, event, counts[event])
		}
	}
	if len(counts) != len(r.Events) {
		t.Fatalf("%q\ninstalled\n%q\nhas %v", text, out, counts)
	}
	// Another version: other events, another place.
	other := Recorder{Binary: "/other/ag-hook", Args: []string{"claude"}, Events: append([]string{"Added"}, r.Events[1:]...)}
	moved := install(t, string(out), other)
	if got := uninstall(t, moved); canonical(t, got) != canonical(t, text) {
		t.Fatalf("%q\ninstalled\n%q\nmoved\n%q\nuninstalled\n%q", text, out, moved, got)
	}
}

// canonical is what a text says, without the objects and lists that hold nothing, which a
// change of events may leave or take.
func canonical(t interface{ Fatalf(string, ...any) }, text string) string {
	text = strings.TrimSpace(strings.TrimPrefix(text, bom))
	if text == "" {
		return "null"
	}
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	var strip func(v any) any
	strip = func(v any) any {
		switch v := v.(type) {
		case map[string]any:
			for k, e := range v {
				if v[k] = strip(e); v[k] == nil {
					delete(v, k)
				}
			}
			if len(v) == 0 {
				return nil
			}
		case []any:
			if len(v) == 0 {
				return nil
			}
		}
		return v
	}
	out, err := json.Marshal(strip(v))
	if err != nil {
		t.Fatalf("%v", err)
	}
	return string(out)
}

func TestUninstallIsTheInverse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { checkInverse(t, drawSettings(t), drawRecorder(t)) })
}

// hasOurs reports whether any text anywhere in a document may be taken for ours, dead or alive.
func hasOurs(text string) bool {
	return strings.Contains(strings.ToLower(text), "ag-hook") || strings.Contains(text, `\u`)
}

func FuzzInverse(f *testing.F) {
	for _, text := range []string{"", "{}", "{\n}", "\uFEFF", "\r\n", `{"hooks":{}}`, `{"hooks":{"Stop":[]}}`, `{"hooks":{"Stop":[ ]}, "x":1}`,
		"{\n\t\"hooks\": {\n\t}\n}\n", "{\n\"a\":1\n}", `{"hooks":{"Stop":[{"hooks":[]}]}}`, `{"a":1 , "b":2 }`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if hasOurs(text) {
			if _, err := Install([]byte(text), recorder1); err == nil {
				uninstall(t, install(t, text, recorder1))
			}
			return
		}
		checkInverse(t, text, recorder1)
	})
}

// Everything else stays, byte for byte: what is left without ours is the text, in order.
func TestInstallOnlyAdds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := drawSettings(t)
		out, err := Install([]byte(text), drawRecorder(t))
		if err != nil {
			return
		}
		rest := out
		for _, c := range []byte(text) {
			i := bytes.IndexByte(rest, c)
			if i < 0 {
				t.Fatalf("%q\nis not in\n%q", text, out)
			}
			rest = rest[i+1:]
		}
	})
}

func TestInstallBig(t *testing.T) {
	var b strings.Builder
	b.WriteString(`{"permissions":{"allow":[`)
	for i := range 40000 {
		fmt.Fprintf(&b, "%q,", fmt.Sprintf("Bash(command number %d)", i))
	}
	b.WriteString(`"x"]}}`)
	checkInverse(t, b.String(), recorder1)
}

func TestEntriesOfInstall(t *testing.T) {
	text := install(t, `{"hooks":{"Stop":[{"hooks":[{"type":"command","command":"x"}]}]}}`, recorder1)
	d, err := parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range d.entries(member(&d.root, "hooks")) {
		got = append(got, fmt.Sprintf("%s %s %v %v", e.Event, e.Command, e.Args, e.Timeout))
	}
	want := []string{"Stop x [] 0", "Stop /opt/ag/ag-hook [claude] 0", "SessionStart /opt/ag/ag-hook [claude] 0",
		"SessionEnd /opt/ag/ag-hook [claude] 10", "PreToolUse /opt/ag/ag-hook [claude] 0"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
