package connector

import (
	"errors"
	"time"

	"golang.org/x/sys/windows"
)

// processStart reports whether a process of this id runs, and when it began, zero
// where that cannot be told.
func processStart(pid int) (time.Time, bool) {
	h, err := windows.OpenProcess(windows.PROCESS_QUERY_LIMITED_INFORMATION, false, uint32(pid))
	if err != nil {
		return time.Time{}, !errors.Is(err, windows.ERROR_INVALID_PARAMETER)
	}
	defer windows.CloseHandle(h)
	const stillActive = 259
	var code uint32
	if windows.GetExitCodeProcess(h, &code) == nil && code != stillActive {
		return time.Time{}, false
	}
	var created, exited, kernel, user windows.Filetime
	if windows.GetProcessTimes(h, &created, &exited, &kernel, &user) != nil {
		return time.Time{}, true
	}
	return time.Unix(0, created.Nanoseconds()), true
}
