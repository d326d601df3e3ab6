package source

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/actiongraph/actiongraph/adapters/jsonl"
	"github.com/actiongraph/actiongraph/internal/lines"
)

// TestLongest: whether a file is read once for all positions, or each is looked at, it goes on
// where the longest of them says that has what the file has.
func TestLongest(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) {
		line := rapid.SampledFrom([]string{"", "{}", `{"a":1}`, `{"a":2}`, "a\r", strings.Repeat("x", 300)})
		text := strings.Join(rapid.SliceOfN(line, 1, 12).Draw(rt, "lines"), "\n") + rapid.SampledFrom([]string{"", "\n"}).Draw(rt, "end")
		path := write(t, text, dir, "file")
		f, err := os.Open(path)
		if err != nil {
			rt.Fatal(err)
		}
		defer f.Close()
		// Positions of files that have some of the lines, or others.
		var records []*record
		for i := range rapid.IntRange(0, 12).Draw(rt, "positions") {
			other := text[:rapid.IntRange(0, len(text)).Draw(rt, "cut")]
			if rapid.Bool().Draw(rt, "changed") {
				other = strings.Replace(other, "a", "b", rapid.IntRange(0, 2).Draw(rt, "times"))
			}
			l, all := lines.Peek(strings.NewReader(other)), uint32(0)
			for {
				text, err := l.Next()
				if err != nil {
					break
				}
				all = lines.Sum(all, text)
			}
			p, err := l.Position(7)
			if err != nil {
				rt.Fatal(err)
			}
			if p.All = max(all, 1); p.Offset > 0 && p.Offset <= int64(len(text)) {
				records = append(records, &record{Position: p, inode: uint64(i + 1)})
			}
		}
		want, err := probe(f, append([]*record{}, records...))
		if err != nil {
			rt.Fatal(err)
		}
		got, err := walk(f, append([]*record{}, records...))
		if err != nil || (got == nil) != (want == nil) || got != nil && got.Position != want.Position {
			rt.Fatalf("%q: %+v, want %+v, %v", text, got, want, err)
		}
	})
}

// TestFollowAlike: many files that begin alike, some of them copies of others, are each read
// once, whether they come while others are read or after a restart; no more is looked at for each than itself.
func TestFollowAlike(t *testing.T) {
	dir := realDir(t)
	in := filepath.Join(dir, "in")
	begin := `{"tool_name":"start","created_at":"2026-03-01T10:00:00Z","content":"every file here begins so"}` + "\n"
	grain := func(i int) string {
		return fmt.Sprintf(`{"tool_name":"t","created_at":"2026-03-01T10:00:01Z","content":"%0*d"}`+"\n", 5+i%40, i)
	}
	const files = 300
	r := newReader(t, filepath.Join(dir, "home"))
	f := start(t, r, Spec{Path: in})
	for i := range files {
		write(t, begin+grain(i), in, fmt.Sprintf("%d.jsonl", i))
	}
	f.awaitFacts(2 + 2*files)
	// Positions come behind facts: a copy that is there before them is read whole.
	f.await("all are read", func() bool { return f.Health().Lines == 2*files })
	for i := range 20 {
		write(t, begin+grain(i)+grain(1000+i), in, fmt.Sprintf("copy-%d.jsonl", i)) // goes on behind the other
	}
	f.awaitFacts(2 + 2*files + 40)
	f.stop()
	if h := f.Health(); h.Lines != 2*files+20 || len(f.log.String()) > 0 && strings.Contains(f.log.String(), "warn") {
		t.Errorf("%d lines were read, %s", h.Lines, f.log)
	}
	f = start(t, newReader(t, r.Journal.Home()), Spec{Path: in})
	appendTo(t, filepath.Join(in, "7.jsonl"), grain(5000))
	write(t, begin+grain(8)+grain(6000), in, "late.jsonl")
	f.awaitFacts(2 + 2*files + 44)
	f.await("all are known", func() bool { return f.Health().Files == files+21 })
	f.stop()
	if h := f.Health(); h.Lines != 2 {
		t.Errorf("%d lines were read after a restart", h.Lines)
	}
	if report := clean(t, r, Options{Format: jsonl.OMS}, in); report.Lines != 0 {
		t.Errorf("%+v", report)
	}
}
