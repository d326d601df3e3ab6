package source

import (
	"os"
	"path/filepath"
	"testing"

	"pgregory.net/rapid"

	"github.com/actiongraph/actiongraph/adapters/jsonl"
	"github.com/actiongraph/actiongraph/internal/lines"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/redact"
	"github.com/actiongraph/actiongraph/schema"
)

// TestRecordRoundTrip: what is written of a file is read, whatever its path.
func TestRecordRoundTrip(t *testing.T) {
	redactor := redact.New(redact.Options{})
	rapid.Check(t, func(rt *rapid.T) {
		want := record{
			Position: lines.Position{Offset: rapid.Int64Range(0, 1<<60).Draw(rt, "offset"), Lines: rapid.Int64Range(0, 1<<60).Draw(rt, "lines"),
				Sum: rapid.Uint64().Draw(rt, "sum"), First: rapid.Uint64().Draw(rt, "first"), All: rapid.Uint32().Draw(rt, "all")},
			path: "/a/" + rapid.StringMatching(`[ -~é\n"\\\\]{0,9}`).Draw(rt, "path"), dev: rapid.Uint64().Draw(rt, "device"), inode: rapid.Uint64().Draw(rt, "inode"),
			format: jsonl.Audit, session: rapid.SampledFrom([]string{"", "s-1"}).Draw(rt, "session"),
		}
		want.broken = rapid.SampledFrom([]int64{0, 0, 7}).Draw(rt, "broken")
		if want.size = rapid.Int64Range(0, 3).Draw(rt, "size"); want.size > 0 {
			want.modTime = rapid.Int64().Draw(rt, "modified")
		}
		e := want.event("host")
		line := redactor.Event(e)
		if line.Session() != schema.PositionsID(want.First) {
			rt.Fatalf("it is of session %s", line.Session())
		}
		got, ok := parseRecord(line.Bytes(), "host")
		if !ok || got != want {
			rt.Fatalf("%+v, %v, want %+v", got, ok, want)
		}
		if _, ok := parseRecord(line.Bytes(), "another host"); ok {
			rt.Fatal("the file of another machine is taken for one of this")
		}
	})
}

// FuzzRecord: no line makes a position that is none.
func FuzzRecord(f *testing.F) {
	e := record{Position: lines.Position{Offset: 7, Lines: 1, Sum: 1, First: 2, All: 3}, path: "/a", dev: 4, inode: 5, size: 6, modTime: 7, format: "oms"}.event("h")
	f.Add(redact.New(redact.Options{}).Event(e).Bytes())
	f.Fuzz(func(t *testing.T, line []byte) {
		if r, ok := parseRecord(line, "h"); ok && (r.Offset < 0 || r.Lines < 0 || r.session != "" && !schema.ValidID(r.session)) {
			t.Errorf("%+v", r)
		}
	})
}

// TestRemovedSession: what somebody removed from the journal is read again.
func TestRemovedSession(t *testing.T) {
	dir := realDir(t)
	r := newReader(t, filepath.Join(dir, "home"))
	path := write(t, dumpText(t), dir, "trace.jsonl")
	session := clean(t, r, Options{}, path).PerFile[0].Sessions[0]
	want := facts(t, r.Journal)
	if err := os.Remove(filepath.Join(journal.Dir(r.Journal.Home()), session+journal.Suffix)); err != nil {
		t.Fatal(err)
	}
	if report := clean(t, r, Options{}, path); report.PerFile[0].Sessions[0] != session {
		t.Errorf("%+v", report)
	}
	lossless(t, want, facts(t, r.Journal))
}
