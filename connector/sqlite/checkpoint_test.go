package sqlite_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph/connector/sqlite"
)

// TestLogIsFolded: while a store catches up, its log goes into the file beside the writer,
// long before the log is as long as it may be.
func TestLogIsFolded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "graph.db")
	s, f := open(t, path, sqlite.Options{}), newFeed(1)
	size := func(path string) int64 {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	empty := size(path)
	for range 20 {
		if err := s.Apply(ctx, f.take(1000)); err != nil {
			t.Fatal(err)
		}
	}
	if log := size(path + "-wal"); log > 64<<20 {
		t.Fatalf("the log is %d bytes long: the test is to stay far below what makes the writer fold it", log)
	}
	for end := time.Now().Add(time.Minute); size(path) == empty; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("nothing of the log is in the file")
		}
	}
}
