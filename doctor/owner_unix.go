//go:build unix

package doctor

import (
	"io/fs"
	"syscall"

	"golang.org/x/sys/unix"
)

// owner is the user whose file it is.
func owner(info fs.FileInfo) (uid int, known bool) {
	s, is := info.Sys().(*syscall.Stat_t)
	if !is {
		return 0, false
	}
	return int(s.Uid), true
}

// mayWrite asks whether files can be made in a folder, and makes none.
func mayWrite(dir string) error { return unix.Access(dir, unix.W_OK|unix.X_OK) }
