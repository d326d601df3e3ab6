package doctor

import (
	"os"
	"strings"
	"testing"
)

func TestFSNamed(t *testing.T) {
	for magic, want := range map[uint32]struct {
		name string
		kind fsKind
	}{
		0x6969: {"NFS", remote}, 0xfe534d42: {"SMB", remote}, 0xff534d42: {"SMB", remote}, 0x517b: {"SMB", remote},
		0x01021997: {"9p", remote}, 0x794c7630: {"overlayfs", passing}, 0x01021994: {"tmpfs", passing},
		0x65735546: {"FUSE", remote}, 0xef53: {"ext4", local}, 1: {"", local},
	} {
		if name, kind := fsNamed(magic); kind != want.kind || !strings.HasPrefix(name, want.name) {
			t.Errorf("%x: %s, %d", magic, name, kind)
		}
	}
	// What the kernel says of a real one; /proc/mounts says which it is.
	mounts, err := os.ReadFile("/proc/mounts")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(mounts), " /dev/shm tmpfs ") {
		if name, kind := fsOf("/dev/shm"); kind != passing {
			t.Errorf("/dev/shm: %s, %d", name, kind)
		}
	}
}
