package diff_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

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
