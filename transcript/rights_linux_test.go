package transcript

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

func TestFindUnreadable(t *testing.T) {
	if asNobody(t) {
		return
	}
	dir := realDir(t)
	write(t, "{}\n", dir, "closed", uuidA+".jsonl")
	write(t, "{}\n", dir, "open", uuidB+".jsonl")
	if err := os.Chmod(filepath.Join(dir, "closed"), 0); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(filepath.Join(dir, "closed"), 0o700)
	files, problems := Find(context.Background(), []string{dir, filepath.Join(dir, "missing")})
	if len(files) != 1 || len(problems) != 2 || problems[0].Error != "permission denied" || problems[1].Error != "no such file or directory" {
		t.Errorf("%v %v", files, problems)
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
