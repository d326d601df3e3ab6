package source

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/actiongraph/actiongraph/adapters/jsonl"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/redact"
	"github.com/actiongraph/actiongraph/schema"
)

func newReader(t testing.TB, home string) *Reader {
	t.Helper()
	j, err := journal.Open(home)
	if err != nil {
		t.Fatal(err)
	}
	return &Reader{Journal: j, Redactor: redact.New(redact.Options{}), Host: "host", User: "user"}
}

// realDir is a folder without links in its path.
func realDir(t testing.TB) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func write(t testing.TB, text string, path ...string) string {
	t.Helper()
	name := filepath.Join(path...)
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// appendTo appends to a file as a program does that logs.
func appendTo(t testing.TB, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = f.WriteString(text)
		f.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
}

func packed(t testing.TB, text string) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := io.WriteString(z, text); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// clean imports and wants no error.
func clean(t testing.TB, r *Reader, o Options, paths ...string) Report {
	t.Helper()
	report, err := r.Import(context.Background(), paths, nil, o, nil)
	if err != nil {
		t.Fatalf("%v\n%+v", err, report)
	}
	return report
}

// facts are the different records of each session's journal, positions aside, and how
// often each is there.
func facts(t testing.TB, j *journal.Journal) map[string]int {
	t.Helper()
	all := map[string]int{}
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
			if err != nil || e.SessionID != f.Session {
				t.Fatalf("%s: %v: %s", f.Session, err, line)
			}
			if e.EventType != schema.SourcePosition {
				all[string(line)]++
			} else if !strings.HasPrefix(f.Session, "source-") {
				t.Fatalf("a position in the journal of %s", f.Session)
			}
		}
	}
	return all
}

// lossless compares facts as a set.
func lossless(t testing.TB, want, got map[string]int) {
	t.Helper()
	for line := range want {
		if got[line] == 0 {
			t.Errorf("missing: %.300s", line)
		}
	}
	for line := range got {
		if want[line] == 0 {
			t.Errorf("nobody said: %.300s", line)
		}
	}
}

// once wants each fact once.
func once(t testing.TB, got map[string]int) {
	t.Helper()
	for line, n := range got {
		if n > 1 {
			t.Errorf("%d times: %.300s", n, line)
		}
	}
}

// oracle reads files in the plainest way.
func oracle(t testing.TB, r *Reader, format jsonl.Format, session, path, text string, at time.Time) map[string]int {
	t.Helper()
	d := jsonl.NewDecoder(jsonl.Source{Format: format, Session: session, Title: stem(path), Path: path, Origin: schema.OriginAudit,
		Host: r.Host, User: r.User, HashKey: r.Journal.Key()})
	all := map[string]int{}
	for i, line := range strings.Split(text, "\n") {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		events, _, err := d.Append(nil, []byte(line), int64(i+1), at)
		if err != nil {
			t.Fatalf("line %d: %v", i+1, err)
		}
		for _, e := range events {
			all[string(r.Redactor.Event(e).Bytes())]++
		}
	}
	return all
}

// events are lines of the Event Protocol, of some sessions.
func events(from, n int) string {
	var b strings.Builder
	for i := from; i < from+n; i++ {
		fmt.Fprintf(&b, `{"v":1,"event_id":"e%d","event_type":"message","session_id":"s%d","timestamp":"2026-03-01T10:15:%02d.%06dZ","source_sdk":"test","origin":"api","role":"user","content":"text %d %s"}`+"\n",
			i, i%3, i/1000%60, i%1000, i, strings.Repeat("x", i*7919%300))
	}
	return b.String()
}

const dump = "../adapters/jsonl/testdata/audit/trace-260301_101500.jsonl"

// dumpText is the recorded dump.
func dumpText(t testing.TB) string {
	t.Helper()
	for _, path := range []string{dump} {
		if text, err := os.ReadFile(path); err == nil {
			return string(text)
		}
	}
	t.Fatal("the recorded dump is not there")
	return ""
}

func diff[T any](t testing.TB, what string, want, got T) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

func keys(m map[string]int) (all []string) {
	for k := range m {
		all = append(all, k)
	}
	sort.Strings(all)
	return all
}
