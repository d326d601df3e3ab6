package sqlite

import (
	"crypto/sha256"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/schema"
)

// TestLayout: the tables in the code are those in schema.sql.
func TestLayout(t *testing.T) {
	s, err := Open(filepath.Join(t.TempDir(), "graph.db"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, tab := range []*table{s.tables.session, s.tables.action, s.tables.body, s.tables.agent, s.tables.tool, s.tables.tag, s.tables.file} {
		rows, err := s.read.Query("SELECT name, type FROM pragma_table_info(?)", tab.name)
		if err != nil {
			t.Fatal(err)
		}
		have := map[string]string{}
		for rows.Next() {
			var name, typ string
			if err := rows.Scan(&name, &typ); err != nil {
				t.Fatal(err)
			}
			have[name] = typ
		}
		rows.Close()
		delete(have, "id")
		types := map[kind]string{text: "TEXT", integer: "INTEGER", real: "REAL", boolean: "INTEGER", instant: "INTEGER"}
		for _, c := range tab.cols {
			got, ok := have[c.name]
			if want := types[c.kind]; !ok || c.kind != plain && got != want {
				t.Errorf("%s.%s is %q in schema.sql, want %q", tab.name, c.name, got, want)
			}
			delete(have, c.name)
		}
		if len(have) > 0 {
			t.Errorf("%s has columns that the code does not know: %v", tab.name, have)
		}
		if len(tab.cols) > 64 {
			t.Errorf("%s has more columns than a row's mask has bits", tab.name)
		}
	}
	for slot, name := range []string{"in_session", "lane", "prev", "parent", "tool"} {
		if got := s.tables.action.cols[colLinks+slot].name; got != name {
			t.Errorf("link %d is column %s, want %s", slot, got, name)
		}
	}
}

// TestManyColumnSets: more sets of columns than statements are kept.
func TestManyColumnSets(t *testing.T) {
	s, err := Open(filepath.Join(t.TempDir(), "graph.db"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var ops []graph.Op
	texts := []string{"status", "agent_id", "tool_name", "name", "model", "prompt_id", "tool_use_id", "mcp_server", "role", "command"}
	for i := range 1 << len(texts) {
		n := graph.Node{Ref: graph.Ref{Label: graph.LabelAction, Key: fmt.Sprint(i)}, Type: graph.ToolCall}
		for bit, name := range texts {
			if i&(1<<bit) != 0 {
				n.Props = append(n.Props, graph.Prop{Name: name, Value: fmt.Sprint(name, i)})
			}
		}
		ops = append(ops, graph.Op{Kind: graph.PutNode, Node: n})
	}
	want := graph.New()
	want.Apply(ops...)
	if err := s.Apply(t.Context(), []graph.Batch{{Journal: "j", Session: "s", To: schema.Position{Offset: 1}, Ops: ops}}); err != nil {
		t.Fatal(err)
	}
	if n := len(s.conn.rowStmts); n > maxRowStatements || n == 0 {
		t.Errorf("%d prepared statements", n)
	}
	got, err := s.Load(t.Context(), "s")
	if err != nil {
		t.Fatal(err)
	}
	if d := graph.Diff(want, got); len(d) > 0 {
		t.Errorf("%d differences, the first: %v", len(d), d[0])
	}
}

// TestNewestWindow: a search ranks the newest hits, with All every one.
func TestNewestWindow(t *testing.T) {
	s, err := Open(filepath.Join(t.TempDir(), "graph.db"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var ops []graph.Op
	for i := range newest + 50 {
		text := "rare and a good many other words besides"
		if i == 3 {
			text = "rare"
		}
		ops = append(ops, graph.Op{Kind: graph.PutNode, Node: graph.Node{Ref: graph.Ref{Label: graph.LabelAction, Key: fmt.Sprint(i)},
			Type: graph.UserMessage, Props: []graph.Prop{{Name: "text", Value: text}}}})
	}
	if err := s.Apply(t.Context(), []graph.Batch{{Journal: "j", Session: "s", To: schema.Position{Offset: 1}, Ops: ops}}); err != nil {
		t.Fatal(err)
	}
	for _, all := range []bool{false, true} {
		hits, err := s.Search(t.Context(), graph.SearchQuery{Words: "rare", All: all, Limit: 5})
		if err != nil || len(hits) != 5 {
			t.Fatal(len(hits), err)
		}
		if best := hits[0].Action.ActionID; (best == "3") != all {
			t.Errorf("all %v: the best is %s", all, best)
		}
	}
}

// TestMaintain: merging leaves fewer segments and the same hits.
func TestMaintain(t *testing.T) {
	s, err := Open(filepath.Join(t.TempDir(), "graph.db"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for i := range int64(60) {
		op := graph.Op{Kind: graph.PutNode, Node: graph.Node{Ref: graph.Ref{Label: graph.LabelAction, Key: fmt.Sprint(i)},
			Type: graph.UserMessage, Props: []graph.Prop{{Name: "text", Value: fmt.Sprint("hello w", i)}}}}
		b := graph.Batch{Journal: "j", Session: "s", From: schema.Position{Offset: i}, To: schema.Position{Offset: i + 1}, Ops: []graph.Op{op}}
		if err := s.Apply(t.Context(), []graph.Batch{b}); err != nil {
			t.Fatal(err)
		}
	}
	segments := func() (n int) {
		t.Helper()
		if err := s.read.QueryRow("SELECT count(DISTINCT segid) FROM fts_idx").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := segments()
	if err := s.Maintain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if after := segments(); after*10 > before {
		t.Errorf("%d segments before, %d after", before, after)
	}
	hits, err := s.Search(t.Context(), graph.SearchQuery{Words: "hello"})
	if err != nil || len(hits) != 60 {
		t.Errorf("%d hits, %v", len(hits), err)
	}
	if err := s.Maintain(t.Context()); err != nil { // nothing left to do
		t.Fatal(err)
	}
}

// TestFull: what does not fit leaves the store as it was, and it works on when
// there is space again.
func TestFull(t *testing.T) {
	s, err := Open(filepath.Join(t.TempDir(), "graph.db"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	limit := func(pages int) {
		t.Helper()
		if err := s.conn.do(t.Context(), fmt.Sprintf("PRAGMA max_page_count = %d", pages)); err != nil {
			t.Fatal(err)
		}
	}
	batch := graph.Batch{Journal: "j", Session: "s", To: schema.Position{Offset: 1}}
	for i := range 200 {
		batch.Ops = append(batch.Ops, graph.Op{Kind: graph.PutNode, Node: graph.Node{Ref: graph.Ref{Label: graph.LabelAction, Key: fmt.Sprint(i)},
			Type: graph.UserMessage, Props: []graph.Prop{{Name: "text", Value: strings.Repeat("full ", 2000)}}}})
	}
	limit(1) // no more than there is
	if err := s.Apply(t.Context(), []graph.Batch{batch}); err == nil || !strings.Contains(err.Error(), "no space is left") {
		t.Fatalf("on a full disk: %v", err)
	}
	if p, err := s.Positions(t.Context(), "j"); len(p) > 0 || err != nil {
		t.Errorf("a position was kept: %v %v", p, err)
	}
	if g, err := s.Load(t.Context(), "s"); len(g.Nodes()) > 0 || err != nil {
		t.Errorf("nodes were kept: %v", err)
	}
	limit(1 << 30)
	if err := s.Apply(t.Context(), []graph.Batch{batch}); err != nil {
		t.Fatal(err)
	}
	hits, err := s.Search(t.Context(), graph.SearchQuery{Words: "full"})
	if err != nil || len(hits) != 200 {
		t.Errorf("%d hits, %v", len(hits), err)
	}
}

// TestUnusedIsCheap: to look for rows that nothing refers to reads each table once at most,
// however many nodes there are.
func TestUnusedIsCheap(t *testing.T) {
	s, err := Open(filepath.Join(t.TempDir(), "graph.db"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, text := range unused {
		correlated := false
		err := s.conn.query(func(vals []any) error {
			step, _ := vals[3].(string)
			correlated = correlated || strings.HasPrefix(step, "CORRELATED")
			if strings.HasPrefix(step, "SCAN edge") || correlated && strings.HasPrefix(step, "SCAN") && !strings.Contains(step, "LIST") {
				t.Errorf("%s\n%s", text, step)
			}
			return nil
		}, "EXPLAIN QUERY PLAN "+text)
		if err != nil {
			t.Fatal(err)
		}
		if !correlated {
			t.Errorf("nothing is looked up: %s", text)
		}
	}
}

// TestVersion: another schema.sql has another Version. 6 stood for two of them, and a program of
// the second took files of the first for its own.
func TestVersion(t *testing.T) {
	var layout strings.Builder
	for line := range strings.Lines(schemaSQL) {
		if !strings.HasPrefix(line, "--") {
			layout.WriteString(line)
		}
	}
	const of8 = "dd2ce13974f6e806"
	if got := fmt.Sprintf("%x", sha256.Sum256([]byte(layout.String())))[:16]; Version != 8 || got != of8 {
		t.Errorf("schema.sql is %s, and version %d: where it changed, count Version up and put both here", got, Version)
	}
}
