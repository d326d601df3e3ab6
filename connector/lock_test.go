package connector_test

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph/connector"
)

// child runs this test binary again in one of TestMain's roles.
func child(t testing.TB, role, home string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0], "child", "bolt://me:secret@localhost") // arguments, as a daemon has
	cmd.Env = append(os.Environ(), "AG_TEST_CHILD="+role, "AG_HOME="+home)
	cmd.Stderr = os.Stderr
	return cmd
}

// holdLock is the child that holds a home's lock until it is killed.
func holdLock() {
	if _, err := connector.LockHome(os.Getenv("AG_HOME"), connector.GraphLock, 0); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("held")
	time.Sleep(time.Minute)
	os.Exit(1)
}

func TestLockExcludesAndNamesItsHolder(t *testing.T) {
	home := t.TempDir()
	lock, err := connector.LockHome(home, connector.RunLock, 0)
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	_, err = connector.LockHome(home, connector.RunLock, 50*time.Millisecond)
	if waited := time.Since(begin); waited < 50*time.Millisecond || waited > 5*time.Second {
		t.Errorf("waited %v, want 50ms", waited)
	}
	if !errors.Is(err, connector.ErrLocked) || !strings.Contains(err.Error(), fmt.Sprintf("process %d since ", os.Getpid())) {
		t.Errorf("error: %v", err)
	}
	other, err := connector.LockHome(home, connector.GraphLock, 0)
	if err != nil {
		t.Errorf("another lock of the home: %v", err)
	} else {
		other.Unlock()
	}
	time.AfterFunc(30*time.Millisecond, func() { lock.Unlock() })
	second, err := connector.LockHome(home, connector.RunLock, 5*time.Second)
	if err != nil {
		t.Fatalf("after it was released: %v", err)
	}
	second.Unlock()
	if _, err := connector.LockHome(filepath.Join(home, "none"), connector.RunLock, time.Hour); err == nil || errors.Is(err, connector.ErrLocked) {
		t.Errorf("without a home: %v", err)
	}
}

// A killed holder leaves the file and no lock.
func TestLockOfKilledProcessIsFree(t *testing.T) {
	home := t.TempDir()
	cmd := child(t, "lock", home)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	if line, _ := bufio.NewReader(out).ReadString('\n'); line != "held\n" {
		t.Fatalf("the child says %q", line)
	}
	_, err = connector.LockHome(home, connector.GraphLock, 0)
	if !errors.Is(err, connector.ErrLocked) || !strings.Contains(err.Error(), fmt.Sprintf("process %d ", cmd.Process.Pid)) {
		t.Errorf("while the child lives: %v", err)
	}
	by, held, err := connector.HeldBy(home, connector.GraphLock)
	if want := filepath.Base(os.Args[0]) + " child"; !held || err != nil || by.PID != cmd.Process.Pid || by.Command != want || by.Since.IsZero() {
		t.Errorf("held by %+v, %v, %v; want %q", by, held, err, want)
	}
	if text, _ := os.ReadFile(filepath.Join(home, connector.GraphLock)); strings.Contains(string(text), "secret") {
		t.Errorf("the lock file has the arguments: %s", text)
	}
	// A copy of the home brings the file along, and no lock.
	copied := t.TempDir()
	if err := os.CopyFS(filepath.Join(copied, "home"), os.DirFS(home)); err != nil {
		t.Fatal(err)
	}
	if _, held, err := connector.Held(filepath.Join(copied, "home"), connector.GraphLock); held || err != nil {
		t.Errorf("the copy is held: %v, %v", held, err)
	}
	cmd.Process.Kill()
	cmd.Wait()
	lock, err := connector.LockHome(home, connector.GraphLock, 0)
	if err != nil {
		t.Fatalf("after the child was killed: %v", err)
	}
	lock.Unlock()
}

// A file that says nothing, or something else, is a lock all the same.
func TestHeldByNobodyKnown(t *testing.T) {
	for _, text := range []string{"", "not json", `{"pid":-1}`, `{"pid":"x"}`, strings.Repeat("x", 5000)} {
		home := t.TempDir()
		lock, err := connector.LockHome(home, connector.RunLock, 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(home, connector.RunLock), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if by, held, err := connector.Held(home, connector.RunLock); by != "another process" || !held || err != nil {
			t.Errorf("%.20q: %q, %v, %v", text, by, held, err)
		}
		lock.Unlock()
	}
}

// Who has just taken a lock has yet to write who it is.
func TestHeldByWhoBegins(t *testing.T) {
	home := t.TempDir()
	lock, err := connector.LockHome(home, connector.RunLock, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Unlock()
	path := filepath.Join(home, connector.RunLock)
	said, err := os.ReadFile(path)
	if err == nil {
		err = os.Truncate(path, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(10*time.Millisecond, func() { os.WriteFile(path, said, 0o600) })
	if by, held, err := connector.HeldBy(home, connector.RunLock); by.PID != os.Getpid() || !held || err != nil {
		t.Errorf("%+v, %v, %v", by, held, err)
	}
}

// Asking takes nothing: askers do not see each other, and who holds it stays named.
func TestHeldLeavesTheLockAlone(t *testing.T) {
	home := t.TempDir()
	if _, held, err := connector.Held(home, connector.RunLock); held || err != nil {
		t.Fatalf("without a file: %v, %v", held, err)
	}
	if _, err := os.Stat(filepath.Join(home, connector.RunLock)); err == nil {
		t.Error("asking made the file")
	}
	lock, err := connector.LockHome(home, connector.RunLock, 0)
	if err != nil {
		t.Fatal(err)
	}
	if by, held, err := connector.Held(home, connector.RunLock); !held || err != nil || !strings.HasPrefix(by, fmt.Sprintf("process %d since ", os.Getpid())) {
		t.Errorf("held: %q, %v, %v", by, held, err)
	}
	lock.Unlock()
	var askers sync.WaitGroup
	for range 8 {
		askers.Go(func() {
			for range 200 {
				if by, held, err := connector.Held(home, connector.RunLock); held || err != nil {
					t.Errorf("free: %q, %v, %v", by, held, err)
					return
				}
			}
		})
	}
	askers.Wait()
}
