package doctor

import (
	"path/filepath"

	"golang.org/x/sys/windows"
)

// fsOf tells a drive of the network from others.
func fsOf(dir string) (name string, kind fsKind) {
	root, err := windows.UTF16PtrFromString(filepath.VolumeName(dir) + `\`)
	if err != nil {
		return "", local
	}
	switch windows.GetDriveType(root) {
	case windows.DRIVE_REMOTE:
		return "a network drive", remote
	case windows.DRIVE_RAMDISK:
		return "a disk in memory", passing
	}
	return "", local
}

func freeSpace(dir string) (s space, err error) {
	name, err := windows.UTF16PtrFromString(dir)
	if err == nil {
		err = windows.GetDiskFreeSpaceEx(name, &s.bytes, nil, nil)
	}
	return s, err
}
