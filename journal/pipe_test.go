//go:build unix

package journal

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// A named pipe or a dangling link in the journal's directory is no session's file,
// and nobody waits for it.
func TestWhatIsNoFileIsLeftOut(t *testing.T) {
	j := open(t)
	mustAppend(t, j, line("a", "1", "x"))
	if err := syscall.Mkfifo(file(t, j, "pipe"), 0o600); err != nil {
		t.Skip(err)
	}
	for name, target := range map[string]string{"dangling": "nowhere", "piped": "pipe.jsonl", "linked": "a.jsonl", "loop": "loop.jsonl"} {
		if err := os.Symlink(filepath.Join(j.dir(), target), file(t, j, name)); err != nil {
			t.Fatal(err)
		}
	}
	files, err := j.Files()
	if err != nil || len(files) != 3 || files[0].Session != "a" || files[1].Session != "linked" || files[2].Session != "loop" {
		t.Fatalf("%v, %v, want a, linked, and loop, which cannot be read and has to be named", files, err)
	}
	if files[1].Size != files[0].Size {
		t.Errorf("a link has size %d, its target %d", files[1].Size, files[0].Size)
	}
	done := make(chan error, 1)
	go func() {
		_, err := j.Read("pipe", Position{})
		done <- err
	}()
	select {
	case err := <-done:
		if err == nil {
			t.Error("read a named pipe")
		}
	case <-time.After(5 * time.Second):
		t.Error("waits for a named pipe")
	}
}
