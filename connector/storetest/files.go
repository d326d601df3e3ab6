package storetest

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/graph"
)

// Files returns the files that sessions read and wrote, most touched first.
func (m *Memory) Files(_ context.Context, f graph.FileFilter) ([]graph.FileRow, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var uses []graph.FileUse
	for id, g := range m.folds {
		if f.Session != "" && id != f.Session {
			continue
		}
		self := g.Node(graph.Ref{Label: graph.LabelSession, Key: id})
		for _, e := range g.Edges() {
			a, file := g.Node(e.From), m.shared.Node(e.To)
			if e.Type != graph.Read && e.Type != graph.Wrote || a == nil || self == nil || file == nil {
				continue
			}
			at := moment(a, "timestamp")
			if !f.Since.IsZero() && (at.IsZero() || at.Before(f.Since)) || !under(text(file, "path"), f.Path) {
				continue
			}
			u := graph.FileUse{
				File: file.Key, Path: text(file, "path"), Host: text(file, "host"), Edge: e.Type, Tool: text(a, "tool_name"),
				SessionID: id, Name: text(self, "name"), User: text(self, "user"), Calls: 1, FirstAt: at, LastAt: at,
			}
			if e.Type == graph.Wrote {
				u.LinesAdded, u.LinesRemoved = resultLines(g, a, "lines_added"), resultLines(g, a, "lines_removed")
			}
			uses = append(uses, u)
		}
	}
	return graph.FileRows(uses, f.Limit), nil
}

// under reports whether wanted is path, a directory above it, or some of the components
// that either has, one after another.
func under(path, wanted string) bool {
	have, want := components(path), components(wanted)
	if strings.HasPrefix(wanted, "/") || strings.HasPrefix(wanted, `\`) {
		return len(want) <= len(have) && strings.Join(have[:len(want)], "/") == strings.Join(want, "/") && strings.IndexAny(path, `/\`) == 0
	}
	for i := 0; i+len(want) <= len(have); i++ {
		if strings.Join(have[i:i+len(want)], "/") == strings.Join(want, "/") {
			return true
		}
	}
	return false
}

func components(path string) []string {
	return strings.FieldsFunc(path, func(r rune) bool { return r == '/' || r == '\\' })
}

// resultLines sums a property of a call's results; nil where none has it.
func resultLines(g *graph.Graph, call *graph.Node, prop string) *int64 {
	var sum *int64
	for _, e := range g.Edges() {
		r := g.Node(e.To)
		if e.Type != graph.ParentOf || e.From != call.Ref || r == nil || r.Type != graph.ToolResult {
			continue
		}
		if n, ok := r.Prop(prop).(int64); ok {
			if sum == nil {
				sum = new(int64)
			}
			*sum += n
		}
	}
	return sum
}

// fileFilters are asked of every reader.
func fileFilters(sessions []string) []graph.FileFilter {
	out := []graph.FileFilter{
		{}, {Limit: 1}, {Path: "/a"}, {Path: "a"}, {Path: "/b"}, {Path: "b/"}, {Path: "ü.go"}, {Path: "b/ü.go"}, {Path: `\b\ü.go`},
		{Path: "/b/ü"}, {Path: "go"}, {Path: "/"}, {Path: "c:/src"}, {Path: "/c"}, {Path: "x_%"}, {Path: "a'b\"c"},
		{Since: time.Date(2026, 1, 1, 0, 0, 3, 1, time.UTC)}, {Session: "nobody"}, {Since: year(1600)}, {Since: year(2300)},
	}
	for _, id := range sessions {
		out = append(out, graph.FileFilter{Session: id}, graph.FileFilter{Session: id, Path: "/a"})
	}
	return out
}

// testFiles asks about a file that two sessions touched, and about paths that are
// patterns, prefixes or another system's.
func testFiles(t *testing.T, p *pair) {
	touch := func(session string, n int, tool string, edge graph.EdgeType, path string, seconds float64, added int64) (ops []graph.Op) {
		c, r, f := action(fmt.Sprint("c", n)), action(fmt.Sprint("r", n)), ref(graph.LabelFile, graph.FileKey("h", path))
		ops = []graph.Op{
			put(ref(graph.LabelSession, session), "", graph.Prop{Name: "name", Value: "title of " + session}, graph.Prop{Name: "user", Value: "dev"}),
			put(c, graph.ToolCall, graph.Prop{Name: "tool_name", Value: tool}, graph.Prop{Name: "timestamp", Value: at(seconds)}),
			put(f, "", graph.Prop{Name: "path", Value: path}, graph.Prop{Name: "host", Value: "h"}),
			putEdge(graph.HasAction, ref(graph.LabelSession, session), c), putEdge(edge, c, f),
		}
		if added >= 0 {
			ops = append(ops, put(r, graph.ToolResult, graph.Prop{Name: "lines_added", Value: added}),
				putEdge(graph.HasAction, ref(graph.LabelSession, session), r), putEdge(graph.ParentOf, c, r))
		}
		return own(session, ops)
	}
	p.apply("s1", touch("s1", 1, "Read", graph.Read, "/w/repo/main.go", 1, 7)...) // lines of a read are none
	p.apply("s1", touch("s1", 2, "Edit", graph.Wrote, "/w/repo/main.go", 2, 3)...)
	p.apply("s1", touch("s1", 3, "Edit", graph.Wrote, "/w/repo/main.go", 5, 4)...)
	p.apply("s2", touch("s2", 1, "Write", graph.Wrote, "/w/repo/main.go", 9, -1)...)
	p.apply("s2", touch("s2", 2, "Read", graph.Read, "/w/repo/main.go.orig", 3, -1)...)
	p.apply("s2", touch("s2", 3, "Read", graph.Read, `C:\src\100%_it's "x".go`, 4, -1)...)
	r, ok := p.store.(connector.Reader)
	if !ok {
		return // the store does not read
	}
	p.compareAnswers("s1", "s2")
	seven := int64(7)
	moment := func(s float64) time.Time { return time.Unix(0, int64(at(s))).UTC() }
	first := graph.FileTouches{Reads: 1, Writes: 2, LinesAdded: &seven, FirstAt: moment(1), LastAt: moment(5)}
	second := graph.FileTouches{Writes: 1, FirstAt: moment(9), LastAt: moment(9)}
	both := graph.FileTouches{Reads: 1, Writes: 3, LinesAdded: &seven, FirstAt: moment(1), LastAt: moment(9)}
	want := []graph.FileRow{{Path: "/w/repo/main.go", Host: "h", FileTouches: both, SessionCount: 2, Sessions: []graph.FileSession{
		{SessionID: "s2", Name: "title of s2", User: "dev", FileTouches: second, Tools: map[string]int64{"Write": 1}},
		{SessionID: "s1", Name: "title of s1", User: "dev", FileTouches: first, Tools: map[string]int64{"Edit": 2, "Read": 1}},
	}}}
	got, err := r.Files(context.Background(), graph.FileFilter{Path: "repo/main.go"})
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Fatalf("%v (-want +got)\n%s", err, d)
	}
	for _, tc := range []struct {
		f    graph.FileFilter
		want string
	}{
		{graph.FileFilter{}, `/w/repo/main.go /w/repo/main.go.orig C:\src\100%_it's "x".go`},
		{graph.FileFilter{Limit: 1}, "/w/repo/main.go"},
		{graph.FileFilter{Path: "/w/repo"}, "/w/repo/main.go /w/repo/main.go.orig"},
		{graph.FileFilter{Path: "/w/rep"}, ""}, {graph.FileFilter{Path: "/repo"}, ""}, {graph.FileFilter{Path: "in.go"}, ""},
		{graph.FileFilter{Path: "repo/"}, "/w/repo/main.go /w/repo/main.go.orig"},
		{graph.FileFilter{Path: `src/100%_it's "x".go`}, `C:\src\100%_it's "x".go`},
		{graph.FileFilter{Path: `C:\src`}, `C:\src\100%_it's "x".go`},
		{graph.FileFilter{Path: "src/100__it's \"x\".go"}, ""}, {graph.FileFilter{Path: "%"}, ""},
		{graph.FileFilter{Session: "s2", Path: "main.go"}, "/w/repo/main.go"}, {graph.FileFilter{Session: "s1", Path: "main.go.orig"}, ""},
		{graph.FileFilter{Since: moment(4)}, `/w/repo/main.go C:\src\100%_it's "x".go`}, {graph.FileFilter{Since: moment(9.5)}, ""},
	} {
		var paths []string
		rows, err := r.Files(context.Background(), tc.f)
		for _, row := range rows {
			paths = append(paths, row.Path)
		}
		if have := strings.Join(paths, " "); err != nil || have != tc.want {
			t.Errorf("Files(%+v) = %q %v, want %q", tc.f, have, err, tc.want)
		}
	}
}
