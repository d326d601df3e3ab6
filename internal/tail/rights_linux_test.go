package tail

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/rs/zerolog"
)

// A folder that may not be read is said once, and read once it may be.
func TestTreeUnreadableFolder(t *testing.T) {
	if asNobody(t) {
		return
	}
	dir := t.TempDir()
	file := makeFile(t, filepath.Join(dir, "p", "s.jsonl"), "1")
	os.Chmod(filepath.Dir(file), 0)
	var log bytes.Buffer
	tree := fastTree()
	tree.Log = zerolog.New(&log)
	r, _ := followTree(t, tree, Place{dir, true})
	time.Sleep(50 * time.Millisecond)
	os.Chmod(filepath.Dir(file), 0o700)
	r.await(t, map[string]string{file: "1"}, 5*time.Second)
	if n := bytes.Count(log.Bytes(), []byte("\n")); n != 1 {
		t.Errorf("%d log lines, want 1:\n%s", n, &log)
	}
}

// asNobody runs the test again as a user whom rights keep out, where this one is root,
// and reports whether it did.
func asNobody(t *testing.T) bool {
	t.Helper()
	if os.Geteuid() != 0 {
		return false
	}
	tmp := t.TempDir()
	for dir := tmp; dir != filepath.Clean(os.TempDir()) && dir != "/"; dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	// The binary's own directory is closed to others.
	cmd := exec.Command("/proc/self/exe", "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Dir, cmd.Env = tmp, append(os.Environ(), "TMPDIR="+tmp)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	if out, err := cmd.CombinedOutput(); err != nil || !bytes.Contains(out, []byte("--- PASS: "+t.Name())) {
		t.Errorf("as nobody: %v\n%s", err, out)
	}
	return true
}
