package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"
	"time"
)

// blockedChild is the variable that makes this test binary blockAfterSignal.
const blockedChild = "AG_TEST_BLOCKED_CHILD"

// blockAfterSignal is a verb that a signal does not end.
func blockAfterSignal() {
	ctx := untilSignal()
	fmt.Println("begun")
	<-ctx.Done()
	fmt.Println("told")
	time.Sleep(20 * time.Second)
	os.Exit(0)
}

func TestSecondSignalKills(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no signals are sent there")
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), blockedChild+"=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	for _, want := range []string{"begun\n", "told\n"} {
		if line, err := lines.ReadString('\n'); line != want {
			t.Fatalf("the child says %q (%v), want %q", line, err, want)
		}
		cmd.Process.Signal(syscall.SIGTERM)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		select {
		case err := <-ended:
			if s, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || !s.Signaled() {
				t.Errorf("the child ended by itself: %v", err)
			}
			return
		case <-time.After(20 * time.Millisecond): // the first signal's handler may not have gone yet
			cmd.Process.Signal(syscall.SIGTERM)
		}
	}
}
