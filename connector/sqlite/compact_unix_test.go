//go:build unix

package sqlite_test

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/actiongraph/actiongraph/connector/sqlite"
)

const fullEnv = "AG_TEST_SQLITE_FULL"

// compactOnFullDisk compacts where no file may become as large as the store: what a full
// disk is to a write.
func compactOnFullDisk(path string) {
	info, err := os.Stat(path)
	if err == nil {
		signal.Ignore(syscall.SIGXFSZ)
		half := uint64(info.Size() / 2)
		err = syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: half, Max: half})
	}
	s, openErr := sqlite.Open(path, sqlite.Options{})
	if err != nil || openErr != nil {
		fmt.Println("error:", err, openErr)
		return
	}
	fmt.Println("compact:", s.Compact(ctx))
	if rows, err := s.Positions(ctx, "j"); err != nil || len(rows) != 6 {
		fmt.Println("error:", len(rows), err)
	}
}

// TestCompactDiskFull: a store that cannot be written anew is as it was, and compacts when
// there is room.
func TestCompactDiskFull(t *testing.T) {
	if path := os.Getenv(fullEnv); path != "" {
		compactOnFullDisk(path)
		return
	}
	path := filepath.Join(t.TempDir(), "graph.db")
	s, f, gone := open(t, path, sqlite.Options{}), newFeed(5), &secret{session: "gone"}
	add(t, s, f, &secret{session: "kept"}, gone)
	apply(t, s, f.take(5000)...)
	apply(t, s, gone.forgotten())
	s.Close()
	cmd := exec.Command(os.Args[0], "-test.run=TestCompactDiskFull")
	cmd.Env = append(os.Environ(), fullEnv+"="+path)
	out, err := cmd.CombinedOutput()
	if err != nil || strings.Contains(string(out), "error:") || !strings.Contains(string(out), "it needs") {
		t.Fatalf("%v: %s", err, out)
	}
	checkIntegrity(t, path)
	s = open(t, path, sqlite.Options{})
	if err := s.Compact(ctx); err != nil {
		t.Fatal(err)
	}
	if n := gone.left(t, path); n > 0 {
		t.Errorf("%d words are left", n)
	}
	var words []string
	for _, s := range f.sessions {
		words = append(words, s.id)
	}
	if n := (&secret{words: words, session: "kept"}).left(t, path); n < len(words)+1 {
		t.Errorf("of the other sessions %d of %d ids are there", n, len(words)+1)
	}
}
