//go:build unix

package sqlite_test

import (
	"syscall"
	"time"
)

// cpuTime is what the process has used: on a busy machine it says more than the
// clock on the wall.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
