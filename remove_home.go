package actiongraph

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/connector/sqlite"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/schema"
	"github.com/actiongraph/actiongraph/seal"
)

// RemoveHome removes a home directory: everything that was recorded in it, its store, its
// configuration. What actiongraph did not put there stays, and is returned; then the
// directory stays, too. A path that is no home, or a symbolic link to one, is refused, and
// so are the user's home directory and what holds it. Of a home that a daemon has the error
// wraps connector.ErrLocked. A removal that was killed is gone on with by the next.
func RemoveHome(dir string) (left []string, err error) {
	if err := Removable(dir); err != nil {
		return nil, err
	}
	if empty(dir) {
		return nil, os.Remove(dir)
	}
	unlock, err := lockHome(dir)
	if err != nil {
		return nil, err
	}
	defer unlock()
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	files, folders := ofHome(), foldersOfHome()
	for _, e := range entries {
		name, path := e.Name(), filepath.Join(dir, e.Name())
		_, folder := folders[name]
		switch link := e.Type()&fs.ModeSymlink != 0; {
		case slices.Contains(lastOfHome(), name):
		case folder && e.IsDir():
			others, failed := removeFolder(path, folders[name])
			left, err = append(left, others...), errors.Join(err, failed)
		case folder && link, !e.IsDir() && files.MatchString(name):
			// Of a link that is the link: what it leads to is not ours to remove.
			err = errors.Join(err, os.Remove(path))
		default:
			left = append(left, path)
		}
	}
	if err != nil {
		return left, err
	}
	unlock() // Windows removes no file that is open
	for _, name := range lastOfHome() {
		if err := os.Remove(filepath.Join(dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return left, err
		}
	}
	if len(left) == 0 {
		err = os.Remove(dir)
	}
	return left, err
}

// Removable returns why RemoveHome would refuse a directory, but for a daemon that has it; nil
// where it would not.
func Removable(dir string) error {
	if holdsUser(dir) {
		return fmt.Errorf("%s is your home directory, or holds it: nothing in it is removed; take what actiongraph wrote out of it by hand", dir)
	}
	if empty(dir) {
		return nil
	}
	return checkHome(dir)
}

// empty reports whether a directory is what is left when the last step of a removal was killed.
func empty(dir string) bool {
	entries, err := os.ReadDir(dir)
	info, linkErr := os.Lstat(dir)
	return err == nil && linkErr == nil && info.IsDir() && len(entries) == 0
}

// lockHome keeps daemons and writers of the store out of a home.
func lockHome(dir string) (unlock func(), err error) {
	var locks []*connector.Lock
	unlock = func() {
		for _, l := range locks {
			l.Unlock()
		}
		locks = nil
	}
	for _, name := range []string{connector.RunLock, connector.GraphLock, connector.JournalLock, connector.ScrubLock, seal.Lock} {
		lock, err := connector.LockHome(dir, name, 2*time.Second)
		if err != nil {
			unlock()
			return nil, err
		}
		locks = append(locks, lock)
	}
	return unlock, nil
}

// checkHome refuses what is no home directory of actiongraph.
func checkHome(dir string) error {
	info, err := os.Lstat(dir)
	switch {
	case err != nil:
		return err
	case info.Mode()&fs.ModeSymlink != 0:
		to, _ := filepath.EvalSymlinks(dir)
		return fmt.Errorf("%s is a symbolic link to %s: name that to have it removed", dir, to)
	}
	if err := journal.CheckHome(dir); err != nil {
		return err // what is in it would be left, and some of it without what it belongs to
	}
	text, err := os.ReadFile(filepath.Join(dir, "id"))
	id, decodeErr := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || decodeErr != nil || len(id) != 16 {
		return fmt.Errorf("%s is no home of actiongraph (it has no id): nothing is removed", dir)
	}
	return nil
}

// lastOfHome are removed after everything else, in this order: the locks are held until
// then, and by its id a home is known.
func lastOfHome() []string {
	return []string{connector.GraphLock, connector.JournalLock, connector.ScrubLock, seal.Lock, connector.RunLock, "key", "id"}
}

// The names are those that are really written, and no others: whoever has something of his
// own in a home, like a copy of the store, keeps it. The digits are os.CreateTemp's, of files
// that a kill left behind.

// ofHome matches the files of a home that are there because actiongraph made them.
func ofHome() *regexp.Regexp {
	return regexp.MustCompile(`^(config\.toml|config-edit-[0-9]+\.toml|\.config-[0-9]+|policy(\.said|\.[0-9]+\.tmp)?|version(\.[0-9]+\.tmp)?|` +
		`graph\.db(-wal|-shm|-journal)?|graph\.db` + sqlite.AsidePattern + `|transcripts\.index(\.[0-9]+\.tmp)?|status\.json(\.new)?|hook\.log(\.1)?|scrub\.json(\.new)?|` +
		`seal\.key(\.[0-9]+\.tmp)?|ag-sessiond\.log(\.1)?|service\.xml|\.service\.xml\.new|api\.(sock|token)|(id|key)\.[0-9a-f]{16}\.tmp|\.verify-[0-9]+)$`)
}

// foldersOfHome are its folders, with what the files in them are called.
func foldersOfHome() map[string]*regexp.Regexp {
	return map[string]*regexp.Regexp{
		"journal":   regexp.MustCompile(strings.TrimSuffix(schema.IDPattern, "$") + regexp.QuoteMeta(journal.Suffix) + `(\.zst(\.new|\.tmp)?|\.packing|\.new|\.old)?$`),
		"left_out":  regexp.MustCompile(`^[0-9a-f]{32}$`),
		"forgotten": regexp.MustCompile(`^([0-9a-f]{32}(\.[0-9]+\.tmp)?|begun)$`),
		"seals":     regexp.MustCompile(`^(log|new\.[0-9]+\.tmp|` + strings.TrimSuffix(strings.TrimPrefix(schema.IDPattern, "^"), "$") + regexp.QuoteMeta(seal.Suffix) + `)$`),
		"installed": regexp.MustCompile(`^([0-9a-f]{16}\.(json|before)|\.[0-9a-f]{16}\.(json|before)\.actiongraph-[0-9]+-[0-9]+\.tmp)$`),
	}
}

// removeFolder removes the files of a folder that have such names, and the folder where
// nothing else is in it.
func removeFolder(dir string, names *regexp.Regexp) (left []string, err error) {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if !e.Type().IsRegular() || !names.MatchString(e.Name()) {
			left = append(left, path)
			continue
		}
		err = errors.Join(err, os.Remove(path))
	}
	if err == nil && len(left) == 0 {
		err = os.Remove(dir)
	}
	return left, err
}

// holdsUser reports whether a directory is the root of the file system, the user's home
// directory, or above that: somebody's AG_HOME may be so by mistake.
func holdsUser(dir string) bool {
	if path, err := filepath.Abs(dir); err == nil && filepath.Dir(path) == path {
		return true
	}
	info, err := os.Stat(dir)
	user, userErr := os.UserHomeDir()
	if err != nil || userErr != nil {
		return false
	}
	real, _ := filepath.EvalSymlinks(user)
	for _, at := range []string{user, real} {
		for above := ""; at != above; at = filepath.Dir(at) {
			if its, err := os.Stat(at); err == nil && os.SameFile(its, info) {
				return true
			}
			above = at
		}
	}
	return false
}
