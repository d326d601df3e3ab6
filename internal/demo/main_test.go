package main

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write testdata/output.txt anew")

// The output is committed: it must not depend on who runs the demo, where, when or
// how often.
func TestOutputIsTheSameEverywhere(t *testing.T) {
	const golden = "testdata/output.txt"
	var got bytes.Buffer
	if err := run(&got, t.TempDir(), ""); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Fatalf("-%s +this run (go test ./internal/demo -update if it is meant):\n%s", golden, diff)
	}

	for name, value := range map[string]string{
		"TZ": "Asia/Tokyo", "LANG": "de_DE.UTF-8", "USER": "somebody", "COLUMNS": "40", "CLICOLOR_FORCE": "1",
		"FORCE_COLOR": "1", "CLAUDE_PROJECT_DIR": "/elsewhere", "AG_HOME": "/nowhere", "HOME": t.TempDir(),
		// Go's own folders must not follow HOME.
		"GOPATH": goEnv(t, "GOPATH"), "GOENV": goEnv(t, "GOENV"), "GOCACHE": goEnv(t, "GOCACHE"), "GOMODCACHE": goEnv(t, "GOMODCACHE"),
	} {
		t.Setenv(name, value)
	}
	var again bytes.Buffer
	if err := run(&again, t.TempDir(), t.TempDir()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), again.String()); diff != "" {
		t.Errorf("-%s +a run in another environment:\n%s", golden, diff)
	}
}

func goEnv(t *testing.T, name string) string {
	t.Helper()
	out, err := exec.Command("go", "env", name).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}
