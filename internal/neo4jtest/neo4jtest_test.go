package neo4jtest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/neo4j/neo4j-go-driver/v5/neo4j"
	"github.com/neo4j/neo4j-go-driver/v5/neo4j/config"
	"go.uber.org/goleak"
)

func TestRestart(t *testing.T) {
	const password = "longer than 8 characters"
	s := Start(t, Options{Password: password})
	auth := neo4j.BasicAuth("neo4j", password, "")
	if _, err := query(s.URL, neo4j.NoAuth(), "RETURN 1"); err == nil {
		t.Error("it lets in who has no password")
	}
	for _, down := range []func(){
		func() {
			if err := s.Stop(); err != nil {
				t.Error(err)
			}
		},
		s.Kill,
	} {
		if _, err := query(s.URL, auth, "CREATE (:Kept)"); err != nil {
			t.Fatal(err)
		}
		down()
		if _, err := query(s.URL, auth, "RETURN 1"); err == nil {
			t.Error("it answers when it is down")
		}
		if err := s.Restart(); err != nil {
			t.Fatal(err)
		}
	}
	n, err := query(s.URL, auth, "MATCH (n:Kept) RETURN count(n)")
	if err != nil || n != 2 {
		t.Errorf("%d nodes kept, want 2: %v", n, err)
	}
}

func TestURL(t *testing.T) {
	url := URL(t)
	if again := URL(t); again != url {
		t.Errorf("%s, then %s: want one server", url, again)
	}
	// A test that looks for leaks must not find one here.
	goleak.VerifyNone(t)
	auth := neo4j.NoAuth()
	if user, password := Auth(); user != "" {
		auth = neo4j.BasicAuth(user, password, "")
	}
	if n, err := query(url, auth, "RETURN 1"); err != nil || n != 1 {
		t.Errorf("RETURN 1: %d, %v", n, err)
	}
}

// childEnv makes the test binary the parent that TestKilledParent kills.
const childEnv = "NEO4JTEST_CHILD"

func TestKilledParent(t *testing.T) {
	if os.Getenv(childEnv) != "" {
		URL(t)
		db, _ := shared()
		fmt.Println("pid", db.server.cmd.Process.Pid, db.server.DataDir)
		select {}
	}
	parent := exec.Command(os.Args[0], "-test.run=^TestKilledParent$")
	parent.Env = append(os.Environ(), childEnv+"=1", "AG_TEST_BOLT_URL=")
	stdout, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	var pid int
	var dir string
	lines := bufio.NewScanner(stdout)
	for dir == "" && lines.Scan() {
		fmt.Sscanf(lines.Text(), "pid %d %s", &pid, &dir)
	}
	parent.Process.Kill()
	parent.Wait()
	if dir == "" {
		if _, err := buildOnce(); err != nil {
			unavailable(t, err)
		}
		t.Fatal("the child started no server")
	}
	for deadline := time.Now().Add(stopTimeout); running(pid) && time.Now().Before(deadline); {
		time.Sleep(10 * time.Millisecond)
	}
	if running(pid) {
		t.Errorf("process %d outlived its parent", pid)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is still there: %v", dir, err)
	}
}

func TestStartFails(t *testing.T) {
	if _, err := buildOnce(); err != nil {
		unavailable(t, err)
	}
	_, err := Launch(Options{DataDir: t.TempDir(), Port: 70000})
	if err == nil || !strings.Contains(err.Error(), "port out of range") || strings.Contains(err.Error(), "\n") {
		t.Errorf("%v: want one line that says why", err)
	}
}

func TestMissing(t *testing.T) {
	java, err := exec.LookPath("java")
	if err != nil {
		t.Skip("no Java 17 or later (java): not installed")
	}
	bin, cache := t.TempDir(), t.TempDir()
	t.Setenv("PATH", bin)
	t.Setenv("HOME", cache)
	t.Setenv("XDG_CACHE_HOME", cache)
	missing := func(what string) {
		t.Helper()
		_, err := build()
		if !errors.As(err, new(missingError)) || !strings.Contains(err.Error(), what) {
			t.Errorf("%v: want a missing %s", err, what)
		}
	}
	missing("Java")
	if err := os.Symlink(java, filepath.Join(bin, "java")); err != nil {
		t.Fatal(err)
	}
	missing("Maven")
}

func TestHold(t *testing.T) {
	url := "bolt://" + t.TempDir()
	first, err := hold(url)
	if err != nil {
		t.Fatal(err)
	}
	defer os.Remove(first.lock.Name())
	second := make(chan error)
	go func() {
		db, err := hold(url)
		db.lock.Close()
		second <- err
	}()
	select {
	case err := <-second:
		t.Errorf("two hold one database: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	first.lock.Close()
	if err := <-second; err != nil {
		t.Error(err)
	}
}

// query returns the first value of the first record, when that is a number.
func query(url string, auth neo4j.AuthToken, cypher string) (n int64, err error) {
	// Without retries: a server that is down is to be seen at once.
	driver, err := neo4j.NewDriverWithContext(url, auth, func(c *config.Config) { c.MaxTransactionRetryTime = 0 })
	if err != nil {
		return 0, err
	}
	defer driver.Close(context.Background())
	result, err := neo4j.ExecuteQuery(context.Background(), driver, cypher, nil, neo4j.EagerResultTransformer)
	if err == nil && len(result.Records) > 0 {
		n, _ = result.Records[0].Values[0].(int64)
	}
	return n, err
}
