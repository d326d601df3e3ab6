package connector_test

import (
	"os/exec"
	"runtime"
	"testing"
)

const knowsProcessStart = runtime.GOOS == "linux" || runtime.GOOS == "windows"

// deadPID returns the id of a process that was.
func deadPID(t *testing.T) int {
	t.Helper()
	cmd := exec.Command("go", "version")
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	return cmd.Process.Pid
}
