package doctor

import "golang.org/x/sys/unix"

// fsOf names the file system of a folder as statfs(2) does.
func fsOf(dir string) (name string, kind fsKind) {
	var s unix.Statfs_t
	if unix.Statfs(dir, &s) != nil {
		return "", local
	}
	name = unix.ByteSliceToString(s.Fstypename[:])
	// What is not mounted from a device of this machine is somebody else's.
	if s.Flags&unix.MNT_LOCAL == 0 {
		return name, remote
	}
	return name, local
}
