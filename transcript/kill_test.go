//go:build unix

package transcript

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/redact"
)

// importerEnv makes this test binary an importer: its value is the home and the tree.
const importerEnv = "TRANSCRIPT_TEST_IMPORTER"

func TestMain(m *testing.M) {
	if args := strings.Split(os.Getenv(importerEnv), "\n"); len(args) == 2 {
		importer(args[0], args[1])
		return
	}
	os.Exit(m.Run())
}

func importer(home, dir string) {
	j, err := journal.Open(home)
	if err == nil {
		r := &Reader{Journal: j, Redactor: redact.New(redact.Options{}), Host: "host", User: "user"}
		_, err = r.Import(context.Background(), []string{dir}, Options{}, nil)
	}
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
}

// TestKilledImports SIGKILLs importers at random moments, two of them at a time now and
// then. What the next one leaves is what one import alone leaves.
func TestKilledImports(t *testing.T) {
	kills := 40
	if os.Getenv("AG_SOAK") != "" {
		kills = 400
	}
	dir := realDir(t)
	for i := range 4 { // the same sessions by other names: more to be killed in
		copyTree(t, testdata, filepath.Join(dir, fmt.Sprint(i)))
	}
	whole := newReader(t, filepath.Join(realDir(t), "home"))
	start := time.Now()
	clean(t, whole, Options{}, dir)
	takes := time.Since(start) + 20*time.Millisecond
	var home string
	for i := range kills {
		if i%8 == 0 { // an import that is done has nothing to be killed in
			home = filepath.Join(realDir(t), "home")
			newReader(t, home)
			copyKey(t, whole.Journal, home)
		}
		var wg sync.WaitGroup
		for range 1 + i%2 {
			wg.Go(func() { killImporter(t, home, dir, time.Duration(rand.Int64N(int64(takes)))) })
		}
		wg.Wait()
		if i%8 != 7 {
			continue
		}
		r := newReader(t, home)
		report := clean(t, r, Options{}, dir)
		same(t, facts(t, whole.Journal), facts(t, r.Journal))
		if d := graph.Diff(folds(t, whole.Journal), folds(t, r.Journal)); len(d) > 0 {
			t.Errorf("another graph: %v", d[0])
		}
		if again := clean(t, r, Options{}, dir); again.Lines != 0 {
			t.Errorf("then %d lines again, after %+v", again.Lines, report)
		}
	}
}

func copyKey(t *testing.T, from *journal.Journal, home string) {
	t.Helper()
	for _, name := range []string{"id", "key"} {
		text := must(os.ReadFile(filepath.Join(from.Home(), name)))(t)
		if err := os.WriteFile(filepath.Join(home, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// killImporter starts an importer and kills it after a while, if it is not done by then.
func killImporter(t *testing.T, home, dir string, after time.Duration) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Error(err)
		return
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), importerEnv+"="+home+"\n"+dir)
	out := &strings.Builder{}
	cmd.Stdout = out
	if err := cmd.Start(); err != nil {
		t.Error(err)
		return
	}
	timer := time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
	_ = cmd.Wait()
	timer.Stop()
	if out.Len() > 0 {
		t.Errorf("the importer says %s", out)
	}
}
