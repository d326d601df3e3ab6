package settings

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/diff"
)

// Change is an edit of a file: what it holds, and what it would hold.
type Change struct {
	Path   string // absolute; a symbolic link stays one
	Before []byte
	Exists bool // there is a file
	After  []byte
	Remove bool // the file goes
}

// Changes reports whether there is anything to do.
func (c Change) Changes() bool {
	return c.Remove || !bytes.Equal(c.Before, c.After) || !c.Exists && len(c.After) > 0
}

// Diff is the change for people: a unified diff.
func (c Change) Diff() string {
	old, new := c.Path, c.Path
	if !c.Exists {
		old = os.DevNull
	}
	if c.Remove {
		new = os.DevNull
	}
	return string(diff.Diff(old, c.Before, new, c.After))
}

// errEdited says that somebody else wrote the file after it was read.
var errEdited = errors.New("was edited meanwhile")

// target is where the file is that path names: at the end of symbolic links, which may
// lead to what is not there yet.
func target(path string) (string, error) {
	for range 40 { // as many as Linux follows
		link, err := os.Readlink(path)
		if err != nil {
			if real, err := filepath.EvalSymlinks(filepath.Dir(path)); err == nil {
				path = filepath.Join(real, filepath.Base(path))
			}
			return path, nil
		}
		if !filepath.IsAbs(link) {
			link = filepath.Join(filepath.Dir(path), link)
		}
		path = link
	}
	return "", fmt.Errorf("%s: too many symbolic links", path)
}

// current reads the file of a change that begins.
func current(path string) (Change, error) {
	text, err := read(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Change{Path: path}, nil
	}
	if err != nil {
		return Change{}, named(path, err)
	}
	return Change{Path: path, Before: text, Exists: true}, nil
}

// named puts the path to an error that lacks it.
func named(path string, err error) error {
	if strings.Contains(err.Error(), path) {
		return err
	}
	return fmt.Errorf("%s: %w", path, err)
}

// apply makes the change: a new file is written beside the old one and takes its place, so
// that a kill leaves one of them whole. An edit of others since Before was read is
// errEdited, and nothing is done.
func (c Change) apply() error {
	path, err := target(c.Path)
	if err != nil {
		return err
	}
	removeLeftovers(path)
	if c.Remove {
		if err := c.unedited(); err != nil {
			return err
		}
		return os.Remove(path)
	}
	temp, err := c.writeBeside(path)
	if err != nil {
		return err
	}
	if err = c.unedited(); err == nil {
		err = os.Rename(temp, path)
	}
	if err != nil {
		os.Remove(temp)
		if errors.Is(err, fs.ErrNotExist) { // another installation took it for a leftover
			err = errEdited
		}
		return err
	}
	syncDir(filepath.Dir(path))
	return nil
}

// unedited reports an edit of others since the change was thought out.
func (c Change) unedited() error {
	now, err := current(c.Path)
	if err == nil && (now.Exists != c.Exists || !bytes.Equal(now.Before, c.Before)) {
		err = named(c.Path, errEdited)
	}
	return err
}

// writeBeside writes the new text into a file of its own, with mode and owner of the old
// one, and onto the disk.
func (c Change) writeBeside(path string) (string, error) {
	var old fs.FileInfo
	if c.Exists {
		// Who made the file read-only wants it to stay; a rename would not mind.
		file, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return "", fmt.Errorf("the file cannot be written: %w", err)
		}
		old, err = file.Stat()
		if err := errors.Join(err, file.Close()); err != nil {
			return "", err
		}
	}
	temp, err := os.CreateTemp(filepath.Dir(path), tempPrefix(path)+strconv.Itoa(os.Getpid())+"-*.tmp")
	if err != nil {
		return "", fmt.Errorf("the folder cannot be written: %w", err)
	}
	_, err = temp.Write(c.After)
	if err == nil && old != nil {
		err = takeAfter(temp, old)
	}
	if err == nil {
		err = temp.Sync()
	}
	if err = errors.Join(err, temp.Close()); err != nil {
		os.Remove(temp.Name())
		return "", err
	}
	return temp.Name(), nil
}

// tempPrefix begins the names of new files that are not in their place yet.
func tempPrefix(path string) string { return "." + filepath.Base(path) + ".actiongraph-" }

// removeLeftovers removes the new files of those that were killed before these were in
// their place.
func removeLeftovers(path string) {
	found, _ := filepath.Glob(filepath.Join(globQuote(filepath.Dir(path)), globQuote(tempPrefix(path))+"*.tmp"))
	for _, temp := range found {
		pid, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(temp), tempPrefix(path)), "-")
		if n, err := strconv.Atoi(pid); err == nil && !alive(n) {
			os.Remove(temp)
		}
	}
}

// globQuote is a name as a pattern that matches it alone.
func globQuote(name string) string {
	if os.PathSeparator == '\\' {
		return name // there is no escaping on Windows
	}
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(name)
}
