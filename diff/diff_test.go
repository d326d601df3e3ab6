package diff_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/actiongraph/actiongraph/adapters/claude"
	"github.com/actiongraph/actiongraph/diff"
	"github.com/actiongraph/actiongraph/history"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/redact"
	"github.com/actiongraph/actiongraph/schema"
	"github.com/actiongraph/actiongraph/transcript"
	"github.com/actiongraph/actiongraph/usage"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestMain(m *testing.M) {
	time.Local = time.UTC // in which the golden files have times
	os.Exit(m.Run())
}

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func newJournal(t testing.TB) *journal.Journal {
	t.Helper()
	return must(journal.Open(filepath.Join(t.TempDir(), "home")))(t)
}

// record puts a recording of Claude Code into a journal, as its hooks did and as an import of
// its session files does, and returns the id of the session that it begins with.
func record(t testing.TB, j *journal.Journal, dir string) (session string) {
	t.Helper()
	redactor := j.Redactor("")
	for line := range bytes.Lines(must(os.ReadFile(filepath.Join(dir, "hooks.jsonl")))(t)) {
		var call struct {
			At    int64  `json:"recv_ns"`
			Stdin string `json:"stdin"`
		}
		if err := json.Unmarshal(line, &call); err != nil {
			t.Fatal(err)
		}
		env := claude.Env{Now: time.Unix(0, call.At).UTC(), Host: "host", User: "dev", HashKey: j.Key()}
		if id := schema.FieldString([]byte(call.Stdin), "agent_id"); id != "" {
			env.AgentMeta, _ = os.ReadFile(filepath.Join(dir, "agent-"+id+".meta.json"))
		}
		var lines []redact.Line
		for _, e := range claude.Events([]byte(call.Stdin), env) {
			lines = append(lines, redactor.Event(e))
			if session == "" {
				session = lines[0].Session()
			}
		}
		if err := j.Append(lines...); err != nil {
			t.Fatal(err)
		}
	}
	if projects := filepath.Join(dir, "projects"); exists(projects) {
		r := &transcript.Reader{Journal: j, Redactor: redactor, Host: "host", User: "dev"}
		if _, err := r.Import(t.Context(), []string{projects}, transcript.Options{}, nil); err != nil {
			t.Fatal(err)
		}
	}
	return session
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func open(t testing.TB, source history.Source, session string) *history.Log {
	t.Helper()
	return must(history.Open(t.Context(), source, session, history.Point{}))(t)
}

func compare(t testing.TB, a, b *history.Log, o diff.Options) *diff.Diff {
	t.Helper()
	return must(diff.Compare(t.Context(), a, b, o))(t)
}

func asJSON(t testing.TB, v any) string {
	t.Helper()
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	if err := enc.Encode(v); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if d := cmp.Diff(string(must(os.ReadFile(path))(t)), got); d != "" {
		t.Errorf("%s (go test -update writes it anew):\n%s", path, d)
	}
}

func prices(t testing.TB) *usage.Table {
	table := must(usage.ListPrices())(t)
	return &table
}

// Two recordings of one task by the real program, with another content of one file: what is
// told is that, and what followed from it. A third recording is the first again.
func TestRecordedTwice(t *testing.T) {
	j := newJournal(t)
	var logs []*history.Log
	for _, name := range []string{"first", "second", "third"} {
		logs = append(logs, open(t, history.Journal(j), record(t, j, filepath.Join("testdata", name))))
	}
	d := compare(t, logs[0], logs[1], diff.Options{Prices: prices(t)})
	golden(t, "changed.json", asJSON(t, d))
	if again := compare(t, logs[0], logs[2], diff.Options{}); !again.Same || again.DivergentNodes != 0 || again.DivergentRelations != 0 {
		t.Errorf("the same task again: %s", asJSON(t, again))
	}
}

func TestDocuments(t *testing.T) {
	j := newJournal(t)
	var logs []*history.Log
	for _, name := range []string{"first", "second", "third"} {
		logs = append(logs, open(t, history.Journal(j), record(t, j, filepath.Join("testdata", name))))
	}
	d := compare(t, logs[0], logs[1], diff.Options{Prices: prices(t)})
	for name, terminal := range map[string]diff.Terminal{
		"changed.txt": {Width: 100, UTF8: true}, "changed.wide.txt": {Width: 130, UTF8: true}, "changed.color.txt": {Width: 60, Color: true},
	} {
		golden(t, name, text(t, d, terminal))
	}
	full := compare(t, logs[0], logs[1], diff.Options{Prices: prices(t), Full: true})
	golden(t, "changed.full.txt", text(t, full, diff.Terminal{Full: true, UTF8: true}))
	var page bytes.Buffer
	if err := d.HTML(&page, nil); err != nil {
		t.Fatal(err)
	}
	golden(t, "changed.html", page.String())
	golden(t, "same.txt", text(t, compare(t, logs[0], logs[2], diff.Options{}), diff.Terminal{Width: 100, UTF8: true}))
}

func text(t *testing.T, d *diff.Diff, terminal diff.Terminal) string {
	t.Helper()
	var b bytes.Buffer
	if err := d.Text(&b, terminal); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// Whatever a session says, a page has the tags of its template only, and a terminal gets
// nothing that it acts on but our colours.
func TestNothingIsMarkup(t *testing.T) {
	tag := regexp.MustCompile(`<[^>]*>`)
	known := regexp.MustCompile(`^</?(?:!doctype html|html(?: lang="en")?|head|body|header|main|style|title|meta [^<>]*|h1|h2|p(?: class="(?:field|dim)")?|b|span|time|summary|thead|tbody|th|td|` +
		`details class="(?:turn )?(?:same|changed|a_only|b_only)"(?: open)?|details|article(?: class="(?:same|changed|a_only|b_only)")?|table(?: class="(?:totals|lines)")?|tr(?: class="(?:changed|gone|new|gap)")?)>$`)
	colour := regexp.MustCompile(`\x1b\[[0-9;]*m`)
	pieces := []string{"<script>alert(1)</script>", `" onload="x`, "</td>", "</details>", "</style>", "<!--", "{{.}}", "\n", "<", ">", "&lt;", "'", "style=x", "\x1b[31m", "\x1b]0;t\a", "\x00", "\u202e", "\xff", "\r", "text"}
	rapid.Check(t, func(rt *rapid.T) {
		hostile := func() string {
			return strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 4).Draw(rt, "pieces"), "")
		}
		one := 1
		side := func() *diff.Side { return &diff.Side{Gist: hostile(), Status: hostile()} }
		turn := func() *diff.Side { return &diff.Side{Turn: &one, Gist: hostile(), Figures: &diff.Figures{}} }
		fields := []diff.Field{{Name: hostile(), A: hostile(), B: hostile()}, {Name: "status", A: hostile(), B: hostile()},
			{Name: hostile(), Hunks: []diff.Hunk{{Lines: []string{" " + hostile(), "-" + hostile(), "+" + hostile(), "+" + hostile()}}}}}
		d := &diff.Diff{A: diff.Session{SessionID: hostile(), Title: hostile(), ForkedFrom: hostile()}, B: diff.Session{SessionID: hostile(), MissingParent: hostile()},
			First: &diff.Place{TurnA: &one, Kind: "call", Name: hostile(), GistA: hostile(), Field: hostile()}, WrittenByA: []string{hostile()},
			Turns: []*diff.Item{{Change: diff.Changed, Kind: "turn", A: turn(), B: turn(), Fields: fields, Items: []*diff.Item{
				{Change: diff.Changed, Kind: "call", Name: hostile(), A: side(), B: side(), Fields: fields}, {Change: diff.AOnly, Kind: "agent", Name: hostile(), A: side()},
				{Change: diff.Same, Kind: "answer", A: side(), B: side()}}}}}
		var page, plain bytes.Buffer
		if err := errors.Join(d.HTML(&page, nil), d.Text(&plain, diff.Terminal{Width: rapid.SampledFrom([]int{40, 130}).Draw(rt, "width"), Color: true})); err != nil {
			rt.Fatal(err)
		}
		for _, found := range tag.FindAllString(page.String(), -1) {
			if !known.MatchString(found) {
				rt.Fatalf("%q is none of the template's tags", found)
			}
		}
		for where, text := range map[string]string{"page": page.String(), "terminal": colour.ReplaceAllString(plain.String(), "")} {
			if i := strings.IndexAny(text, "\x00\x1b\a\r\u202e\u009b"); i >= 0 {
				rt.Fatalf("a control character is on the %s: %q", where, text[max(0, i-30):i+1])
			}
		}
	})
}

// The page allows the style that is there and nothing else, and what is redacted is nowhere.
func TestPage(t *testing.T) {
	j := newJournal(t)
	a := open(t, history.Journal(j), record(t, j, filepath.Join("testdata", "first")))
	b := open(t, history.Journal(j), record(t, j, filepath.Join("testdata", "second")))
	var page bytes.Buffer
	redacted := func(s string) string { return strings.ReplaceAll(s, "8080", "[REDACTED:port]") }
	if err := compare(t, a, b, diff.Options{Full: true}).HTML(&page, redacted); err != nil {
		t.Fatal(err)
	}
	style := regexp.MustCompile(`(?s)<style>(.*)</style>`).FindStringSubmatch(page.String())
	sum := sha256.Sum256([]byte(style[1]))
	if want := "style-src &#39;sha256-" + strings.ReplaceAll(base64.StdEncoding.EncodeToString(sum[:]), "+", "&#43;"); !strings.Contains(page.String(), want) {
		t.Errorf("want %s", want)
	}
	if strings.Contains(page.String(), "8080") || !strings.Contains(page.String(), "[REDACTED:port]") {
		t.Error("what redact takes is on the page")
	}
}
