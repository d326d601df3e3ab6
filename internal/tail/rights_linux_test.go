package tail

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/actiongraph/actiongraph/internal/nobody"
)

// A folder that may not be read is said once, and read once it may be.
func TestTreeUnreadableFolder(t *testing.T) {
	if nobody.Run(t) {
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
