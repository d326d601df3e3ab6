package actiongraph_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
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
	blocks := runnable(string(readme))
	if len(blocks) == 0 {
		t.Fatal("README.md has no block fenced as ```sh runnable")
	}
	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	home, bin := t.TempDir(), t.TempDir()
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
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v; the last line that starts with + is what failed:\n%s", err, out)
	}
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
	got := runnable("a\n```sh runnable\none\ntwo\n```\n```sh\nnot this\n```\n```sh runnable\nthree\n```\n")
	if want := "one\ntwo\n|three\n"; strings.Join(got, "|") != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func runnable(markdown string) (blocks []string) {
	fence := regexp.MustCompile("(?ms)^```sh runnable\n(.*?)^```$")
	for _, m := range fence.FindAllStringSubmatch(markdown, -1) {
		blocks = append(blocks, m[1])
	}
	return blocks
}
