package export

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"flag"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/usage"
)

var update = flag.Bool("update", false, "write the goldens anew")

var start = time.Date(2026, 11, 22, 9, 0, 0, 0, time.FixedZone("", 3600))

// conversation is a session in which everything happens that a document has a form for.
func conversation() Conversation {
	ms := func(n float64) *float64 { return &n }
	at := func(s int) time.Time { return start.Add(time.Duration(s) * time.Second) }
	var rows []graph.ActionRow
	add := func(id string, second int, t graph.ActionType, change func(*graph.ActionRow)) {
		r := graph.ActionRow{ActionID: id, ActionType: t, Timestamp: at(second)}
		if change != nil {
			change(&r)
		}
		rows = append(rows, r)
	}
	call := func(id string, second int, lane, name, status string, props map[string]any, change func(*graph.ActionRow)) {
		add(id, second, graph.ToolCall, func(r *graph.ActionRow) {
			r.ToolName, _, _ = strings.Cut(name, ":")
			r.AgentID, r.Name, r.Status, r.Properties, r.DurationMS = lane, name, status, props, ms(1234)
			if change != nil {
				change(r)
			}
		})
	}
	result := func(parent string, second int, lane, text, props string) {
		add(parent+"r", second, graph.ToolResult, func(r *graph.ActionRow) {
			r.AgentID, r.ParentActionID, r.Text, r.Properties = lane, parent, text, map[string]any{"properties": props}
		})
	}
	says := func(id string, second int, lane, text string, thinking bool) {
		add(id, second, graph.AssistantMessage, func(r *graph.ActionRow) {
			r.AgentID, r.Text, r.Model, r.Thinking = lane, text, "claude-x", thinking
		})
	}
	add("ctx", 0, graph.Context, func(r *graph.ActionRow) { r.Name = "InstructionsLoaded: CLAUDE.md" })
	add("p1", 1, graph.UserMessage, func(r *graph.ActionRow) { r.Text = "Fix the test\n# and report\n<b>now</b>" })
	add("llm", 1, graph.LLMCall, func(r *graph.ActionRow) {
		r.Model = "claude-x"
		r.Properties = map[string]any{"cache_read_input_tokens": int64(12345), "cache_creation_input_tokens": int64(67), "lower_bound": true}
	})
	says("t1", 1, "", "Where is it?\nIn `main.go`.", true)
	says("t2", 1, "", "", true)
	says("a1", 2, "", "I look.\n\n# Plan\n- run\n```go\nfunc main() {}\n```\nthen ![x](http://x/y.png) <img src=x>", false)
	call("c1", 3, "", "Bash: go test", "completed", map[string]any{"command": "go test ./...\n# \x1b[31mred", "properties": `{"tool_input":{"description":"run","timeout":1000}}`}, nil)
	result("c1", 4, "", "ok\n```\nnot the end\n````\nof the fence", "")
	call("c2", 5, "", "Bash: exit 3", "failed", map[string]any{"command": "exit 3"}, nil)
	result("c2", 5, "", "Exit code 3", "")
	call("c3", 6, "", "Write: a.txt", "denied", map[string]any{"file_path": "/w/a.txt", "error_message": "the user said no"}, nil)
	add("q3", 6, graph.PermissionRequest, func(r *graph.ActionRow) { r.ParentActionID = "c3" })
	call("c4", 7, "", "Nope: x", "failed", nil, func(r *graph.ActionRow) { r.NeverRan = true; r.DurationMS = nil })
	call("c5", 8, "", "Edit: main.go", "completed", map[string]any{"file_path": "main.go", "properties": `{"tool_input":{"old_string":"a\nb","new_string":"a\nc"}}`}, nil)
	result("c5", 8, "", "", `{"result":{"structuredPatch":[{"oldStart":1,"lines":[" a","-b","+c"]}],"originalFile":"a\nb"}}`)
	call("c6", 9, "", "Read: cat.png", "completed", map[string]any{"file_path": "cat.png"}, nil)
	result("c6", 9, "", "", `{"result":{"type":"image","file":{"base64":"`+strings.Repeat("iVBORw0KGgo", 60)+`"}}}`)
	call("c7", 10, "", "Agent: find callers", "completed", map[string]any{"properties": `{"tool_input":{"description":"find callers","subagent_type":"Explore","prompt":"look"}}`}, nil)
	add("s1", 11, graph.SubagentStart, func(r *graph.ActionRow) { r.AgentID, r.ParentActionID = "g1", "c7" })
	call("n1", 12, "g1", "mcp__db__query: 3", "completed", map[string]any{"properties": `{"tool_input":{"limit":3,"filter":{"a":[1,2]}}}`}, func(r *graph.ActionRow) { r.ParentActionID = "s1" })
	result("n1", 12, "g1", "", `{"result":{"rows":[1]}}`)
	says("n2", 13, "g1", "Two callers.", false)
	result("c7", 14, "", "<tools>Bash</tools>\nTwo callers.", "")
	call("o1", 15, "lost", "Bash: sleep", "interrupted", map[string]any{"command": "sleep 100"}, nil)
	add("cmp", 16, graph.Compaction, func(r *graph.ActionRow) { r.Name, r.Text = "PreCompact: auto", "what was said before" })
	add("err", 17, graph.ErrorEvent, func(r *graph.ActionRow) { r.Text = "API Error: 529\noverloaded" })
	add("sys", 18, graph.SystemMessage, func(r *graph.ActionRow) { r.Text = "<command-name>/clear</command-name>" })
	add("so", 19, graph.StructuredOutput, func(r *graph.ActionRow) { r.Text = `{"ok":true}` })
	add("end", 20, graph.TurnEnd, nil)
	add("p2", 21, graph.UserMessage, func(r *graph.ActionRow) {
		r.Text = "token [REDACTED:github-token] and SECRET, SEC\u200bRET"
		r.Properties = map[string]any{"images": `[{"type":"image","media_type":"image/png","bytes":34127},{"type":"document"}]`}
	})
	add("end2", 22, graph.TurnEnd, func(r *graph.ActionRow) { r.Text = "Done." })
	return Conversation{
		Session: graph.SessionRow{
			SessionID: "c8813339", Title: "Fix <the> *test*", Status: "completed", StartedAt: at(0), EndedAt: at(75),
			SourceSDK: "claude-code", WorkingDirectory: "/home/dev/repo", GitBranch: "main", Tags: []string{"a", "b"},
			Host: "laptop", User: "dev", ToolCallCount: 9, AgentCount: 2, ErrorCount: 3, TotalInputTokens: 12345, TotalOutputTokens: 678,
		},
		Actions: rows,
		Agents: []graph.AgentRow{{AgentID: "g1", AgentType: "Explore", Description: "find callers", Prompt: "look", Status: "completed",
			SpawnedByActionID: "c7", StartedAt: at(11), EndedAt: at(13), TotalInputTokens: 345, TotalOutputTokens: 67, TotalLowerBound: true}},
		Usage:  used(),
		Redact: func(s string) string { return strings.ReplaceAll(s, "SECRET", "[REDACTED:secret]") },
	}
}

// used is what two calls used, one of them a subagent's, by a model without a price.
func used() usage.Report {
	dollars := 0.12345
	return usage.Report{
		Total: usage.Sums{Calls: 2, Input: 12345, Output: 678, CacheRead: 12345, CacheWrite: 67, Tokens: 25435, LowerBound: true, CostUSD: &dollars, CostLowerBound: true},
		Rows: []usage.Row{
			{Key: usage.MainThread, Sums: usage.Sums{Calls: 1, Tokens: 25023, CostUSD: &dollars}},
			{Key: "Explore", Sums: usage.Sums{Calls: 1, Tokens: 412, LowerBound: true, CostLowerBound: true}},
		},
		Unpriced: []string{"<model>"},
	}
}

func written(t interface{ Fatal(...any) }, c Conversation) (md, page string) {
	var a, b bytes.Buffer
	if err := c.Markdown(&a); err != nil {
		t.Fatal(err)
	}
	if err := c.HTML(&b); err != nil {
		t.Fatal(err)
	}
	return a.String(), b.String()
}

func TestGoldens(t *testing.T) {
	md, page := written(t, conversation())
	for name, got := range map[string]string{"testdata/conversation.md": md, "testdata/conversation.html": page} {
		if *update {
			if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s -want +got:\n%s", name, diff)
		}
	}
	for range 20 { // maps give another order each time
		if md2, page2 := written(t, conversation()); md2 != md || page2 != page {
			t.Fatal("the same session gives another document")
		}
	}
}

// The policy allows the style that is there and nothing else.
func TestPolicy(t *testing.T) {
	_, page := written(t, conversation())
	style := regexp.MustCompile(`(?s)<style>(.*)</style>`).FindStringSubmatch(page)
	if style == nil {
		t.Fatal("no style")
	}
	sum := sha256.Sum256([]byte(style[1]))
	want := `content="default-src &#39;none&#39;; style-src &#39;sha256-` + strings.ReplaceAll(base64.StdEncoding.EncodeToString(sum[:]), "+", "&#43;") +
		`&#39;; base-uri &#39;none&#39;; form-action &#39;none&#39;"`
	if !strings.Contains(page, want) {
		t.Errorf("want %s", want)
	}
	if strings.Contains(style[1], "url(") || strings.Contains(style[1], "@import") {
		t.Error("the style loads something")
	}
}

// anywhere puts a text wherever a session can hold one.
func anywhere(text func() string) Conversation {
	c := conversation()
	s := &c.Session
	s.SessionID, s.Title, s.Status, s.SourceSDK, s.GitBranch, s.WorkingDirectory = text(), text(), text(), text(), text(), "/x/"+text()
	s.Tags = []string{text()}
	for i := range c.Actions {
		a := &c.Actions[i]
		a.Name, a.Text, a.Model = text(), text(), text()
		if a.ActionType == graph.ToolCall {
			a.Properties = map[string]any{"images": `[{"type":` + quote(text()) + `,"media_type":` + quote(text()) + `}]`, "command": text(), "error_message": text(), "properties": `{"tool_input":{"k":` + quote(text()) + `,` + quote(text()) + `:[` + quote(text()) + `]}}`}
		}
	}
	c.Agents[0].AgentType, c.Agents[0].Description, c.Agents[0].Prompt, c.Agents[0].LastAssistantMessage = text(), text(), text(), text()
	c.Usage.Rows[1].Key, c.Usage.Unpriced[0] = text(), text()
	return c
}

func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\t", `\t`).Replace(s) + `"`
}

// Whatever a session says, a page has the tags and attributes of its template only.
func TestNothingIsMarkup(t *testing.T) {
	tag := regexp.MustCompile(`<[^>]*>`)
	known := regexp.MustCompile(`^</?(?:!doctype html|html(?: lang="en")?|head|body|header|h1|h2|dl|div(?: class="(?:text|note)")?|dt|dd|main|section|footer|title|style|b|p(?: class="(?:field|status)")?|pre(?: class="(?:json|diff)")?|code|mark|time|summary|span(?: class="(?:mark|status)")?|article(?: class="(?:prompt|answer|answer bad|bad)")?|details(?: class="(?:thinking|system|call|call bad|agent|agent bad)")?(?: open)?|meta [^<>]*)>$`)
	pieces := []string{"<script>alert(1)</script>", `" onload="x`, "<img src=x onerror=alert(1)>", "</pre>", "</details>", "</title>", "</style>", "<!--", "{{.}}",
		"```", "\n", "` ", "<", ">", "&lt;", "'", "javascript:x", "[REDACTED:x]", "[REDACTED:<b>]", "text", "\\", "\x00", "\u202e", "\xff", "style=x"}
	rapid.Check(t, func(rt *rapid.T) {
		_, page := written(rt, anywhere(func() string {
			return strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 4).Draw(rt, "pieces"), "")
		}))
		for _, found := range tag.FindAllString(page, -1) {
			if !known.MatchString(found) {
				rt.Fatalf("%q is none of the template's tags", found)
			}
		}
		if strings.ContainsAny(page, "\x00\x1b\u202e") {
			rt.Fatal("a control character is on the page")
		}
	})
}

// What Redact takes is in neither document, wherever it was.
func TestRedactedEverywhere(t *testing.T) {
	c := anywhere(func() string { return "my hunter2 word" })
	c.Redact = func(s string) string { return strings.ReplaceAll(s, "hunter2", "[REDACTED:secret]") }
	md, page := written(t, c)
	for _, doc := range []string{md, page} {
		if i := strings.Index(doc, "hunter2"); i >= 0 {
			t.Errorf("it is there: %q", doc[max(0, i-80):i+20])
		}
	}
	if !strings.Contains(page, "<mark>[REDACTED:secret]</mark>") {
		t.Error("what was taken is not shown as such")
	}
}

func TestSharesNoMachine(t *testing.T) {
	md, page := written(t, conversation())
	for _, name := range []string{"laptop", "/home/dev"} {
		if strings.Contains(md, name) || strings.Contains(page, name) {
			t.Errorf("%s is in the document", name)
		}
	}
}

func TestClean(t *testing.T) {
	c := newCleaner(nil)
	image := strings.Repeat("iVBORw0KGgo", 60)
	for in, want := range map[string]string{
		"a\x1b[31mred\x1b[0m\x1b]0;title\ab": "aredb", "a\r\nb\u202ec\x00\ufeff": "a\nbc", "1%\r2%\r\r\nok\r": "1%\n2%\nok", "\n x \n": " x", "👩\u200d💻": "👩\u200d💻", "a\xff": "a\ufffd",
		"see data:image/png;base64," + image + "== there": "see [binary content of 495 bytes left out] there",
		image:                              "[binary content of 495 bytes left out]",
		strings.Repeat("-", 900):           strings.Repeat("-", 900),
		strings.Repeat("/usr/lib/a.b", 90): strings.Repeat("/usr/lib/a.b", 90),
	} {
		if got := c.text(in); got != want {
			t.Errorf("text(%.60q) = %q, want %q", in, got, want)
		}
	}
	if got := c.line("\n  \n a  \t b\nc", 10); got != "a b" {
		t.Errorf("line: %q", got)
	}
	if got := c.line("日本語日本語", 4); got != "日本語…" {
		t.Errorf("line: %q", got)
	}
}

func TestParts(t *testing.T) {
	for in, want := range map[string][]part{
		"":                                nil,
		"a\n```go x\nb\n\nc\n```\nd":      {{Text: "a"}, {true, "go", "b\n\nc"}, {Text: "d"}},
		"~~~\n```\n~~~":                   {{true, "", "```"}},
		"````\n```\n````":                 {{true, "", "```"}},
		"```\nnever closed":               {{true, "", "never closed"}},
		"- x\n    ```\n    y\n    ```\nz": {{Text: "- x"}, {true, "", "y"}, {Text: "z"}},
		"```one line```":                  {{Text: "```one line```"}},
		"```\n```":                        {{true, "", ""}},
		"```\"><script>\nx\n```":          {{true, "", "x"}},
		// In lists and quotes.
		"1. ```bash\n   a\n     b\n   ```\n2. c":          {{Text: "1."}, {true, "bash", "a\n  b"}, {Text: "2. c"}},
		"1. ```bash\na\n```\n2. c":                        {{Text: "1."}, {true, "bash", "a"}, {Text: "2. c"}},
		"- 1) ```\n\t\ta\n     - ```\n     ```\nb":        {{Text: "- 1)"}, {true, "", "   a\n- ```"}, {Text: "b"}},
		"> ```go\n> a\n>   b\n> ```\n> c":                 {{true, "go", "a\n  b"}, {Text: "> c"}},
		"> ```\n> never closed\nb":                        {{true, "", "never closed"}, {Text: "b"}},
		"> - ~~~\n>   a\n>   ~~~\n":                       {{Text: "> -"}, {true, "", "a"}},
		"```\n> ```\n- ```\n```\nb":                       {{true, "", "> ```\n- ```"}, {Text: "b"}},
		"- a\n  - b\n    ```\n    c\n    ```\n    d\n- e": {{Text: "- a\n  - b"}, {true, "", "c"}, {Text: "d\n- e"}},
		// Indented code.
		"a\n\n    b\n      c\n\n\td\n\ne": {{Text: "a"}, {true, "", "b\n  c\n\nd"}, {Text: "e"}},
		"    a\n```\nb\n```":              {{true, "", "a"}, {true, "", "b"}},
		"a\n    b":                        {{Text: "a\n    b"}},
		"- a\n\n    b\n\n      c\n\nd":    {{Text: "- a\n\n    b"}, {true, "", "c"}, {Text: "d"}},
		"- a\n\nb\n\n    c":               {{Text: "- a\n\nb"}, {true, "", "c"}},
	} {
		if d := cmp.Diff(want, parts(in)); d != "" {
			t.Errorf("parts(%q) -want +got:\n%s", in, d)
		}
	}
}

// The rules by which a text cannot take over a document.
func TestProse(t *testing.T) {
	for in, want := range map[string]string{
		"# T\n###### U\n#tag":                       "#### T\n###### U\n#tag",
		"> ## T\n- # U\n1. # V":                     "> ##### T\n- #### U\n1. #### V",
		"a\n===\nb\n---\nc\n-\nd\n- - -":            "a\n\\===\nb\n\\---\nc\n\\-\nd\n- - \\-",
		"a <b> & `<c>` \\<d\\> &amp;":               "a &lt;b&gt; &amp; <code>&lt;c&gt;</code> &lt;d&gt; &amp;amp;",
		"one ` and <x>\ntwo ` <y>":                  "one &#96; and &lt;x&gt;\ntwo &#96; &lt;y&gt;",
		"``a ` <b>`` <c>":                           "<code>a &#96; &lt;b&gt;</code> &lt;c&gt;",
		"`` `x` `` ` ` `*a* _b_ [c](d) !e \\f ~g$`": "<code>&#96;x&#96;</code> <code> </code> <code>&#42;a&#42; &#95;b&#95; &#91;c&#93;(d) &#33;e &#92;f &#126;g&#36;</code>",
		"\\`<b>` c":                                 "&#96;&lt;b&gt;&#96; c",
		"![i](http://x) [a](https://x) [b](x/y.go)": "!\\[i](http://x) [a](https://x) [b](x/y.go)",
		"[a](javascript:x) [a](//evil) [a](data:x)": "[a]\\(javascript:x) [a](//evil) [a]\\(data:x)",
		"- [x]: javascript:x":                       "- [x]\\: javascript:x",
		"C:\\dir \\* end\\":                         "C:\\\\dir \\* end\\\\",
		"x\n```\n<b>\n```\ny":                       "x\n\n```\n<b>\n```\n\ny",
		// GitHub cuts a table at each | before it looks for code.
		"| a | b |\n|---|---|\n| `x|<script>` | y |": "| a | b |\n|---|---|\n| <code>x&#124;&lt;script&gt;</code> | y |",
		// It takes a backtick, or a backslash, for a part of the address before it.
		"see http://a`<script>`":             "see http://a<code>&lt;script&gt;</code>",
		"see http://a`<script>":              "see http://a&#96;&lt;script&gt;",
		"see http://a\\`<b>\\` \\<c>":        "see http://a&#96;&lt;b&gt;&#96; &lt;c&gt;",
		"`http://a` `www.a`":                 "<code>http&#58;//a</code> <code>www&#46;a</code>",
		"1. ```bash\n   a <b>\n   ```\nc":    "1.\n\n```bash\na <b>\n```\n\nc",
		"a:\n\n    if x < y {\n\n    }\n\nb": "a:\n\n```\nif x < y {\n\n}\n```\n\nb",
	} {
		m := newMarkdown(nil)
		if got := m.prose(in, false); got != want {
			t.Errorf("prose(%q)\n got %q\nwant %q", in, got, want)
		}
	}
}

// Outside of fences a document has no tags but those of the template, whoever reads it: a
// sign that begins one is an entity, and no backtick is left that could hide one.
func TestNothingIsMarkupInMarkdown(t *testing.T) {
	tag := regexp.MustCompile(`</?(?:details|summary|b|code)>`)
	pieces := []string{"<script>", "</details>", "<img src=x>", "<!--", "`", "``", "```", "~~~", "|", "| a | b |\n|---|---|\n", "\n", "\n\n", "    ", "\t",
		" ", "- ", "1. ", "> ", "http://a", "www.a.b", "\\", "&lt;", "&#60;", "!", "[x](", "]", ")", "text", "#"}
	rapid.Check(t, func(rt *rapid.T) {
		md, _ := written(rt, anywhere(func() string {
			return strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 8).Draw(rt, "pieces"), "")
		}))
		fence := ""
		for line := range strings.SplitSeq(md, "\n") {
			bare := strings.TrimLeft(line, "> ")
			run := bare[:len(bare)-len(strings.TrimLeft(bare, "`"))]
			switch {
			case fence != "" && bare == fence:
				fence = ""
			case fence == "" && len(run) >= 3:
				fence = run
			case fence == "":
				signs := "<`"
				if strings.HasPrefix(line, "<summary>") {
					signs = "<" // it is HTML already
				}
				text := tag.ReplaceAllString(line, "")
				if i := strings.IndexAny(text, signs); i >= 0 {
					rt.Fatalf("%q has %q", line, text[i:])
				}
			}
		}
		if fence != "" {
			rt.Fatal("a fence is open at the end")
		}
	})
}

func TestFenced(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOf(rapid.SampledFrom([]string{"`", "\n", "a", "```", " "})).Draw(t, "text"), "")
		out := fenced(text, "")
		fence, rest, _ := strings.Cut(out, "\n")
		if body, ok := strings.CutSuffix(rest, "\n"+fence); !ok || body != text || strings.Contains(text, fence) || len(fence) < 3 {
			t.Fatalf("%q", out)
		}
	})
}

func TestFailingWriter(t *testing.T) {
	for _, write := range []func(Conversation) error{
		func(c Conversation) error { return c.Markdown(full{}) }, func(c Conversation) error { return c.HTML(full{}) },
	} {
		if write(conversation()) == nil {
			t.Error("no error from a writer that is full")
		}
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, os.ErrInvalid }
