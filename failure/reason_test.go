package failure_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"slices"
	"strconv"
	"testing"

	"github.com/actiongraph/actiongraph/failure"
)

// TestTaxonomyIsClosed: Reasons has each constant of the type, once.
func TestTaxonomyIsClosed(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "reason.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var declared []failure.Reason
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if typ, ok := spec.Type.(*ast.Ident); ok && typ.Name == "Reason" {
			text, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			declared = append(declared, failure.Reason(text))
		}
		return true
	})
	listed := failure.Reasons()
	slices.Sort(declared)
	slices.Sort(listed)
	if len(declared) < 50 || !slices.Equal(declared, listed) {
		t.Errorf("declared %q\nlisted   %q", declared, listed)
	}
	if !slices.Equal(listed, slices.Compact(slices.Clone(listed))) {
		t.Error("a reason is listed twice")
	}
}

// TestDocs holds docs/failures.md and the taxonomy together, both ways.
func TestDocs(t *testing.T) {
	text, err := os.ReadFile("../docs/failures.md")
	if err != nil {
		t.Fatal(err)
	}
	var described []string
	for _, m := range regexp.MustCompile("(?m)^### `([^`]+)`$").FindAllStringSubmatch(string(text), -1) {
		described = append(described, m[1])
	}
	var reasons []string
	for _, r := range failure.Reasons() {
		reasons = append(reasons, string(r))
	}
	slices.Sort(described)
	slices.Sort(reasons)
	if !slices.Equal(described, reasons) {
		t.Errorf("docs/failures.md has %q\nthe taxonomy %q", described, reasons)
	}
}
