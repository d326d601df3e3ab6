package arch

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

const modulePath = "github.com/actiongraph/actiongraph"

const (
	maxFileLines = 400 // a non-test file: what a reader holds in the head
	maxMainLines = 40  // a command's main.go: flags and wiring only
)

// layer is what the packages in a folder, and below it, may import.
type layer struct {
	dir string // relative to the module root; "." is the root package alone
	// may lists folders of this module; a package in or below one may be imported.
	// A nil list is none.
	may []string
	// pure packages are functions of bytes and a clock that is handed in: no I/O, no
	// time, no randomness. Their standard library is the list in pureStd.
	pure bool
	// stdOnly packages are linked by ag-hook, on the agent's path.
	stdOnly bool
}

// layers is design.md §2's arrows. Of several that hold a package the one with the
// longest dir decides, so a package below a folder gets no more by being new. A
// package that none holds is an error: it has to be placed here first.
func layers() []layer {
	return []layer{
		{dir: "schema", pure: true, stdOnly: true},
		{dir: "errcode", pure: true, stdOnly: true},
		{dir: "failure", may: []string{"schema"}, pure: true, stdOnly: true},
		{dir: "graph", may: []string{"errcode", "schema"}, pure: true, stdOnly: true},
		{dir: "adapters", may: []string{"schema"}, pure: true, stdOnly: true},
		{dir: "policy", may: []string{"schema", "internal/replace"}, stdOnly: true},
		{dir: "redact", may: []string{"policy", "schema"}, pure: true, stdOnly: true},
		{dir: "journal", may: []string{"errcode", "policy", "redact", "schema", "internal/replace"}, stdOnly: true},
		{dir: "journal/packed", may: []string{"journal"}},
		{dir: "settings"},
		{dir: "service", may: []string{"errcode", "connector"}},
		{dir: "doctor", may: []string{"internal/forget", "config", "secrets", "connector", "connector/sqlite", "connector/neo4j", "graph", "journal", "journal/packed", "policy", "redact", "schema", "service", "settings", "internal/render"}},
		{dir: "transcript", may: []string{"adapters", "journal", "redact", "schema", "internal/intake", "internal/lines", "internal/replace", "internal/tail", "failure", "internal/logline"}},
		{dir: "source", may: []string{"adapters", "journal", "redact", "schema", "internal/intake", "internal/lines", "internal/tail", "failure", "internal/logline", "errcode"}},
		{dir: "internal/forget", may: []string{"config", "connector", "journal", "policy", "schema", "seal", "transcript", "history", "redact"}},
		{dir: "internal/intake", may: []string{"errcode"}},
		{dir: "internal/logline", may: []string{"failure", "redact", "schema"}},
		{dir: "internal/lines", may: []string{"schema"}},
		{dir: "api", may: []string{"errcode", "failure", "internal/logline", ".", "adapters", "graph", "schema"}},
		{dir: "internal/fulltext", may: []string{"graph", "schema"}},
		{dir: "cypher", may: []string{"graph", "schema"}},
		{dir: "internal/tail", may: []string{"failure", "internal/logline"}},
		{dir: "internal/nearest"},
		{dir: "internal/replace", stdOnly: true},
		{dir: "usage", may: []string{"graph", "schema"}},
		{dir: "metrics"},
		{dir: "metrics/prometheus", may: []string{"metrics"}},
		{dir: "config", may: []string{"adapters", "internal/nearest", "internal/replace", "policy", "errcode"}},
		{dir: "internal/render", may: []string{"graph", "schema", "usage"}},
		{dir: "live", may: []string{"graph", "journal", "schema", "usage", "internal/render", "internal/tail", "errcode"}},
		{dir: "history", may: []string{"graph", "journal", "schema", "errcode"}},
		{dir: "replay", may: []string{"connector", "graph", "history", "journal", "schema", "errcode"}},
		{dir: "diff", may: []string{"graph", "history", "schema", "usage", "internal/render", "errcode"}},
		{dir: "trace", may: []string{"graph", "history", "schema", "errcode"}},
		{dir: "internal/watch", may: []string{"graph", "live", "internal/render", "internal/watch/mute"}},
		{dir: "internal/watch/mute"},
		{dir: "export", may: []string{"graph", "schema", "internal/render", "usage", "errcode"}},
		{dir: "eventstore", may: []string{"schema", "eventstore/record", "eventstore/file", "eventstore/sqlite", "eventstore/postgres", "errcode"}},
		{dir: "eventstore/record", may: []string{"schema", "errcode"}},
		{dir: "eventstore/file", may: []string{"eventstore/record", "config", "journal", "journal/packed", "redact", "schema", "internal/lines", "errcode"}},
		{dir: "eventstore/sqlite", may: []string{"eventstore/record", "schema", "errcode"}},
		{dir: "eventstore/postgres", may: []string{"eventstore/record", "errcode"}},
		{dir: "eventstore/storetest", may: []string{"eventstore", "redact", "schema"}},
		{dir: "connector", may: []string{"journal", "graph", "schema", "internal/tail", "failure", "metrics", "internal/logline", "errcode"}},
		{dir: "internal/figures", may: []string{"connector", "failure", "graph", "journal", "metrics", "schema", "usage"}},
		{dir: "secrets", may: []string{"connector", "graph", "journal", "policy", "redact", "schema", "seal", "errcode"}},
		{dir: "seal", may: []string{"failure", "internal/logline", "connector", "journal", "schema", "internal/replace", "errcode"}},
		{dir: "secrets/secretstest"},
		{dir: "connector/sqlite", may: []string{"errcode", "internal/fulltext", "graph", "schema"}},
		{dir: "connector/neo4j", may: []string{"errcode", "cypher", "internal/fulltext", "graph", "schema"}},
		{dir: "connector/storetest", may: []string{"connector", "journal", "graph", "schema"}},
		// The root's default store is the embedded one: a Go caller, like a user, needs
		// nothing else installed.
		{dir: ".", may: []string{"internal/forget", "config", "connector", "connector/sqlite", "transcript", "source", "adapters", "journal", "journal/packed", "redact", "diff", "graph", "history", "schema", "live", "seal", "errcode", "failure", "internal/logline"}},
		{dir: "cmd/ag-hook", may: []string{"adapters", "policy", "redact", "journal", "schema", "internal/replace", "errcode"}, stdOnly: true},
		{dir: "cmd/ag-sessiond", may: []string{
			".",
			"adapters",
			"api",
			"config",
			"connector",
			"connector/neo4j",
			"connector/sqlite",
			"cypher",
			"diff",
			"doctor",
			"errcode",
			"eventstore",
			"export",
			"failure",
			"graph",
			"history",
			"internal/figures",
			"internal/forget",
			"internal/logline",
			"internal/nearest",
			"internal/render",
			"internal/replace",
			"internal/tail",
			"internal/watch",
			"journal",
			"journal/packed",
			"live",
			"metrics",
			"metrics/prometheus",
			"policy",
			"redact",
			"replay",
			"schema",
			"seal",
			"secrets",
			"service",
			"settings",
			"source",
			"trace",
			"transcript",
			"usage",
		}},
		// Tools and tests of this repository: nothing imports them.
		{dir: "internal/arch"},
		{dir: "internal/demo"},
		{dir: "internal/picture"},
		{dir: "internal/e2e"},
		{dir: "internal/maketest"},
		{dir: "internal/neo4jtest"},
		{dir: "internal/nobody"},
		{dir: "internal/postgrestest"},
		{dir: "internal/release"},
		{dir: "internal/bench", may: []string{"connector/sqlite", "journal", "journal/packed", "redact", "adapters", "graph", "schema", "seal", "internal/neo4jtest", "internal/postgrestest"}},
	}
}

// pureStd is the standard library of pure packages. An allow list: what a new
// version of Go adds must be looked at before it is used there.
func pureStd() []string {
	return []string{
		"bytes", "cmp", "container/heap", "crypto/hmac", "crypto/sha256", "encoding/base64", "encoding/binary",
		"encoding/hex", "encoding/json", "errors", "fmt", "hash", "hash/fnv", "hash/maphash", "io", "iter", "maps",
		"math", "math/bits", "path", "reflect", "regexp", "regexp/syntax", "slices", "sort", "strconv", "strings",
		"sync", "sync/atomic", "time", "unicode", "unicode/utf16", "unicode/utf8", "unsafe", "embed",
	}
}

// impureCalls are calls into packages that are on pureStd: reading the clock,
// waiting for it, and printing.
func impureCalls() []string {
	return []string{
		"time.Now", "time.Since", "time.Until", "time.Sleep", "time.After", "time.AfterFunc", "time.Tick",
		"time.NewTimer", "time.NewTicker", "time.LoadLocation", "maphash.MakeSeed",
		"fmt.Print", "fmt.Printf", "fmt.Println", "fmt.Scan", "fmt.Scanf", "fmt.Scanln",
	}
}

func bannedNames() []string {
	return []string{"util", "utils", "manager", "managers", "handler", "handlers", "processor", "processors"}
}

// checkTree parses every Go file below the module root and returns what breaks a
// rule, one line each, sorted. The rules about imports and calls are for what is
// shipped: tests may import what they like.
func checkTree(fsys fs.FS) ([]string, error) {
	var problems []string
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return skipDir(fsys, name, d)
		}
		if path.Ext(name) != ".go" {
			return nil
		}
		src, err := fs.ReadFile(fsys, name)
		if err != nil {
			return err
		}
		found, err := checkFile(name, src)
		problems = append(problems, found...)
		return err
	})
	slices.Sort(problems)
	return problems, err
}

// skipDir leaves out what is no part of the module: hidden folders, testdata and
// nested modules.
func skipDir(fsys fs.FS, name string, d fs.DirEntry) error {
	if name == "." {
		return nil
	}
	if strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" {
		return fs.SkipDir
	}
	if _, err := fs.Stat(fsys, path.Join(name, "go.mod")); err == nil {
		return fs.SkipDir
	}
	return nil
}

func checkFile(name string, src []byte) (problems []string, err error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, src, parser.SkipObjectResolution)
	if err != nil {
		return nil, fmt.Errorf("parse: %w", err)
	}
	bad := func(format string, args ...any) {
		problems = append(problems, name+": "+fmt.Sprintf(format, args...))
	}
	checkNames(name, file, bad)
	for _, d := range file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
			bad("func init: what a package needs is passed to it")
		}
	}
	if strings.HasSuffix(name, "_test.go") {
		return problems, nil
	}
	lines := strings.Count(string(src), "\n")
	if lines > maxFileLines {
		bad("%d lines, at most %d", lines, maxFileLines)
	}
	if strings.HasPrefix(name, "cmd/") && path.Base(name) == "main.go" && lines > maxMainLines {
		bad("%d lines, a main.go has at most %d", lines, maxMainLines)
	}
	checkImports(name, file, bad)
	return problems, nil
}

func checkNames(name string, file *ast.File, bad func(string, ...any)) {
	names := append(strings.Split(path.Dir(name), "/"), file.Name.Name,
		strings.TrimSuffix(strings.TrimSuffix(path.Base(name), ".go"), "_test"))
	for _, banned := range bannedNames() {
		if slices.Contains(names, banned) {
			bad("a name that says nothing: %s", banned)
		}
	}
}

func checkImports(name string, file *ast.File, bad func(string, ...any)) {
	dir := path.Dir(name)
	l, ok := layerOf(dir)
	if !ok {
		bad("no layer holds the package %s: place it in layers()", dir)
		return
	}
	local := map[string]string{} // the name of an import in this file → its path
	for _, spec := range file.Imports {
		imp, _ := strconv.Unquote(spec.Path.Value)
		local[localName(spec, imp)] = imp
		switch to, own := strings.CutPrefix(imp, modulePath); {
		case own:
			if to = cmp.Or(strings.TrimPrefix(to, "/"), "."); !l.mayImport(to) {
				bad("imports %s: against the arrows", to)
			}
		case strings.Contains(strings.Split(imp, "/")[0], "."):
			if l.stdOnly {
				bad("imports %s: standard library only", imp)
			}
		case l.pure && !slices.Contains(pureStd(), imp):
			bad("imports %s: a pure package", imp)
		}
	}
	if l.pure {
		checkPurity(file, local, bad)
	}
}

// checkPurity looks at every use of an impure function, called or passed on.
func checkPurity(file *ast.File, local map[string]string, bad func(string, ...any)) {
	ast.Inspect(file, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if x, ok := sel.X.(*ast.Ident); ok {
			if imp, ok := local[x.Name]; ok && slices.Contains(impureCalls(), path.Base(imp)+"."+sel.Sel.Name) {
				bad("%s.%s: a pure package", path.Base(imp), sel.Sel.Name)
			}
		}
		return true
	})
}

func localName(spec *ast.ImportSpec, imp string) string {
	if spec.Name != nil {
		return spec.Name.Name
	}
	return path.Base(imp)
}

func layerOf(dir string) (best layer, ok bool) {
	for _, l := range layers() {
		if within(dir, l.dir) && (!ok || len(l.dir) > len(best.dir)) {
			best, ok = l, true
		}
	}
	return best, ok
}

// mayImport reports whether the most specific layer of the package to is allowed:
// "connector" does not allow "connector/sqlite", a layer of its own.
func (l layer) mayImport(to string) bool {
	target, ok := layerOf(to)
	return ok && (target.dir == l.dir || slices.Contains(l.may, target.dir))
}

func within(dir, folder string) bool {
	return dir == folder || folder != "." && strings.HasPrefix(dir, folder+"/")
}
