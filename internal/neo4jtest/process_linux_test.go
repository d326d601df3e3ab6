package neo4jtest

import (
	"bytes"
	"fmt"
	"os"
)

// running tells a process from a zombie, which an orphan stays where nobody reaps it, as in
// some containers.
func running(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !bytes.Contains(stat, []byte(") Z "))
}
