package storetest

import (
	"context"
	"strings"
	"time"

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
		{Since: time.Date(2026, 1, 1, 0, 0, 3, 1, time.UTC)}, {Session: "nobody"},
	}
	for _, id := range sessions {
		out = append(out, graph.FileFilter{Session: id}, graph.FileFilter{Session: id, Path: "/a"})
	}
	return out
}
