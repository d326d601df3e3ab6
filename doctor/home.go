package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/journal/packed"
)

// home looks at the folder itself: whether it is there, whose it is, and who may read and
// write it.
func home(_ context.Context, e *exam) []Check {
	if e.Home == "" {
		return fail("set AG_HOME, or give --home", "no home directory is known")
	}
	link, err := os.Lstat(e.Home)
	if errors.Is(err, fs.ErrNotExist) {
		return notThereYet(e.Home)
	}
	info, where := link, e.Home
	if err == nil && link.Mode()&fs.ModeSymlink != 0 {
		target, _ := os.Readlink(e.Home)
		where = fmt.Sprintf("%s, a link to %s", e.Home, target)
		if info, err = os.Stat(e.Home); errors.Is(err, fs.ErrNotExist) {
			return fail("make that folder, or remove the link", "%s, which is not there", where)
		}
	}
	if err != nil {
		return fail(ownHome(e.Home), "%v", err)
	}
	if !info.IsDir() {
		return fail("remove the file that is in the way, or set AG_HOME to another place", "%s is no folder", where)
	}
	for _, i := range []fs.FileInfo{link, info} {
		// A link of root's is of whoever set the machine up.
		if uid, known := owner(i); known && uid != os.Geteuid() && (uid != 0 || i == info) {
			return fail(ownHome(e.Home), "%s belongs to user %d, and this is user %d", where, uid, os.Geteuid())
		}
	}
	for _, dir := range []string{e.Home, journal.Dir(e.Home)} {
		if err := mayWrite(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fail(fmt.Sprintf("chmod u+rwx %s, or set AG_HOME to another place", word(dir)), "%s cannot be written: %v", dir, err)
		}
	}
	if _, err := e.journal(); err != nil {
		return fail("put the file back from a backup, or remove it: the next hook makes a new one", "%v", err)
	}
	if open := info.Mode().Perm() & 0o077; open != 0 && runtime.GOOS != "windows" {
		return warn("chmod 700 "+word(e.Home), "%s is open to others (mode %04o)", where, info.Mode().Perm())
	}
	return ok("%s, writable, this user's alone", where)
}

func ownHome(home string) string {
	return "chown -R it to this user, or set AG_HOME to a folder of your own: " + home
}

// notThereYet is of a home that nothing was recorded into; the first hook makes it.
func notThereYet(home string) []Check {
	above := existing(home)
	if err := mayWrite(above); err != nil {
		return fail("make "+home+" as a user who may, and chown it, or set AG_HOME to another place", "%s is not there and %s cannot be written: %v", home, above, err)
	}
	return ok("%s is not there yet: the first hook makes it", home)
}

// existing is path, or the folder above it that is there.
func existing(path string) string {
	for {
		if _, err := os.Stat(path); err == nil {
			return path
		}
		above := filepath.Dir(path)
		if above == path {
			return path
		}
		path = above
	}
}

// openJournal opens the journal of a home that is there, and makes none: neither does it
// where only a part is, an id without a key.
func openJournal(home string) (*journal.Journal, error) {
	if _, err := os.Stat(journal.Dir(home)); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		return nil, err
	}
	for _, part := range []struct {
		name string
		size int64 // hexadecimal digits and a newline
	}{{"id", 33}, {"key", 65}} {
		path := filepath.Join(home, part.name)
		info, err := os.Stat(path)
		if err == nil && info.Size() < part.size-1 {
			err = fmt.Errorf("%s is cut short", path)
		}
		if err != nil {
			return nil, err
		}
	}
	return packed.Open(home)
}

// files looks at who owns and may read what is in the home.
func files(ctx context.Context, e *exam) []Check {
	if _, err := os.Stat(e.Home); errors.Is(err, fs.ErrNotExist) {
		return ok("there are none yet")
	}
	if runtime.GOOS == "windows" {
		return ok("as the folder's permissions say")
	}
	// Not below folders that hold nothing of ours: one level is all that there is.
	seen := looseFiles{}
	for _, dir := range []string{e.Home, journal.Dir(e.Home), journal.LeftOutDir(e.Home)} {
		if err := seen.in(ctx, dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fail(ownHome(e.Home), "%v", err)
		}
	}
	switch {
	case seen.foreign > 0:
		return fail(ownHome(e.Home), "%s not of this user, as %s", plural(seen.foreign, "file is", "files are"), seen.firstForeign)
	case seen.open > 0:
		return warn("chmod -R go-rwx "+word(e.Home), "%s open to others, as %s", plural(seen.open, "file is", "files are"), seen.firstOpen)
	}
	return ok("%s, this user's alone", plural(seen.all, "file", "files"))
}

type looseFiles struct {
	all, open, foreign      int
	firstOpen, firstForeign string
}

func (l *looseFiles) in(ctx context.Context, dir string) error {
	entries, err := os.ReadDir(dir)
	for _, entry := range entries {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		info, err := entry.Info()
		if err != nil || info.Mode()&fs.ModeSymlink != 0 {
			continue // removed meanwhile, or as open as what it points at
		}
		l.all++
		name := filepath.Join(dir, entry.Name())
		if uid, known := owner(info); known && uid != os.Geteuid() {
			if l.foreign++; l.foreign == 1 {
				l.firstForeign = name
			}
		}
		if info.Mode().Perm()&0o077 != 0 {
			if l.open++; l.open == 1 {
				l.firstOpen = fmt.Sprintf("%s (mode %04o)", name, info.Mode().Perm())
			}
		}
	}
	return err
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// word is a path as a shell takes it, in a command that is copied.
func word(path string) string {
	if !strings.ContainsAny(path, " \t'\"$`\\&;()<>|*?[]#!{}") {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}
