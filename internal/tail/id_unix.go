//go:build unix

package tail

import (
	"os"
	"syscall"
)

// fileID tells a file from one that replaced it.
func fileID(info os.FileInfo) uint64 {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(s.Ino)
	}
	return 0
}
