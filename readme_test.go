package actiongraph_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/actiongraph/actiongraph"
	"github.com/actiongraph/actiongraph/internal/neo4jtest"
)

// TestREADMECommands runs every block of README.md that is fenced as ```sh runnable,
// as written and in order, in one shell with a home of its own: a reader who follows
// the README does the same.
func TestREADMECommands(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs what the README says; -short")
	}
	if runtime.GOOS == "windows" {
		t.Skip("the README's commands are for a POSIX shell")
	}
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := runnable(string(readme), "")
	if len(blocks) == 0 {
		t.Fatal("README.md has no block fenced as ```sh runnable")
	}
	runBlocks(t, blocks, t.TempDir())
}

// TestREADMEGraphCommands runs the blocks fenced as ```sh runnable graph: those that
// need a database, on a recorded session and a real Neo4j.
func TestREADMEGraphCommands(t *testing.T) {
	if testing.Short() || runtime.GOOS == "windows" {
		t.Skip("as TestREADMECommands")
	}
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := runnable(string(readme), " graph")
	if len(blocks) == 0 {
		t.Fatal("README.md has no block fenced as ```sh runnable graph")
	}
	const readers = "bolt://127.0.0.1:7687" // a port that the machine may be using
	for i, b := range blocks {
		if !strings.Contains(b, readers) {
			t.Errorf("block %d names no %s", i, readers)
		}
		blocks[i] = strings.ReplaceAll(b, readers, neo4jtest.URL(t))
	}
	home := t.TempDir()
	h := must(actiongraph.Open(filepath.Join(home, ".actiongraph"), actiongraph.Options{}))(t)
	rec := h.Recorder("")
	call := must(rec.RecordToolCall(actiongraph.ToolCall{SessionID: "readme", ToolName: "Bash", ToolInput: map[string]any{"command": "exit 4"}}))(t)
	must(rec.RecordToolResult(actiongraph.ToolResult{SessionID: "readme", ToolUseID: call.ToolUseID, IsError: true, ErrorMessage: "exit 4"}))(t)
	out := runBlocks(t, append([]string{"go install ./cmd/..."}, blocks...), home)
	for _, want := range []string{"identical: 1 session", "exit 4", "failed", "behind    nothing"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in what the commands print:\n%s", want, out)
		}
	}
}

// runBlocks runs shell blocks in order, in one shell with a home of its own, and
// returns what they print.
func runBlocks(t *testing.T, blocks []string, home string) string {
	t.Helper()
	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	cmd := exec.Command("sh", "-eux", "-c", strings.Join(blocks, "\n"))
	cmd.Dir = root
	cmd.Env = []string{
		"HOME=" + home, "GOBIN=" + bin, "PATH=" + bin + string(filepath.ListSeparator) + os.Getenv("PATH"),
		"TZ=UTC", "NO_COLOR=1",
	}
	// Go's own folders do not follow HOME, or each run would fill a new cache.
	for _, name := range []string{"GOENV", "GOPATH", "GOCACHE", "GOMODCACHE", "GOPROXY", "GOFLAGS", "GOTOOLCHAIN"} {
		out, err := exec.Command("go", "env", name).Output()
		if err != nil {
			t.Fatal(err)
		}
		cmd.Env = append(cmd.Env, name+"="+strings.TrimSpace(string(out)))
	}
	user, password := neo4jtest.Auth()
	cmd.Env = append(cmd.Env, "AG_GRAPH_USER="+user, "AG_GRAPH_PASSWORD="+password)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v; the last line that starts with + is what failed:\n%s", err, out)
	}
	return string(out)
}

// TestREADMEProgram builds the Go program that README.md shows.
func TestREADMEProgram(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, program, ok := strings.Cut(string(readme), "```go\n")
	if !ok {
		t.Fatal("README.md shows no Go program")
	}
	program, _, _ = strings.Cut(program, "```\n")
	file := filepath.Join(t.TempDir(), "main.go")
	if err := os.WriteFile(file, []byte(program), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("go", "vet", file).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestRunnable(t *testing.T) {
	got := runnable("a\n```sh runnable\none\ntwo\n```\n```sh\nnot this\n```\n```sh runnable graph\nnor this\n```\n```sh runnable\nthree\n```\n", "")
	if want := "one\ntwo\n|three\n"; strings.Join(got, "|") != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func runnable(markdown, kind string) (blocks []string) {
	fence := regexp.MustCompile("(?ms)^```sh runnable" + kind + "\n(.*?)^```$")
	for _, m := range fence.FindAllStringSubmatch(markdown, -1) {
		blocks = append(blocks, m[1])
	}
	return blocks
}
