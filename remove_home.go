package actiongraph

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/actiongraph/actiongraph/connector"
)

// RemoveHome removes a home directory: everything that was recorded in it, its store, its
// configuration. What actiongraph did not put there stays, and is returned; then the
// directory stays, too. A path that is no home, or a symbolic link to one, is refused, and
// so is a home that a daemon has: its error wraps connector.ErrLocked. A removal that was
// killed is gone on with by the next.
func RemoveHome(dir string) (left []string, err error) {
	if entries, err := os.ReadDir(dir); err == nil && len(entries) == 0 {
		return nil, os.Remove(dir) // what is left when the last step was killed
	}
	if err := checkHome(dir); err != nil {
		return nil, err
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
	for _, e := range entries {
		switch name := e.Name(); {
		case slices.Contains(lastOfHome(), name):
		case !ofHome(name):
			left = append(left, filepath.Join(dir, name))
		default:
			// Of a link that is the link: what it leads to is not ours to remove.
			err = errors.Join(err, os.RemoveAll(filepath.Join(dir, name)))
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

// lockHome keeps daemons and writers of the store out of a home.
func lockHome(dir string) (unlock func(), err error) {
	var locks []*connector.Lock
	unlock = func() {
		for _, l := range locks {
			l.Unlock()
		}
		locks = nil
	}
	for _, name := range []string{connector.RunLock, connector.GraphLock} {
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
	text, err := os.ReadFile(filepath.Join(dir, "id"))
	id, decodeErr := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || decodeErr != nil || len(id) != 16 {
		return fmt.Errorf("%s is no home of actiongraph (it has no id): nothing is removed", dir)
	}
	return nil
}

// lastOfHome are removed after everything else, in this order: the locks are held until
// then, and by its id a home is known.
func lastOfHome() []string { return []string{connector.GraphLock, connector.RunLock, "key", "id"} }

// ofHome reports whether a file of a home is there because actiongraph made it.
func ofHome(name string) bool {
	for _, pattern := range []string{
		"journal", "graph.db*", "transcripts.index*", "status.json*", "hook.log*", "ag-sessiond*.log*",
		"config.toml*", "policy*", "left_out", "installed", "api.sock", "api.token*", "id.*.tmp", "key.*.tmp", ".config-*", ".verify-*",
	} {
		if ok, _ := filepath.Match(pattern, name); ok {
			return true
		}
	}
	return false
}
