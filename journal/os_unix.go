//go:build unix

package journal

import (
	"os"
	"syscall"
)

// writeOnce is one write(2). os.File.Write loops on a short write, and what it
// writes next may land behind another process's record.
func writeOnce(f *os.File, p []byte) (int, error) {
	for {
		n, err := syscall.Write(int(f.Fd()), p)
		if err == syscall.EINTR {
			continue // nothing was written
		}
		if err != nil {
			return 0, &os.PathError{Op: "write", Path: f.Name(), Err: err}
		}
		return n, nil
	}
}

// openSync opens a file or directory to be flushed to the disk.
func openSync(path string) (*os.File, error) { return os.Open(path) }

const canSyncDir = true

func chmod(f *os.File) error { return f.Chmod(fileMode) }
