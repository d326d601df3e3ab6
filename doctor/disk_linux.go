package doctor

import "golang.org/x/sys/unix"

// fsOf names the file system of a folder by the magic number that statfs(2) gives; "" is
// one that is not known, which is most often a disk's.
func fsOf(dir string) (name string, kind fsKind) {
	var s unix.Statfs_t
	if unix.Statfs(dir, &s) != nil {
		return "", local
	}
	return fsNamed(uint32(s.Type)) // of 64 or 32 bits, signed or not, as the machine has it
}

// fsNamed knows the magic numbers of include/uapi/linux/magic.h that matter here, and
// those of file systems that keep theirs in their own source.
func fsNamed(magic uint32) (name string, kind fsKind) {
	switch magic {
	case 0x6969:
		return "NFS", remote
	case 0x517b, 0xfe534d42, 0xff534d42:
		return "SMB", remote
	case 0x01021997:
		return "9p (a drive of Windows in WSL, or a folder shared with a virtual machine)", remote
	case 0x53464846:
		return "a drive of WSL 1", remote
	case 0x65735546:
		return "FUSE", remote
	case 0x786f4256:
		return "a folder shared by VirtualBox", remote
	case 0x00c36400:
		return "Ceph", remote
	case 0x5346414f, 0x6b414653:
		return "AFS", remote
	case 0x47504653:
		return "GPFS", remote
	case 0x0bd00bd0:
		return "Lustre", remote
	case 0x794c7630:
		return "overlayfs, a container's own", passing
	case 0x01021994, 0x858458f6:
		return "tmpfs, which is memory", passing
	case 0xef53:
		return "ext4", local
	case 0x58465342:
		return "XFS", local
	case 0x9123683e:
		return "Btrfs", local
	case 0x2fc12fc1:
		return "ZFS", local
	case 0xf2f52010:
		return "F2FS", local
	}
	return "", local
}
