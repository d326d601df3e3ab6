//go:build unix

package connector

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// lockFile takes the file's lock, or returns ErrLocked. flock, never fcntl: a
// process loses its fcntl locks when it closes any descriptor of the file.
func lockFile(f *os.File) error { return flock(f, unix.LOCK_EX) }

// lockFileShared is lockFile for those who only ask whether somebody has it.
func lockFileShared(f *os.File) error { return flock(f, unix.LOCK_SH) }

func flock(f *os.File, how int) error {
	for {
		switch err := unix.Flock(int(f.Fd()), how|unix.LOCK_NB); {
		case err == nil:
			return nil
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EWOULDBLOCK):
			return ErrLocked
		default:
			return fmt.Errorf("lock %s: %w (the home must be on a local file system)", f.Name(), err)
		}
	}
}
