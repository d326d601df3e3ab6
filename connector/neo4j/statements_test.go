package neo4j_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	driver "github.com/neo4j/neo4j-go-driver/v5/neo4j"

	"github.com/actiongraph/actiongraph/connector/neo4j"
	"github.com/actiongraph/actiongraph/cypher"
	"github.com/actiongraph/actiongraph/graph"
)

// TestStatementsAreSent: a file in cypher/read or cypher/write that the code does not
// name is one that people read in vain.
func TestStatementsAreSent(t *testing.T) {
	sources, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var code []byte
	for _, name := range sources {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		code = append(code, raw...)
	}
	for _, path := range statementFiles(t) {
		name, _, _ := strings.Cut(filepath.Base(path), ".")
		named := func(name string) bool { return bytes.Contains(code, []byte(`"`+name+`"`)) }
		all, ofOne := strings.CutSuffix(name, "_session") // the same of one session: perSession
		if !named(name) && !(ofOne && named(all) && named("_session")) {
			t.Errorf("%s is used nowhere", path)
		}
	}
}

func statementFiles(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("../../cypher/*/*.cypher")
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, f := range files {
		if dir := filepath.Base(filepath.Dir(f)); dir == "read" || dir == "write" {
			out = append(out, f)
		}
	}
	if len(out) < 30 {
		t.Fatalf("%d files", len(out))
	}
	return out
}

// TestStatementsCompile: each engine takes each statement of its dialect, in all the
// forms that it is sent in.
func TestStatementsCompile(t *testing.T) {
	engines(t, func(t *testing.T, o neo4j.Options) {
		s := empty(t, o)
		if err := s.Setup(t.Context()); err != nil {
			t.Fatal(err)
		}
		info, err := s.Info(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for _, path := range statementFiles(t) {
			name, dialect, _ := strings.Cut(strings.TrimSuffix(filepath.Base(path), ".cypher"), ".")
			if dialect != "" && dialect != string(info.Dialect) {
				continue
			}
			for _, stmt := range forms(info.Dialect, filepath.Base(filepath.Dir(path)), name) {
				if strings.HasPrefix(stmt, "SHOW ") {
					all = append(all, stmt)
					continue
				}
				if strings.Contains(stmt, "_LABEL") || strings.Contains(stmt, "_KEY_") || strings.Contains(stmt, "_TYPE_") || strings.Contains(stmt, "_STUB_") {
					t.Errorf("%s: not filled in:\n%s", path, stmt)
				}
				all = append(all, "EXPLAIN "+stmt)
			}
		}
		beside(t, o, func(session driver.SessionWithContext) {
			for _, stmt := range all {
				result, err := session.Run(t.Context(), stmt, parameters(stmt))
				if err == nil {
					_, err = result.Consume(t.Context())
				}
				if err != nil {
					t.Errorf("%s: %v", stmt, err)
				}
			}
		})
	})
}

// parameters are values for all that a statement names: Memgraph wants them to compile
// it, too (UnprovidedParameterError).
func parameters(stmt string) map[string]any {
	all := map[string]any{}
	for _, m := range regexp.MustCompile(`(LIMIT |SKIP )?\$([a-z_]+)`).FindAllStringSubmatch(stmt, -1) {
		switch {
		case m[1] != "":
			all[m[2]] = 1
		case m[2] == "rows", m[2] == "keys":
			all[m[2]] = []any{}
		default:
			all[m[2]] = nil
		}
	}
	return all
}

// forms are the texts that a file is sent as.
func forms(d cypher.Dialect, dir, name string) (out []string) {
	if dir == "read" {
		text := cypher.Read(d, name)
		if !strings.Contains(text, "_TYPE_") {
			return []string{text}
		}
		for _, k := range cypher.EdgeKinds() {
			out = append(out, cypher.Loads(d, name, k))
		}
		return out
	}
	text := cypher.Write(d, name)
	switch {
	case strings.Contains(text, "_LABELS_"):
		for _, typ := range graph.ActionTypes() {
			out = append(out, cypher.Actions(d, name, typ))
		}
	case strings.Contains(text, "_LABEL_"):
		for _, l := range []graph.Label{graph.LabelSession, graph.LabelAction, graph.LabelAgent, graph.LabelTool, graph.LabelTag, graph.LabelFile, cypher.Position} {
			out = append(out, cypher.Nodes(d, name, l))
		}
	case strings.Contains(text, "_TYPE_"):
		for _, k := range cypher.EdgeKinds() {
			out = append(out, cypher.Edges(d, name, k))
		}
	default:
		out = []string{text}
	}
	return out
}
