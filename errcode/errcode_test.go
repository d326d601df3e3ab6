package errcode_test

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"slices"
	"strconv"
	"testing"

	"github.com/actiongraph/actiongraph/errcode"
)

// TestCodesAreClosed: Codes has each constant of the type, once.
func TestCodesAreClosed(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "errcode.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var declared []errcode.Code
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) == 0 {
			return true
		}
		if typ, ok := spec.Type.(*ast.Ident); ok && typ.Name == "Code" {
			text, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			declared = append(declared, errcode.Code(text))
		}
		return true
	})
	listed := errcode.Codes()
	slices.Sort(declared)
	slices.Sort(listed)
	if len(declared) < 50 || !slices.Equal(declared, listed) || len(slices.Compact(declared)) != len(listed) {
		t.Errorf("declared %q\nlisted   %q", declared, listed)
	}
}

// TestDocs holds docs/errors.md and the codes together, both ways; each section says what to do
// and shows the message.
func TestDocs(t *testing.T) {
	text, err := os.ReadFile("../docs/errors.md")
	if err != nil {
		t.Fatal(err)
	}
	heads := regexp.MustCompile("(?m)^### `([^`]+)`$").FindAllSubmatchIndex(text, -1)
	var described, codes []string
	for i, h := range heads {
		code := string(text[h[2]:h[3]])
		described = append(described, code)
		end := len(text)
		if i+1 < len(heads) {
			end = heads[i+1][0]
		}
		section := string(text[h[1]:end])
		if !regexp.MustCompile(`(?m)^\*Cure:\* \S`).MatchString(section) || !regexp.MustCompile(`(?m)^    \S`).MatchString(section) {
			t.Errorf("%s: the section has no cure, or shows no message", code)
		}
	}
	for _, c := range errcode.Codes() {
		codes = append(codes, string(c))
	}
	slices.Sort(described)
	slices.Sort(codes)
	if !slices.Equal(described, codes) {
		t.Errorf("docs/errors.md has %q\nthe codes are %q", described, codes)
	}
}

func TestErrorsAreFound(t *testing.T) {
	sentinel := errcode.New(errcode.HomeLocked, "locked")
	err := fmt.Errorf("while syncing: %w", errors.Join(errors.New("other"), sentinel))
	if !errors.Is(err, sentinel) || !errors.Is(err, errcode.ErrStorage) || errors.Is(err, errcode.ErrReplay) || errcode.Of(err) != errcode.HomeLocked {
		t.Errorf("%v: %v", err, errcode.Of(err))
	}
	again := errcode.With(errcode.DaemonRunning, err)
	if errcode.Of(again) != errcode.DaemonRunning || !errors.Is(again, sentinel) || again.Error() != err.Error() {
		t.Errorf("%v: %v", again, errcode.Of(again))
	}
	if errcode.With(errcode.Usage, nil) != nil || errcode.Of(errors.New("x")) != "" || errcode.Of(nil) != "" {
		t.Error("no error has a code")
	}
	for _, c := range errcode.Codes() {
		if c.Category() == nil || !errors.Is(errcode.New(c, ""), c.Category()) {
			t.Errorf("%s is of no category", c)
		}
	}
}
