package connector

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// processStart reports whether a process of this id exists, and when it began,
// zero where that cannot be told.
func processStart(pid int) (time.Time, bool) {
	if errors.Is(unix.Kill(pid, 0), unix.ESRCH) {
		return time.Time{}, false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	boot := bootTime()
	// The second field is the program's name in brackets, and may hold any byte.
	end := bytes.LastIndexByte(stat, ')')
	if err != nil || end < 0 || boot == 0 {
		return time.Time{}, true
	}
	fields := strings.Fields(string(stat[end+1:]))
	if len(fields) < 20 {
		return time.Time{}, true
	}
	ticks, err := strconv.ParseInt(fields[19], 10, 64) // starttime, field 22 of them all
	if err != nil {
		return time.Time{}, true
	}
	const ticksPerSecond = 100 // USER_HZ, the same on every Linux
	return time.Unix(boot, 0).Add(time.Duration(ticks) * time.Second / ticksPerSecond), true
}

// bootTime returns when the system was started, in seconds since 1970, or 0.
func bootTime() int64 {
	text, _ := os.ReadFile("/proc/stat")
	for line := range strings.Lines(string(text)) {
		if s, ok := strings.CutPrefix(line, "btime "); ok {
			n, _ := strconv.ParseInt(strings.TrimSpace(s), 10, 64)
			return n
		}
	}
	return 0
}
