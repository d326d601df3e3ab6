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

// Names that are like ours are not ours, what a kill left behind is.
func TestRemoveHomeKeepsOthers(t *testing.T) {
	home := filepath.Join(t.TempDir(), "home")
	usedHome(t, home, 2)
	write := func(names []string) (paths []string) {
		t.Helper()
		for _, name := range names {
			path := filepath.Join(home, filepath.FromSlash(name))
			if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte("x"), 0o600)); err != nil {
				t.Fatal(err)
			}
			paths = append(paths, path)
		}
		return paths
	}
	hash := strings.Repeat("0f", 8)
	write([]string{"config.toml", "config-edit-12.toml", ".config-12", "policy", "policy.said", "policy.12.tmp", "graph.db", "graph.db-wal", "graph.db-shm",
		"transcripts.index", "transcripts.index.12.tmp", "status.json", "status.json.new", "hook.log", "hook.log.1", "ag-sessiond.log", "ag-sessiond.log.1", "service.xml", ".service.xml.new", "api.sock", "api.token",
		"id." + hash + ".tmp", "key." + hash + ".tmp", ".verify-12", "journal/s_1-x.jsonl", "journal/s.jsonl.zst", "journal/s.jsonl.zst.new", "journal/s.jsonl.zst.tmp",
		"journal/s.jsonl.packing", "journal/s.jsonl.new", "journal/s.jsonl.old", "left_out/" + hash + hash, "forgotten/" + hash + hash, "forgotten/begun",
		"installed/" + hash + ".json", "installed/" + hash + ".before", "installed/." + hash + ".json.actiongraph-7-12.tmp"})
	mine := write([]string{"policy-insurance.pdf", "policy.pdf", "policy.2026.txt", "graph.db.mine", "graph.db-old", "config.toml.bak", "config-edit-mine.toml",
		"transcripts.index.md", "status.json.bak", "hook.log.old", "ag-sessiond.log.2", "service.xml.old", "api.token.old", "id.pub.tmp", "key.mine.tmp", ".config-mine", ".verify-me",
		"journal/2026-11-01.md", "journal/a b.jsonl", "journal/s.jsonl.gz", "journal/s.zst", "left_out/list", "installed/list", "installed/list.json"})
	// Folders that have the names of files, or of the files of a folder.
	for _, name := range []string{"hook.log", "journal/folder.jsonl"} {
		path := filepath.Join(home, filepath.FromSlash(name))
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		if err := os.Mkdir(path, 0o700); err != nil {
			t.Fatal(err)
		}
		mine = append(mine, path)
	}
	left, err := actiongraph.RemoveHome(home)
	slices.Sort(left)
	slices.Sort(mine)
	if !slices.Equal(left, mine) || err != nil {
		t.Fatalf("left %q, %v\nwant %q", left, err, mine)
	}
	var there []string
	err = filepath.WalkDir(home, func(path string, e fs.DirEntry, err error) error {
		if slices.Contains(mine, path) || err == nil && !e.IsDir() {
			there = append(there, path)
		}
		return err
	})
	slices.Sort(there)
	if !slices.Equal(there, mine) || err != nil {
		t.Errorf("there is %q, %v\nwant %q", there, err, mine)
	}
}

// A home that is the user's own, or holds it, is not removed, however it is named.
func TestRemoveHomeOfUser(t *testing.T) {
	home := filepath.Join(t.TempDir(), "home")
	usedHome(t, home, 1)
	below := filepath.Join(home, "a", "user")
	if err := os.MkdirAll(below, 0o700); err != nil {
		t.Fatal(err)
	}
	users := []string{home, home + string(filepath.Separator), below}
	if runtime.GOOS != "windows" {
		link := filepath.Join(t.TempDir(), "link")
		if err := os.Symlink(below, link); err != nil {
			t.Fatal(err)
		}
		users = append(users, link)
	}
	for _, user := range users {
		t.Setenv("HOME", user)
		t.Setenv("USERPROFILE", user)
		if _, err := actiongraph.RemoveHome(home); err == nil || !strings.Contains(err.Error(), "is your home directory, or holds it") {
			t.Fatalf("the user's is %s: %v", user, err)
		}
	}
	if _, err := actiongraph.RemoveHome(filepath.VolumeName(home) + string(filepath.Separator)); err == nil || !strings.Contains(err.Error(), "or holds it") {
		t.Errorf("the root: %v", err)
	}
	if _, err := os.Stat(filepath.Join(home, "journal", "s0.jsonl")); err != nil {
		t.Error(err)
	}
	// One beside it, or in it, is a home like any other.
	inside := filepath.Join(below, ".actiongraph")
	usedHome(t, inside, 1)
	if left, err := actiongraph.RemoveHome(inside); err != nil || len(left) > 0 {
		t.Errorf("left %q, %v", left, err)
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
