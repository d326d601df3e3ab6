//go:build unix

package actiongraph_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph"
)

// removed is the environment of the process that TestRemoveHomeKilled kills.
const removed = "AG_TEST_KILLED_REMOVAL"

// TestRemoveHomeKilled kills removals at any point; the next one goes on.
func TestRemoveHomeKilled(t *testing.T) {
	if home := os.Getenv(removed); home != "" {
		fmt.Print("!")
		if _, err := actiongraph.RemoveHome(home); err != nil {
			t.Fatal(err)
		}
		select {} // until it is killed
	}
	self := must(os.Executable())(t)
	dir := t.TempDir()
	whole, begun := 0, 0
	kills := 5
	if os.Getenv("AG_SOAK") != "" {
		kills = 50
	}
	for i := range kills {
		home := filepath.Join(dir, fmt.Sprint(i))
		usedHome(t, home, 20)
		cmd := exec.Command(self, "-test.run=^TestRemoveHomeKilled$")
		cmd.Env = append(os.Environ(), removed+"="+home)
		out := must(cmd.StdoutPipe())(t)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		out.Read(make([]byte, 1))
		time.Sleep(time.Duration(i%10) * 100 * time.Microsecond)
		cmd.Process.Kill()
		cmd.Wait()
		switch _, err := os.Stat(filepath.Join(home, "graph.db")); {
		case err == nil:
			whole++
		default:
			begun++
		}
		if left, err := actiongraph.RemoveHome(home); len(left) > 0 || err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatalf("after kill %d: left %q, %v", i, left, err)
		}
		if _, err := os.Lstat(home); !errors.Is(err, fs.ErrNotExist) {
			t.Fatalf("after kill %d it is still there: %v", i, err)
		}
	}
	t.Logf("killed with the store there %d times, without it %d times", whole, begun)
}
