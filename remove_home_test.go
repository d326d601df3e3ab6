package actiongraph_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph"
	"github.com/actiongraph/actiongraph/connector"
)

// usedHome makes a home with something of everything that the Go API makes.
func usedHome(t *testing.T, home string, sessions int) {
	t.Helper()
	h := must(actiongraph.Open(home, actiongraph.Options{}))(t)
	for i := range sessions {
		must(h.Recorder("").RecordToolCall(actiongraph.ToolCall{SessionID: fmt.Sprint("s", i), ToolName: "Bash", ToolInput: map[string]any{"n": i}}))(t)
	}
	must(h.Sync(t.Context()))(t)
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestRemoveHome(t *testing.T) {
	dir := t.TempDir()
	home := filepath.Join(dir, "home")
	usedHome(t, home, 3)
	mine := filepath.Join(home, "mine")
	if err := os.WriteFile(mine, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if left, err := actiongraph.RemoveHome(home); err != nil || !slices.Equal(left, []string{mine}) {
		t.Fatalf("left %q, %v", left, err)
	}
	if entries, err := os.ReadDir(home); err != nil || len(entries) != 1 {
		t.Errorf("left %v, %v", entries, err)
	}
	// Now it is no home any more.
	if _, err := actiongraph.RemoveHome(home); err == nil || !strings.Contains(err.Error(), "is no home of actiongraph") {
		t.Errorf("got %v", err)
	}
	if err := os.Remove(mine); err != nil {
		t.Fatal(err)
	}
	usedHome(t, home, 1)
	if left, err := actiongraph.RemoveHome(home); err != nil || len(left) > 0 {
		t.Errorf("left %q, %v", left, err)
	}
	if _, err := os.Lstat(home); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("still there: %v", err)
	}
	if _, err := actiongraph.RemoveHome(home); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the second time: %v", err)
	}
}

func TestRemoveHomeRefuses(t *testing.T) {
	dir := t.TempDir()
	home := filepath.Join(dir, "home")
	usedHome(t, home, 1)
	for _, name := range []string{connector.RunLock, connector.GraphLock} {
		lock := must(connector.LockHome(home, name, time.Second))(t)
		if _, err := actiongraph.RemoveHome(home); !errors.Is(err, connector.ErrLocked) {
			t.Errorf("with %s held: %v", name, err)
		}
		if err := lock.Unlock(); err != nil {
			t.Fatal(err)
		}
	}
	// A folder of somebody else's, one with another's id, and a file.
	other := filepath.Join(dir, "other")
	if err := os.MkdirAll(filepath.Join(other, "journal"), 0o700); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "file")
	refused := []string{other, file}
	for path, text := range map[string]string{filepath.Join(other, "id"): "me\n", file: "x"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if runtime.GOOS != "windows" {
		link := filepath.Join(dir, "link")
		if err := os.Symlink(home, link); err != nil {
			t.Fatal(err)
		}
		refused = append(refused, link)
	}
	for _, path := range refused {
		if _, err := actiongraph.RemoveHome(path); err == nil {
			t.Errorf("%s was removed", path)
		}
	}
	for _, path := range []string{filepath.Join(home, "journal", "s0.jsonl"), filepath.Join(other, "journal"), file} {
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
	}
}
