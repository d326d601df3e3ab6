//go:build linux || darwin

package doctor

import "golang.org/x/sys/unix"

func freeSpace(dir string) (space, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return space{}, err
	}
	return space{bytes: uint64(s.Bavail) * uint64(s.Bsize), inodes: uint64(s.Ffree), counts: s.Files > 0}, nil
}
