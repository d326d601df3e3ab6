package trace_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph"
	"github.com/actiongraph/actiongraph/adapters/claude"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/history"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/schema"
	"github.com/actiongraph/actiongraph/trace"
)

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// home is a fresh home and its journal.
type home struct {
	*actiongraph.Home
	journal *journal.Journal
}

func newHome(t testing.TB) home {
	t.Helper()
	dir := t.TempDir()
	h, err := actiongraph.Open(dir, actiongraph.Options{})
	ok(t, err)
	t.Cleanup(func() { h.Close() })
	j, err := journal.Open(dir)
	ok(t, err)
	return home{h, j}
}

// captures are the recorded scenarios.
func captures(t testing.TB) []string {
	t.Helper()
	dirs, err := filepath.Glob("../internal/e2e/testdata/captures/*")
	if err != nil || len(dirs) < 36 {
		t.Fatalf("%d captures: %v", len(dirs), err)
	}
	return dirs
}

// capture returns a home with what a capture's hooks and transcripts recorded.
func capture(t testing.TB, dir string) home {
	t.Helper()
	h := newHome(t)
	redactor := h.journal.Redactor("")
	for line := range bytes.Lines(hooks(t, dir)) {
		var call struct {
			At    int64  `json:"recv_ns"`
			Stdin string `json:"stdin"`
		}
		ok(t, json.Unmarshal(line, &call))
		env := claude.Env{Now: time.Unix(0, call.At).UTC(), Host: "host", User: "dev", HashKey: h.journal.Key()}
		if id := schema.FieldString([]byte(call.Stdin), "agent_id"); id != "" {
			env.AgentMeta, _ = os.ReadFile(filepath.Join(dir, "agent-"+id+".meta.json"))
		}
		for _, e := range claude.Events([]byte(call.Stdin), env) {
			ok(t, h.journal.Append(redactor.Event(e)))
		}
	}
	projects := filepath.Join(dir, "projects")
	if _, err := os.Stat(projects); err == nil {
		_, err := h.ImportTranscripts(t.Context(), []string{projects}, actiongraph.TranscriptOptions{}, nil)
		ok(t, err)
	}
	return h
}

func TestCaptures(t *testing.T) {
	for _, dir := range captures(t) {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			h := capture(t, dir)
			eventsAgain(t, h)
			auditAgain(t, h)
			isSpans(t, h)
			isTimeline(t, h)
			noContent(t, h)
		})
	}
}

func hooks(t testing.TB, dir string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, "hooks.jsonl"))
	if errors.Is(err, fs.ErrNotExist) {
		packed, err := os.Open(filepath.Join(dir, "hooks.jsonl.gz"))
		ok(t, err)
		defer packed.Close()
		r, err := gzip.NewReader(packed)
		ok(t, err)
		data, err = io.ReadAll(r)
		ok(t, err)
		return data
	}
	ok(t, err)
	return data
}

// sessions are the sessions of a home's journal.
func (h home) sessions(t testing.TB) (out []string) {
	t.Helper()
	files, err := h.journal.Files()
	ok(t, err)
	for _, f := range files {
		out = append(out, f.Session)
	}
	return out
}

func (h home) log(t testing.TB, session string) *history.Log {
	t.Helper()
	l, err := history.Open(t.Context(), history.Journal(h.journal), session, history.Point{})
	ok(t, err)
	return l
}

// written is the trace of a session.
func (h home) written(t testing.TB, session string, f trace.Format, o trace.Options) (string, trace.Report) {
	t.Helper()
	var out bytes.Buffer
	report, err := trace.Write(t.Context(), &out, h.log(t, session), f, o)
	ok(t, err)
	return out.String(), report
}

// imported is a home into which a trace was imported.
func imported(t testing.TB, text string, o actiongraph.JSONLOptions) home {
	t.Helper()
	h := newHome(t)
	_, err := h.ImportJSONL(t.Context(), []string{"-"}, strings.NewReader(text), o, nil)
	ok(t, err)
	return h
}

// graph folds one session, as that of no journal.
func (h home) graph(t testing.TB, session string) *graph.Graph {
	t.Helper()
	g := graph.New()
	one := *h.log(t, session)
	one.Segments = one.Segments[len(one.Segments)-1:]
	ok(t, one.FoldAs(t.Context(), session, func(ops []graph.Op) error {
		g.Apply(ops...)
		return nil
	}))
	return g
}
