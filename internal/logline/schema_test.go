package logline_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const root = "../.."

// properties are the fields of docs/log.schema.json.
func properties(t *testing.T) map[string]bool {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "docs", "log.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	var s struct {
		Properties map[string]json.RawMessage
		Additional *bool `json:"additionalProperties"`
	}
	if err := json.Unmarshal(text, &s); err != nil || s.Additional == nil || *s.Additional {
		t.Fatalf("%v: the schema must be closed", err)
	}
	all := map[string]bool{}
	for name := range s.Properties {
		all[name] = true
	}
	return all
}

// TestDocs holds docs/logs.md and the schema together, both ways.
func TestDocs(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "docs", "logs.md"))
	if err != nil {
		t.Fatal(err)
	}
	described := map[string]bool{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\|").FindAllStringSubmatch(string(text), -1) {
		described[m[1]] = true
	}
	if schema := properties(t); !maps.Equal(described, schema) {
		t.Errorf("docs/logs.md has %q\nthe schema %q", slices.Sorted(maps.Keys(described)), slices.Sorted(maps.Keys(schema)))
	}
}

// TestEveryLogLine looks at each place of this repository where a field is given to zerolog: its
// name is in the schema, and a reason comes by Why or Of, with its doc_url.
func TestEveryLogLine(t *testing.T) {
	known, used := properties(t), map[string]bool{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, f := range fields(file) {
			at := set.Position(f.pos)
			if used[f.name] = true; !known[f.name] {
				t.Errorf("%s: field %q is not in docs/log.schema.json", at, f.name)
			}
			if f.name == "reason" && !strings.Contains(filepath.ToSlash(path), "internal/logline/") {
				t.Errorf("%s: a reason comes by logline.Why", at)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	// What is written elsewhere than through zerolog, and the seed's that no line has today.
	for _, name := range []string{"timestamp", "level", "message", "cure", "event_type", "action_id", "tool", "model"} {
		used[name] = true
	}
	if len(used) < 30 || !maps.Equal(used, known) {
		t.Errorf("used  %q\nknown %q", slices.Sorted(maps.Keys(used)), slices.Sorted(maps.Keys(known)))
	}
}

// TestScanSees: the scan finds a field wherever one may be given.
func TestScanSees(t *testing.T) {
	const text = `package p
import "github.com/rs/zerolog"
func f(log zerolog.Logger, k struct{ log zerolog.Logger }, e *zerolog.Event, err error) {
	log.Warn().Str("a", "").Int64("b", 1).Msg("no field")
	log.With().Strs("c", nil).Logger()
	e.Dict("d", nil)
	k.log.WithLevel(1).Err(err).AnErr("e", err).Msg("")
	e = e.Bytes("f", nil)
}`
	file, err := parser.ParseFile(token.NewFileSet(), "", text, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range fields(file) {
		names = append(names, f.name)
	}
	slices.Sort(names)
	if want := []string{"a", "b", "c", "d", "e", "error", "f"}; !slices.Equal(names, want) {
		t.Errorf("%q, want %q", names, want)
	}
}

type field struct {
	name string
	pos  token.Pos
}

// fields are the names that a file gives to zerolog, whether it imports that or has a logger of
// somebody who does: calls of its methods, which have two arguments, the first a string.
func fields(file *ast.File) (out []field) {
	adds := regexp.MustCompile(`^(Str|Strs|Stringer|Bytes|Hex|RawJSON|AnErr|Errs|Bool|Bools|Uint(8|16|32|64)?s?|Int(8|16|32|64)?s?|Float(32|64)|Time|Dur|TimeDiff|Any|Interface|Dict|Array|Object|IPAddr|Type)$`)
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		method, ok := call.Fun.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if method.Sel.Name == "Err" && len(call.Args) == 1 && isEvent(method.X) {
			out = append(out, field{"error", call.Pos()})
		}
		if !adds.MatchString(method.Sel.Name) || len(call.Args) != 2 {
			return true
		}
		if name, ok := call.Args[0].(*ast.BasicLit); ok && name.Kind == token.STRING {
			text, _ := strconv.Unquote(name.Value)
			out = append(out, field{text, call.Pos()})
		}
		return true
	})
	return out
}

// isEvent reports a chain of calls, as a line of a log is made by: ctx.Err() is none.
func isEvent(x ast.Expr) bool {
	_, ok := x.(*ast.CallExpr)
	return ok
}
