package doctor

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

func TestHome(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("modes and links")
	}
	p := newPatient(t)
	p.want("home", OK, p.Home)

	p.check(os.Chmod(p.Home, 0o755))
	p.want("home", Warn, "mode 0755", "chmod 700 "+p.Home)
	p.check(os.Chmod(p.Home, 0o700))
	p.want("home", OK)

	// A link is fine while it leads somewhere.
	p.check(os.Rename(p.Home, p.path("elsewhere")))
	p.check(os.Symlink(p.path("elsewhere"), p.Home))
	p.want("home", OK, "a link to "+p.path("elsewhere"))
	p.want("probe", OK)
	p.check(os.Rename(p.path("elsewhere"), p.path("away")))
	p.want("home", Fail, "which is not there", "remove the link")
	p.remove("home")
	p.check(os.Rename(p.path("away"), p.Home))
	p.want("home", OK)

	// Half an identity is no journal, and asking does not make the other half.
	key := filepath.Join(p.Home, "key")
	p.check(os.Rename(key, key+".kept"))
	p.want("home", Fail, "key")
	if _, err := os.Stat(key); err == nil {
		t.Error("asking made a key")
	}
	p.check(os.Rename(key+".kept", key))
	p.want("home", OK)
	p.check(os.Truncate(key, 10))
	p.want("home", Fail, "cut short", "remove it")
	p.check(os.Remove(key))
	p.record("SessionStart", "next", time.Now()) // the cure
	p.want("home", OK)

	if os.Geteuid() == 0 {
		p.check(os.Lchown(p.Home, 65534, 65534))
		p.want("home", Fail, "user 65534", "chown")
		p.check(os.Lchown(p.Home, 0, 0))
		p.want("home", OK)
	}

	p.remove("home")
	p.want("home", OK, "not there yet")
	p.write("home", "a file")
	p.want("home", Fail, "is no folder")
	p.Home = ""
	p.want("home", Fail, "AG_HOME")
}

func TestFiles(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("modes")
	}
	p := newPatient(t)
	p.want("files", OK)
	p.check(os.Chmod(p.file("well"), 0o644))
	p.want("files", Warn, "1 file is", p.file("well"), "chmod -R go-rwx "+p.Home)
	p.check(os.Chmod(p.file("well"), 0o600))
	p.want("files", OK)
	if os.Geteuid() == 0 {
		p.check(os.Chown(p.file("well"), 65534, 65534))
		p.want("files", Fail, p.file("well"), "chown")
		p.check(os.Chown(p.file("well"), 0, 0))
		p.want("files", OK)
	}
}

func TestDisk(t *testing.T) {
	if s, err := freeSpace(t.TempDir()); err != nil || s.bytes == 0 {
		t.Errorf("%+v, %v", s, err)
	}
	for _, test := range []struct {
		left space
		want Status
	}{
		{space{bytes: 99 << 20}, Fail},
		{space{bytes: 100 << 20}, Warn},
		{space{bytes: 1<<30 - 1}, Warn},
		{space{bytes: 1 << 30}, OK},
		{space{bytes: 1 << 40, counts: true}, Fail},
		{space{bytes: 1 << 40, counts: true, inodes: 5}, OK},
		{space{bytes: 1 << 40}, OK}, // Btrfs counts none
	} {
		got := test.left.judge("/d")[0]
		if got.Status != test.want || (got.Status != OK) != (got.Cure != "") {
			t.Errorf("%+v: %+v, want %s", test.left, got, test.want)
		}
	}
}

func TestFilesystem(t *testing.T) {
	for kind, want := range map[fsKind]Status{local: OK, remote: Warn, passing: Warn} {
		if got := judgeFS("/d", "it", kind)[0]; got.Status != want || (want != OK) != (got.Cure != "") {
			t.Errorf("%+v, want %s", got, want)
		}
	}
}
