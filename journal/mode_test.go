//go:build unix

package journal

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Not parallel: the umask is the process's.
func TestModesWhateverTheUmask(t *testing.T) {
	for _, mask := range []int{0, 0o077, 0o277, 0o777} {
		home := filepath.Join(t.TempDir(), "home")
		old := syscall.Umask(mask)
		j, err := Open(home)
		if err == nil {
			err = j.Append(line("s", "a", "1"))
		}
		if err == nil {
			err = j.Append(line("s", "b", "1"))
		}
		syscall.Umask(old)
		if err != nil {
			t.Errorf("umask %03o: %v", mask, err)
			continue
		}
		got := map[string]string{}
		filepath.WalkDir(home, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				t.Error(err)
				return nil
			}
			info, err := d.Info()
			if err != nil {
				t.Error(err)
				return nil
			}
			rel, _ := filepath.Rel(home, path)
			got[rel] = info.Mode().String()
			return nil
		})
		want := map[string]string{
			".": "drwx------", "journal": "drwx------",
			"id": "-rw-------", "key": "-rw-------", "journal/s.jsonl": "-rw-------",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("umask %03o: %s", mask, diff)
		}
	}
}

func TestReadOnlyHomeCanBeRead(t *testing.T) {
	j := open(t)
	mustAppend(t, j, line("s", "a", "1"))
	makeReadOnly(t, j)
	again, err := Open(j.Home())
	if err != nil {
		t.Fatal(err)
	}
	if ids, _, _ := read(t, again, "s", Position{}); len(ids) != 1 {
		t.Error(ids)
	}
}

func TestReadOnlyHomeRefusesToAcknowledge(t *testing.T) {
	j := open(t)
	mustAppend(t, j, line("s", "a", "1"))
	makeReadOnly(t, j)
	for _, session := range []string{"s", "new"} {
		out := runAsNobody(t, j.Home(), session)
		if !strings.HasPrefix(out, "error journal: ") || !strings.Contains(out, "permission denied") {
			t.Errorf("session %s: %q, want an error", session, out)
		}
	}
	if ids, _, _ := read(t, j, "s", Position{}); len(ids) != 1 {
		t.Error(ids)
	}
}

func makeReadOnly(t *testing.T, j *Journal) {
	t.Helper()
	for path, mode := range map[string]os.FileMode{
		file(t, j, "s"): 0o444, filepath.Join(j.Home(), "id"): 0o444, filepath.Join(j.Home(), "key"): 0o444,
		j.dir(): 0o555, j.Home(): 0o555,
	} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.Chmod(path, 0o700) })
	}
}

// runAsNobody runs a writer of one event and returns what it printed. Root may
// write everywhere, so a test that runs as root needs somebody else.
func runAsNobody(t *testing.T, home, session string) string {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	if os.Getuid() == 0 {
		if runtime.GOOS != "linux" {
			t.Skip("SKIP: root may write everywhere; run the tests as another user")
		}
		cmd.Path = "/proc/self/exe" // the binary's own directory is closed to others
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		for dir := filepath.Dir(home); dir != filepath.Clean(os.TempDir()) && dir != "/"; dir = filepath.Dir(dir) {
			if err := os.Chmod(dir, 0o755); err != nil {
				t.Fatal(err)
			}
		}
	}
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s w %s 1", writerEnv, home, session))
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}
