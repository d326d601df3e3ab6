package transcript

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph/adapters/claude"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/internal/lines"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/redact"
	"github.com/actiongraph/actiongraph/schema"
)

// copyTree copies a tree, with times of long ago: a file that was just written is
// looked at again.
func copyTree(t testing.TB, from, to string) {
	t.Helper()
	err := filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		rel, _ := filepath.Rel(from, path)
		old(t, write(t, string(text), to, rel))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func old(t testing.TB, path string) {
	then := time.Date(2026, 11, 22, 1, 2, 3, 0, time.UTC)
	if err := os.Chtimes(path, then, then); err != nil {
		t.Fatal(err)
	}
}

func newReader(t testing.TB, home string) *Reader {
	t.Helper()
	j, err := journal.Open(home)
	if err != nil {
		t.Fatal(err)
	}
	return &Reader{Journal: j, Redactor: redact.New(redact.Options{}), Host: "host", User: "user"}
}

// clean imports and wants no error.
func clean(t testing.TB, r *Reader, o Options, paths ...string) Report {
	t.Helper()
	report, err := r.Import(context.Background(), paths, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// facts are the different records of each session's journal. Positions are none; of a
// session_update only what was read in one go says the same: it says what changed since
// the line before.
func facts(t testing.TB, j *journal.Journal) map[string]map[string]bool {
	t.Helper()
	all := map[string]map[string]bool{}
	eachRecord(t, j, func(session string, line []byte, e *schema.Event) {
		if e.EventType == schema.SourcePosition || e.EventType == schema.SessionUpdate {
			return
		}
		if all[session] == nil {
			all[session] = map[string]bool{}
		}
		all[session][factOf(e, line)] = true
	})
	return all
}

// factOf is what one record of a fact has in common with every other one. Each line of
// one API message repeats its usage: who goes on between two of them says it again.
func factOf(e *schema.Event, line []byte) string {
	if e.EventType == schema.LLMEnd {
		return fmt.Sprint("llm_end ", e.EventID, e.MessageID, *e.InputTokens, *e.OutputTokens)
	}
	return string(line)
}

func eachRecord(t testing.TB, j *journal.Journal, fn func(session string, line []byte, e *schema.Event)) {
	t.Helper()
	files, err := j.Files()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		cursor, err := j.Read(f.Session, journal.Position{})
		if err != nil {
			t.Fatal(err)
		}
		defer cursor.Close()
		for {
			line, err := cursor.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			e, err := schema.Decode(line)
			if err != nil {
				t.Fatalf("%s: %v: %s", f.Session, err, line)
			}
			fn(f.Session, line, &e)
		}
	}
}

// folds is the graph of each session.
func folds(t testing.TB, j *journal.Journal) *graph.Graph {
	t.Helper()
	g, sessions := graph.New(), map[string]*graph.Session{}
	eachRecord(t, j, func(session string, _ []byte, e *schema.Event) {
		if sessions[session] == nil {
			sessions[session] = graph.NewSession(session, "journal")
		}
		sessions[session].Apply(e)
		g.Apply(sessions[session].Take()...)
	})
	return g
}

// oracle reads a tree in the plainest way: the facts of each session.
func oracle(t testing.TB, r *Reader, dir string) map[string]map[string]bool {
	t.Helper()
	all := map[string]map[string]bool{}
	add := func(e schema.Event) {
		if e.EventType == schema.SessionUpdate {
			return
		}
		line := r.Redactor.Event(e)
		if all[line.Session()] == nil {
			all[line.Session()] = map[string]bool{}
		}
		all[line.Session()][factOf(&e, line.Bytes())] = true
	}
	files, _ := Find(context.Background(), []string{dir})
	for _, f := range files {
		text, err := os.ReadFile(f.Path)
		if err != nil {
			t.Fatal(err)
		}
		if f.Session == "" {
			f.Session, _ = identify(f.Path)
		}
		src := claude.Source{Session: f.Session, Agent: f.Agent, Host: r.Host, User: r.User, HashKey: r.Journal.Key()}
		var scan claude.OriginScan
		for line := range bytes.Lines(text) {
			scan.Line(bytes.TrimSuffix(line, []byte("\n")))
		}
		src.Origins = scan.Origins()
		if meta, err := os.ReadFile(strings.TrimSuffix(f.Path, ".jsonl") + ".meta.json"); err == nil {
			var first struct{ Timestamp time.Time }
			at, _, _ := strings.Cut(string(text), "\n")
			first.Timestamp, _ = time.Parse(time.RFC3339, schema.FieldString([]byte(at), "timestamp"))
			if e, ok := claude.AgentFact(src, meta, first.Timestamp); ok {
				add(e)
			}
		}
		tr, n := claude.NewTranscript(src), int64(0)
		for line := range bytes.Lines(text) {
			n++
			events, _, _, err := tr.Events(bytes.TrimSuffix(line, []byte("\n")), n)
			if err != nil {
				t.Fatalf("%s:%d: %v", f.Path, n, err)
			}
			for _, e := range events {
				add(e)
			}
		}
	}
	return all
}

func same(t testing.TB, want, got map[string]map[string]bool) {
	t.Helper()
	for session := range maps.Keys(want) {
		if len(want[session]) == 0 {
			t.Errorf("%s has no facts", session)
		}
	}
	for session := range maps.Keys(union(want, got)) {
		for line := range union(want[session], got[session]) {
			if !want[session][line] || !got[session][line] {
				t.Errorf("session %s: wanted %v, is there %v: %.700s", session, want[session][line], got[session][line], line)
			}
		}
	}
}

func union[K comparable, V any](a, b map[K]V) map[K]V {
	all := maps.Clone(a)
	if all == nil {
		all = map[K]V{}
	}
	maps.Copy(all, b)
	return all
}

// state is every file of a home with its time and content.
func state(t testing.TB, home string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(home, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		text, _ := os.ReadFile(path)
		files[path] = fmt.Sprint(info.ModTime(), info.Size(), journalHash(text))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func journalHash(b []byte) uint64 {
	sum, _ := lines.HashLine(bytes.NewReader(b), 0, int64(len(b)))
	return sum
}
