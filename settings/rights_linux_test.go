package settings

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph/internal/nobody"
)

func TestRights(t *testing.T) {
	if nobody.Run(t) {
		return
	}
	dir := t.TempDir()
	k := Kept(filepath.Join(dir, "kept"))
	path := filepath.Join(dir, "claude", "settings.json")
	write(t, path, `{"a":1}`)
	untouched := func(want string) {
		t.Helper()
		_, err := k.Install(path, recorder1)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("got %v, want %q", err, want)
		}
		chmod(t, path, 0o600)
		if got := readText(t, path); got != `{"a":1}` {
			t.Errorf("became %q", got)
		}
		if _, err := os.Stat(string(k)); err == nil {
			t.Error("something is kept of what was not done")
		}
	}
	chmod(t, path, 0o400)
	untouched("cannot be written")
	chmod(t, path, 0)
	untouched("permission denied")
	chmod(t, filepath.Dir(path), 0o500)
	untouched("the folder cannot be written")
	chmod(t, filepath.Dir(path), 0o700)

	chmod(t, dir, 0o500) // the home is
	_, err := k.Install(path, recorder1)
	if err == nil || !strings.Contains(err.Error(), "keep what "+path+" was") {
		t.Errorf("a home that cannot be written: %v", err)
	}
	chmod(t, dir, 0o700)
	if got := readText(t, path); got != `{"a":1}` {
		t.Errorf("became %q", got)
	}

	chmod(t, path, 0o640)
	if _, err := k.Install(path, recorder1); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o640 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	entries, err := os.ReadDir(string(k))
	if err != nil || len(entries) != 2 {
		t.Fatalf("%v, %v", entries, err)
	}
	for _, e := range entries {
		if info, err := e.Info(); err != nil || info.Mode() != 0o600 {
			t.Errorf("%s: %v, %v", e.Name(), info.Mode(), err)
		}
	}
}

func chmod(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

func TestOwnerStays(t *testing.T) {
	if os.Geteuid() != 0 {
		return // who is not root cannot have a file that is another's and writable
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "settings.json")
	write(t, path, "{}")
	if err := os.Chown(path, 65534, 65534); err != nil {
		t.Fatal(err)
	}
	if _, err := Kept(filepath.Join(dir, "kept")).Install(path, recorder1); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if s := info.Sys().(*syscall.Stat_t); s.Uid != 65534 || s.Gid != 65534 {
		t.Errorf("belongs to %d:%d", s.Uid, s.Gid)
	}
}

func TestLinks(t *testing.T) {
	dir := t.TempDir()
	k := Kept(filepath.Join(dir, "kept"))
	write(t, filepath.Join(dir, "dotfiles", "claude.json"), `{"a":1}`)
	link := filepath.Join(dir, "claude", "settings.json")
	if err := os.MkdirAll(filepath.Dir(link), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, to := range map[string]string{"relative": "../dotfiles/claude.json", "absolute": filepath.Join(dir, "dotfiles", "claude.json"), "dangling": "../dotfiles/new.json"} {
		os.Remove(link)
		if err := os.Symlink(to, link); err != nil {
			t.Fatal(err)
		}
		if _, err := k.Install(link, recorder1); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got, err := os.Readlink(link); err != nil || got != to {
			t.Errorf("%s: leads to %q, %v", name, got, err)
		}
		if !strings.Contains(readText(t, link), "ag-hook") {
			t.Errorf("%s: not installed", name)
		}
		if _, err := k.Uninstall(link); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got, err := os.Readlink(link); err != nil || got != to {
			t.Errorf("%s: after it leads to %q, %v", name, got, err)
		}
	}
	if got := readText(t, filepath.Join(dir, "dotfiles", "claude.json")); got != `{"a":1}` {
		t.Errorf("became %q", got)
	}
	if _, err := os.Stat(filepath.Join(dir, "dotfiles", "new.json")); err == nil {
		t.Error("the file that was not there is")
	}
	os.Remove(link)
	if err := os.Symlink("settings.json", link); err != nil {
		t.Fatal(err)
	}
	if err := second(k.Install(link, recorder1)); err == nil {
		t.Error("a link to itself was installed into")
	}
}

// killed is the environment of the process that TestKill kills.
const killed = "AG_TEST_KILLED_INSTALL"

// TestKill kills installations and their undoing at any point: the file is the old one or
// the new one, the next run completes, and nothing is left of the killed.
func TestKill(t *testing.T) {
	if dir := os.Getenv(killed); dir != "" {
		installForEver(dir)
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "claude", "settings.json")
	before := `{"model" : "opus","x":[1,2]}` + strings.Repeat("\n", 1<<16)
	write(t, path, before)
	after, err := Install([]byte(before), recorder1)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for i := range 50 {
		cmd := exec.Command("/proc/self/exe", "-test.run=^TestKill$")
		cmd.Env = append(os.Environ(), killed+"="+dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		out.Read(make([]byte, 1)) // it is at it
		time.Sleep(time.Duration(i%10) * 700 * time.Microsecond)
		cmd.Process.Kill()
		cmd.Wait()
		switch now := readText(t, path); now {
		case before:
			seen["before"]++
		case string(after):
			seen["after"]++
		default:
			t.Fatalf("after kill %d: %.200q", i, now)
		}
	}
	t.Logf("killed with the file as %v", seen)
	k := Kept(filepath.Join(dir, "kept"))
	if _, err := k.Install(path, recorder1); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Uninstall(path); err != nil {
		t.Fatal(err)
	}
	if got := readText(t, path); got != before {
		t.Errorf("became %.200q", got)
	}
	for _, d := range []string{dir, filepath.Dir(path)} {
		entries, err := os.ReadDir(d)
		if err != nil || len(entries) != 1 {
			t.Errorf("%s has %v, %v", d, entries, err)
		}
	}
}

func installForEver(dir string) {
	k, path := Kept(filepath.Join(dir, "kept")), filepath.Join(dir, "claude", "settings.json")
	fmt.Print("!")
	for {
		for _, err := range []error{second(k.Install(path, recorder1)), second(k.Uninstall(path))} {
			if err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
		}
	}
}

func TestLeftovers(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "settings[1].json")
	dead := exec.Command("true")
	if err := dead.Run(); err != nil {
		t.Fatal(err)
	}
	mine := fmt.Sprintf("%s%d-1.tmp", tempPrefix(path), os.Getpid())
	theirs := fmt.Sprintf("%s%d-1.tmp", tempPrefix(path), dead.Process.Pid)
	for _, name := range []string{mine, theirs, ".settings[1].json.actiongraph-notes.tmp"} {
		write(t, filepath.Join(dir, name), "")
	}
	removeLeftovers(path)
	entries, err := os.ReadDir(dir)
	var names bytes.Buffer
	for _, e := range entries {
		names.WriteString(e.Name() + "\n")
	}
	if err != nil || len(entries) != 2 || strings.Contains(names.String(), theirs) {
		t.Errorf("left\n%s%v", names.String(), err)
	}
}
