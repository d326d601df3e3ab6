package arch

import (
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// The walk opens every Go file of the module, so go test's cache drops the result
// of this whole package, the cross builds included, when one of them changes.
func TestLayout(t *testing.T) {
	problems, err := checkTree(os.DirFS("../.."))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Error(p)
	}
}

// A checker that passes everything would pass the tree, too.
func TestCheckerFails(t *testing.T) {
	const m = modulePath
	for _, tc := range []struct {
		name, file, src string
		want            []string // nil: the checker must be content
	}{
		{"schema imports nothing", "schema/a.go", `import "` + m + `/graph"`, []string{"imports graph: against the arrows"}},
		{"graph imports schema", "graph/a.go", `import "` + m + `/schema"`, nil},
		{"graph not journal", "graph/a.go", `import "` + m + `/journal"`, []string{"imports journal: against the arrows"}},
		{"adapter not graph", "adapters/claude/a.go", `import "` + m + `/graph"`, []string{"imports graph: against the arrows"}},
		{"redact not journal", "redact/a.go", `import "` + m + `/journal"`, []string{"imports journal: against the arrows"}},
		{"journal imports redact", "journal/a.go", `import "` + m + `/redact"`, nil},
		{"store not connector", "connector/sqlite/a.go", `import "` + m + `/connector"`, []string{"imports connector: against the arrows"}},
		{"store not store", "connector/neo4j/a.go", `import "` + m + `/connector/sqlite"`, []string{"imports connector/sqlite: against the arrows"}},
		{"connector not store", "connector/a.go", `import "` + m + `/connector/sqlite"`, []string{"imports connector/sqlite: against the arrows"}},
		{"storetest imports connector", "connector/storetest/a.go", `import "` + m + `/connector"`, nil},
		{"connector not root", "connector/a.go", `import "` + m + `"`, []string{"imports .: against the arrows"}},
		{"root imports connector", "a.go", `import "` + m + `/connector"`, nil},
		{"root not cmd", "a.go", `import "` + m + `/cmd/ag-sessiond/verbs"`, []string{"imports cmd/ag-sessiond/verbs: against the arrows"}},
		{"hook not root", "cmd/ag-hook/a.go", `import "` + m + `"`, []string{"imports .: against the arrows"}},
		{"hook not cobra", "cmd/ag-hook/a.go", `import "github.com/spf13/cobra"`, []string{"imports github.com/spf13/cobra: standard library only"}},
		{"tests import what they like", "schema/a_test.go", `import "` + m + `/graph"`, nil},
		{"a package that is nowhere", "stuff/a.go", ``, []string{"no layer holds the package stuff: place it in layers()"}},

		{"graph does no I/O", "graph/a.go", `import "os"`, []string{"imports os: a pure package"}},
		{"schema has no net", "schema/a.go", `import "net/http"`, []string{"imports net/http: a pure package"}},
		{"redact has no rand", "redact/a.go", `import "math/rand/v2"`, []string{"imports math/rand/v2: a pure package"}},
		{"adapter has no clock", "adapters/claude/a.go", "import \"time\"\nvar _ = time.Now()", []string{"time.Now: a pure package"}},
		{"a clock by another name", "graph/a.go", "import t \"time\"\nvar clock = t.Now", []string{"time.Now: a pure package"}},
		{"times are fine", "graph/a.go", "import \"time\"\nvar _ = time.Unix(0, 0)", nil},
		{"journal has a clock", "journal/a.go", "import \"time\"\nvar _ = time.Now()", nil},

		{"init", "journal/a.go", "func init() {}", []string{"func init: what a package needs is passed to it"}},
		{"a method named init", "journal/a.go", "type t int\nfunc (t) init() {}", nil},
		{"a file named utils", "journal/utils.go", "", []string{"a name that says nothing: utils"}},
		{"a package named manager", "connector/manager/a.go", "", []string{"a name that says nothing: manager"}},
		{"a long file", "journal/a.go", strings.Repeat("\n", 400), []string{"401 lines, at most 400"}},
		{"a long test", "journal/a_test.go", strings.Repeat("\n", 900), nil},
		{"a long main", "cmd/ag-hook/main.go", strings.Repeat("\n", 40), []string{"41 lines, a main.go has at most 40"}},
		{"a main of 40 lines", "cmd/ag-hook/main.go", strings.Repeat("\n", 39), nil},
		{"testdata is no code", "journal/testdata/utils.go", "func init() {}", nil},
		{"hidden folders neither", ".cache/utils.go", "func init() {}", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tree := fstest.MapFS{tc.file: {Data: []byte("package a\n" + tc.src)}}
			got, err := checkTree(tree)
			if err != nil {
				t.Fatal(err)
			}
			var want []string
			for _, w := range tc.want {
				want = append(want, tc.file+": "+w)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
	t.Run("a nested module is another module", func(t *testing.T) {
		tree := fstest.MapFS{"redact/x/go.mod": {}, "redact/x/a.go": {Data: []byte("package a\nimport \"os\"\n")}}
		if got, err := checkTree(tree); err != nil || got != nil {
			t.Errorf("got %q, %v", got, err)
		}
	})
}

// ag-hook runs at each of an agent's steps: a driver or a CLI library in its
// closure is a millisecond and megabytes each time.
func TestHookLinksStandardLibraryOnly(t *testing.T) {
	for _, goos := range []string{"linux", "darwin", "windows"} {
		if foreign := foreignDeps(t, goos, "./cmd/ag-hook"); len(foreign) > 0 {
			t.Errorf("%s: ag-hook links %s", goos, strings.Join(foreign, ", "))
		}
	}
	t.Run("the check can fail", func(t *testing.T) {
		foreign := foreignDeps(t, runtime.GOOS, "./cmd/ag-sessiond")
		if !strings.Contains(strings.Join(foreign, " "), "github.com/spf13/cobra") {
			t.Errorf("ag-sessiond links cobra, the check saw only %q", foreign)
		}
	})
}

// foreignDeps lists the packages that pkg links and that are neither Go's nor ours.
func foreignDeps(t *testing.T, goos, pkg string) (foreign []string) {
	t.Helper()
	out := goCommand(t, goos, "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", pkg)
	for dep := range strings.FieldsSeq(out) {
		if dep != modulePath && !strings.HasPrefix(dep, modulePath+"/") {
			foreign = append(foreign, dep)
		}
	}
	return foreign
}

// People's agents run on these, and nobody of us does.
func TestCrossBuild(t *testing.T) {
	if testing.Short() {
		t.Skip("cross builds take minutes where nothing is cached; -short")
	}
	for _, goos := range []string{"darwin", "windows"} {
		t.Run(goos, func(t *testing.T) {
			goCommand(t, goos, "build", "./...")
			goCommand(t, goos, "vet", "./...")
		})
	}
}

// goCommand runs go in the module root for a platform and returns its stdout.
func goCommand(t *testing.T, goos string, args ...string) string {
	t.Helper()
	cmd := exec.Command("go", args...)
	cmd.Dir = "../.."
	cmd.Env = append(os.Environ(), "GOOS="+goos, "CGO_ENABLED=0")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("GOOS=%s go %s: %v\n%s", goos, strings.Join(args, " "), err, stderr.String())
	}
	return string(out)
}
