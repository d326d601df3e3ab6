//go:build unix

package tail

import (
	"os"
	"syscall"
)

// FileID tells a file from one that replaced it.
func FileID(info os.FileInfo) uint64 {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(s.Ino)
	}
	return 0
}
