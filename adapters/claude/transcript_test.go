package claude_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/actiongraph/actiongraph/adapters/claude"
	"github.com/actiongraph/actiongraph/schema"
)

// transcript is one recorded transcript of testdata.
type transcript struct {
	path  string
	lines [][]byte
	src   claude.Source
}

// transcripts returns the recorded transcripts of testdata by their paths.
func transcripts(t testing.TB) []transcript {
	t.Helper()
	var out []transcript
	err := filepath.WalkDir("testdata/transcripts", func(path string, _ os.DirEntry, err error) error {
		if err == nil && filepath.Ext(path) == ".jsonl" {
			out = append(out, readTranscript(t, path))
		}
		return err
	})
	if err != nil || len(out) < 20 {
		t.Fatalf("%d transcripts, %v", len(out), err)
	}
	return out
}

func readTranscript(t testing.TB, path string) transcript {
	t.Helper()
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	name := strings.TrimSuffix(filepath.Base(path), ".jsonl")
	r := transcript{path: path, lines: bytes.Split(bytes.TrimSuffix(file, []byte("\n")), []byte("\n"))}
	r.src = claude.Source{Session: name, HashKey: env(nil).HashKey}
	if agent, ok := strings.CutPrefix(name, "agent-"); ok {
		r.src.Agent, r.src.Session = agent, filepath.Base(filepath.Dir(filepath.Dir(path)))
	}
	var scan claude.OriginScan
	for _, l := range r.lines {
		scan.Line(l)
	}
	r.src.Origins = scan.Origins()
	return r
}

// facts reads lines [from, to) by one Transcript.
func (r transcript) facts(t testing.TB, from, to int) []schema.Event {
	t.Helper()
	tr := claude.NewTranscript(r.src)
	var out []schema.Event
	for i := from; i < to; i++ {
		events, _, _, _ := tr.Events(r.lines[i], int64(i+1))
		for _, e := range events {
			if err := e.Validate(); err != nil {
				t.Errorf("%s:%d: %v", r.path, i+1, err)
			}
		}
		out = append(out, events...)
	}
	return out
}

// TestTranscripts holds the facts of each recorded transcript against a golden that
// was read line by line.
func TestTranscripts(t *testing.T) {
	for _, r := range transcripts(t) {
		t.Run(strings.TrimPrefix(r.path, "testdata/transcripts/"), func(t *testing.T) {
			golden := strings.TrimSuffix(r.path, "jsonl") + "golden"
			got := r.render(t)
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

// render writes what every line gave, without what all events share.
func (r transcript) render(t *testing.T) string {
	var b strings.Builder
	for _, o := range r.src.Origins {
		fmt.Fprintf(&b, "origin %s until %s, event %s\n", o.Session, schema.FormatTime(o.Until), o.Event)
	}
	constant := strings.NewReplacer(`"v":1,`, "", `"source_sdk":"claude-code","origin":"transcript",`, "",
		`"session_id":"`+r.src.Session+`",`, "", `000000Z"`, `Z"`)
	tr := claude.NewTranscript(r.src)
	for i, line := range r.lines {
		events, kind, unknown, err := tr.Events(line, int64(i+1))
		if err != nil {
			fmt.Fprintf(&b, "%d %s: error: %v\n", i+1, kind, err)
		}
		if unknown {
			fmt.Fprintf(&b, "%d %s: unknown\n", i+1, kind)
		}
		for _, e := range events {
			if err := e.Validate(); err != nil {
				t.Errorf("line %d: %v", i+1, err)
			}
			fmt.Fprintf(&b, "%d %s: %s\n", i+1, kind, constant.Replace(string(e.AppendJSON(nil))))
		}
	}
	return b.String()
}
