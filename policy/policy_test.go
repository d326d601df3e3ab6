package policy

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/actiongraph/actiongraph/schema"
)

func policyOf(t testing.TB, r Rules) *Policy {
	t.Helper()
	p, err := New(r)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestProject(t *testing.T) {
	for glob, c := range map[string]struct{ in, out string }{
		"/home/me/secret":      {"/home/me/secret /home/me/secret/ /home/me/secret/a/b /home/me/x/../secret", "/home/me /home/me/secrets /home/me/Secret secret relative/secret"},
		"/home/me/secret/**":   {"/home/me/secret /home/me/secret/a /home/me/secret/a/b", "/home/me /home/me/secrets"},
		"/home/me/secret/":     {"/home/me/secret/a", "/home/me"},
		"/home/*/secret":       {"/home/me/secret /home/you/secret/a", "/home/secret /home/a/b/secret"},
		"**/secret":            {"/secret /a/secret /a/b/secret/c", "/secrets /a"},
		"/a/**/z":              {"/a/z /a/b/z /a/b/c/z/d", "/a /z /b/a/z"},
		"/a/**/b/**/c":         {"/a/b/c /a/x/b/y/z/c/d", "/a/c/b"},
		"/a/s*t/[xy]":          {"/a/secret/x /a/st/y/z", "/a/secret/z /a/secret"},
		"/app/[x]/z":           {"/app/[x]/z /app/[x]/z/a /app/x/z", "/app/y/z /app/[x]"},
		`C:\Users\me\secret`:   {`C:\Users\me\secret\a C:/Users/me/secret`, `C:\Users\me D:\Users\me\secret`},
		"/weird name/[a-c]]/*": {"/weird", "/x"},
	} {
		p := policyOf(t, Rules{ExcludeProjects: []string{glob}})
		if glob == "/weird name/[a-c]]/*" {
			if p.Project("/weird name/b]/x") == 0 || p.Project("/weird name/b]") != 0 {
				t.Error(glob)
			}
			continue
		}
		for _, dir := range strings.Fields(c.in) {
			if p.Project(dir) == 0 {
				t.Errorf("%s does not mean %s", glob, dir)
			}
		}
		for _, dir := range strings.Fields(c.out) {
			if p.Project(dir) != 0 {
				t.Errorf("%s means %s", glob, dir)
			}
		}
	}
	for _, all := range []string{"/", "**", "/*", "/**/*", "**/*", "/*/**", "/?*", "/*/*"} {
		if _, err := New(Rules{ExcludeProjects: []string{all}}); err == nil || !strings.Contains(err.Error(), "everything") {
			t.Errorf("%s: %v", all, err)
		}
	}
	fold := policyOf(t, Rules{ExcludeProjects: []string{`C:\Users\Me\Secret`}, FoldCase: true})
	if fold.Project(`c:\users\me\secret\x`) == 0 {
		t.Error("in another case")
	}
	two := policyOf(t, Rules{ExcludeProjects: []string{"/a", "/b"}})
	if d := two.Project("/b/c"); d == 0 || d == two.Project("/a") || !policyOf(t, Rules{ExcludeProjects: []string{"/b"}}).HasProject(d) ||
		policyOf(t, Rules{ExcludeProjects: []string{"/a"}}).HasProject(d) || (*Policy)(nil).HasProject(d) {
		t.Error("the rule that left a session out is not known again")
	}
}

// FuzzProject holds the globs without brackets against a regular expression.
func FuzzProject(f *testing.F) {
	f.Add("/a/**/b*", "/a/x/bc/d")
	f.Add("**/**/a", "/b/a")
	f.Add("/a/*/**", "/a/b")
	f.Fuzz(func(t *testing.T, glob, dir string) {
		if !utf8.ValidString(glob) || !utf8.ValidString(dir) || strings.ContainsAny(glob+dir, `[]\?`) || strings.Contains(glob, "..") || strings.Count(glob, "**") > 3 || len(glob)+len(dir) > 60 {
			return
		}
		p, err := New(Rules{ExcludeProjects: []string{glob}})
		if err != nil {
			return
		}
		expr := "^"
		for _, part := range split(glob, false) {
			if part == "**" {
				expr += "(?:/[^/]+)*"
				continue
			}
			expr += "/" + strings.ReplaceAll(regexp.QuoteMeta(part), `\*`, "[^/]*")
		}
		re := regexp.MustCompile("(?s)" + expr + "(?:/|$)")
		want := false
		if parts := split(dir, false); len(parts) > 0 {
			want = re.MatchString("/" + strings.Join(parts, "/"))
		}
		if got := p.Project(dir) != 0; dir != "" && got != want {
			t.Fatalf("%q means %q: %v, %s says %v", glob, dir, got, expr, want)
		}
	})
}

func TestTool(t *testing.T) {
	p := policyOf(t, Rules{ExcludeTools: []string{"Read", "mcp__*", "Web*h"}})
	for name, want := range map[string]bool{
		"Read": true, "read": false, "ReadMore": false, "mcp__a__b": true, "WebFetch": true, "WebSearch": true, "Web": false, "": false,
	} {
		if p.Tool(name) != want {
			t.Errorf("%q: %v", name, !want)
		}
	}
}

// TestUnderstoodByNobody: what no adapter could read may be of what is left out.
func TestUnderstoodByNobody(t *testing.T) {
	payload := schema.Event{EventType: schema.Unknown, Metadata: []byte(`{"payload":"{\"cwd\":\"/secret\" a text"}`)}
	tool := schema.Event{EventType: schema.Unknown, Extra: []byte(`{"tool_name":"Read","tool_input":{"x":"a text"}}`)}
	other := schema.Event{EventType: schema.Unknown, Extra: []byte(`{"tool_name":"Write","tool_input":{"x":"a text"}}`)}
	batch := schema.Event{EventType: schema.Unknown, Extra: []byte(`{"tool_calls":[{"tool_name":"Read","tool_input":{"x":"a text"}}]}`)}
	progress := schema.Event{EventType: schema.Unknown, Extra: []byte(`{"parentToolUseID":"t9","data":"a text"}`)}
	for _, c := range []struct {
		rules Rules
		e     schema.Event
		kept  bool
	}{
		{Rules{ExcludeProjects: []string{"/secret"}}, payload, false},
		{Rules{ExcludeTools: []string{"Read"}}, payload, false},
		{Rules{MaxChars: 1000}, payload, true},
		{Rules{ExcludeTools: []string{"Read"}}, tool, false},
		{Rules{ExcludeTools: []string{"Read"}}, other, true},
		{Rules{ExcludeTools: []string{"Read"}}, batch, false},
		{Rules{ExcludeTools: []string{"Read"}}, progress, false},
	} {
		e := c.e
		NewKeeper(policyOf(t, c.rules), nil, "").Withhold(&e)
		if got := strings.Contains(string(e.Extra)+string(e.Metadata), "a text"); got != c.kept {
			t.Errorf("%+v: %s %s", c.rules, e.Extra, e.Metadata)
		}
	}
}

// TestFailures: which failure of the recording it was, and where, is kept of an event that says so; its texts are
// not, and of an agent's own event neither is a reason that is a text.
func TestFailures(t *testing.T) {
	k := NewKeeper(policyOf(t, Rules{Content: None}), nil, "")
	e := schema.Event{EventType: schema.Error, SourceSDK: schema.Recorder, Reason: "transcript.broken_line", ErrorMessage: "not a text",
		Extra: []byte(`{"rule":"aws-access-key-id","store":"sqlite","line":3,"broken_lines":2,"offset":17,"path":"/a text"}`)}
	k.Withhold(&e)
	if want := `"rule":"aws-access-key-id","store":"sqlite","line":3,"broken_lines":2,"offset":17`; e.Reason != "transcript.broken_line" || !strings.Contains(string(e.Extra), want) {
		t.Errorf("%q %s", e.Reason, e.Extra)
	}
	if strings.Contains(e.ErrorMessage+string(e.Extra), "a text") {
		t.Errorf("%q %s", e.ErrorMessage, e.Extra)
	}
	text := schema.Event{EventType: schema.Error, SourceSDK: schema.Recorder, Reason: "this is a text"}
	agents := schema.Event{EventType: schema.Error, Reason: "its.words"}
	k.Withhold(&text)
	k.Withhold(&agents)
	if !strings.HasPrefix(text.Reason, markOpen) || !strings.HasPrefix(agents.Reason, markOpen) {
		t.Errorf("kept: %q %q", text.Reason, agents.Reason)
	}
}

// TestManyCalls: what is forgotten is left out.
func TestManyCalls(t *testing.T) {
	k := NewKeeper(policyOf(t, Rules{ExcludeTools: []string{"Read"}}), nil, "")
	result := func(id string) string {
		e := schema.Event{EventType: schema.ToolEnd, ToolUseID: id, Result: []byte(`"a text"`)}
		k.Withhold(&e)
		return string(e.Result)
	}
	for i := range maxCalls {
		k.Withhold(&schema.Event{EventType: schema.ToolStart, ToolName: "Bash", ToolUseID: fmt.Sprint("t", i)})
	}
	if got := result("t0"); got != `"a text"` {
		t.Error(got)
	}
	k.Withhold(&schema.Event{EventType: schema.ToolStart, ToolName: "Bash", ToolUseID: "last"})
	if result("last") != `"a text"` || result("t0") == `"a text"` || len(k.calls) != 1 {
		t.Error(len(k.calls))
	}
}

// TestCallsOfSessions: an id says which call only within a session, and a call that was left
// out once is, whatever tool is named later.
func TestCallsOfSessions(t *testing.T) {
	k := NewKeeper(policyOf(t, Rules{ExcludeTools: []string{"bank"}}), nil, "")
	start := func(session, tool string) {
		k.Withhold(&schema.Event{EventType: schema.ToolStart, SessionID: session, ToolName: tool, ToolUseID: "call-1"})
	}
	kept := func(session, tool string) bool {
		e := schema.Event{EventType: schema.ToolEnd, SessionID: session, ToolName: tool, ToolUseID: "call-1", Result: []byte(`"a text"`)}
		k.Withhold(&e)
		return string(e.Result) == `"a text"`
	}
	start("A", "bank")
	start("B", "ls")
	if kept("A", "") || !kept("B", "") || kept("C", "") {
		t.Error("a call of another session decides")
	}
	start("A", "ls")
	if kept("A", "") || kept("A", "ls") {
		t.Error("a call is not left out any more")
	}
}

// TestRetold: what a call was given is not kept where it is said again, and the rest is.
func TestRetold(t *testing.T) {
	agent := func(typ schema.Type, call string) schema.Event {
		return schema.Event{EventType: typ, AgentID: "a1", Content: "a text", Extra: []byte(`{"uuid":"u1"}`),
			Metadata: []byte(`{"agent":{"agentType":"Explore","description":"a text","toolUseId":"` + call + `"},"note":"kept"}`)}
	}
	background := schema.Event{EventType: schema.TurnEnd, Content: "kept",
		Extra: []byte(`{"background_tasks":[{"id":"b1","type":"shell","status":"running","description":"a text","command":"a text"},"a text"],"note":"kept"}`)}
	for _, c := range []struct {
		tool string
		e    schema.Event
		kept bool // the text
		stay string
	}{
		{"Read", background, false, `"note":"kept"`},
		{"Read", background, false, `{"id":"b1","type":"shell","status":"running","left_out":`},
		{"Read", schema.Event{EventType: schema.Context, Extra: []byte(`{"trigger_file_path":"/a text","file_path":"/rule.md"}`)}, false, "/rule.md"},
		{"Read", schema.Event{EventType: schema.Message, Role: schema.RoleSystem, Content: "<task-notification>\n<task-id>b1</task-id>\n<tool-use-id>bash</tool-use-id><status>completed</status><summary>a text</summary></task-notification>"}, false, "<task-id>b1</task-id><status>completed</status>"},
		{"TaskCreate", schema.Event{EventType: schema.Task, Title: "a text", Content: "a text", Extra: []byte(`{"note":"a text"}`)}, false, ""},
		{"Read", schema.Event{EventType: schema.Task, Title: "a text"}, true, ""},
		{"Agent", agent(schema.AgentStart, "nobody knows"), false, `"toolUseId":`},
		{"T*k", agent(schema.SessionUpdate, "none"), false, `"note":"kept"`},
		{"Agent", agent(schema.AgentStart, "bash"), true, ""},
		{"Read", agent(schema.AgentStart, "none"), true, ""},
		{"Ba*", agent(schema.AgentStart, "bash"), false, `"toolUseId":"bash"`},
		{"Ba*", agent(schema.SessionUpdate, "bash"), false, `"agentType":"Explore"`},
	} {
		k := NewKeeper(policyOf(t, Rules{ExcludeTools: []string{c.tool}}), nil, "")
		k.Withhold(&schema.Event{EventType: schema.ToolStart, ToolName: "Bash", ToolUseID: "bash"})
		e := c.e
		k.Withhold(&e)
		got := e.Title + e.Content + string(e.Extra) + string(e.Metadata)
		if e.EventType == schema.SessionUpdate { // its content is no call's
			got = string(e.Extra) + string(e.Metadata)
		}
		if strings.Contains(got, "a text") != c.kept || !strings.Contains(got, c.stay) {
			t.Errorf("without %s: %s", c.tool, got)
		}
	}
}

// TestFile: a policy that changes is in force soon, for who has the home open.
func TestFile(t *testing.T) {
	home := t.TempDir()
	f := Open(home)
	soon := func(want string) {
		t.Helper()
		for deadline := time.Now().Add(10 * time.Second); f.Policy().Rules().Content != want; time.Sleep(20 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("content %q is in force, want %q: %+v", f.Policy().Rules().Content, want, f.State())
			}
		}
	}
	soon("")
	for _, content := range []string{None, Gist, None} {
		if err := Write(home, Rules{Content: content}, Stamp{}); err != nil {
			t.Fatal(err)
		}
		soon(content)
	}
	if err := os.WriteFile(filepath.Join(home, FileName), []byte("broken"), 0o600); err != nil {
		t.Fatal(err)
	}
	soon(None)
	if err := Remove(home); err != nil {
		t.Fatal(err)
	}
	soon("")
	if err := Write(home, Rules{Content: "all"}, Stamp{}); err == nil {
		t.Error("rules that are none were written")
	}
	if files, _ := os.ReadDir(home); len(files) != 0 {
		t.Errorf("left behind: %v", files)
	}
}

func TestMark(t *testing.T) {
	k := NewKeeper(policyOf(t, Rules{Content: None}), []byte("key"), "")
	m := k.mark("a text")
	if !isMark(m) || k.mark(m) != m || k.mark("a text") != m || k.mark("a texu") == m || k.mark("") != "" || strings.Contains(m, "text") {
		t.Error(m)
	}
	if NewKeeper(k.policy, []byte("another"), "").mark("a text") == m {
		t.Error("the hash has no key")
	}
	for _, s := range []string{m + " ", "x" + m, m[:len(m)-1], "[left out: -1 bytes, 0]", "[left out: 5 bytes, secret]", "[left out: 5 bytes, 00]"} {
		if isMark(s) {
			t.Errorf("%q is a mark", s)
		}
	}
}
