//go:build !linux

package neo4jtest

import (
	"os"
	"syscall"
)

func running(pid int) bool {
	p, err := os.FindProcess(pid)
	return err == nil && p.Signal(syscall.Signal(0)) == nil
}
