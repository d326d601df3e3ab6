package settings

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Kept is the folder where the texts of before are, <home>/installed: of each file that
// was installed into one JSON and the bytes that it had. While a file is what the
// installation left, taking it out gives back these bytes, whatever they were.
type Kept string

// kept is what is known of one file.
type kept struct {
	Path    string `json:"path"`
	Existed bool   `json:"existed"`            // there was a file
	MadeDir string `json:"made_dir,omitempty"` // the highest folder that had to be made
	Before  string `json:"before_sha256"`
	After   string `json:"after_sha256"`
}

// tries is how often an edit is begun again when somebody else is editing.
const tries = 5

// PlanInstall says what Install would do.
func (k Kept) PlanInstall(path string, r Recorder) (Change, error) {
	c, err := current(path)
	if err != nil {
		return c, err
	}
	if c.After, err = Install(c.Before, r); err != nil {
		return c, named(path, err)
	}
	return c, nil
}

// Install registers the recorder in a settings file, and keeps what it was. It returns what
// it did; where nothing was to be done nothing is written.
func (k Kept) Install(path string, r Recorder) (Change, error) {
	return edit(func() (Change, error) {
		c, err := k.PlanInstall(path, r)
		if err != nil || !c.Changes() {
			return c, err
		}
		_, _, known := k.read(path)
		if err := k.keep(c); err != nil {
			return c, fmt.Errorf("keep what %s was: %w", path, err)
		}
		if err = os.MkdirAll(filepath.Dir(path), 0o700); err == nil {
			err = c.apply()
		}
		if err != nil && !known {
			k.forget(path) // nothing was done
		}
		return c, err
	})
}

// PlanUninstall says what Uninstall would do.
func (k Kept) PlanUninstall(path string) (Change, error) {
	c, err := current(path)
	if err != nil || !c.Exists {
		return c, err
	}
	was, before, known := k.read(path)
	if known && was.After == sum(c.Before) {
		c.After, c.Remove = before, !was.Existed
		return c, nil
	}
	if c.After, err = Uninstall(c.Before); err != nil {
		return c, named(path, err)
	}
	c.Remove = onlyOurs(c.Before, c.After) && !was.Existed
	return c, nil
}

// onlyOurs reports whether a text is nothing without our entries: then a file that is not
// known to have been there before was made for them.
func onlyOurs(with, without []byte) bool {
	return blank(bytes.TrimPrefix(without, []byte(bom))) && !bytes.Equal(with, without)
}

// Uninstall takes our entries out of a settings file, and forgets what it was.
func (k Kept) Uninstall(path string) (Change, error) {
	return edit(func() (Change, error) {
		c, err := k.PlanUninstall(path)
		if err != nil {
			return c, err
		}
		if c.Changes() {
			if err := c.apply(); err != nil {
				return c, err
			}
		}
		was, _, _ := k.read(path)
		if c.Remove && was.MadeDir != "" {
			removeDirs(filepath.Dir(path), was.MadeDir)
		}
		return c, k.forget(path)
	})
}

// edit makes a change, again when somebody else edited the file meanwhile.
func edit(once func() (Change, error)) (c Change, err error) {
	for range tries {
		if c, err = once(); !errors.Is(err, errEdited) {
			break
		}
	}
	if err != nil {
		err = named(c.Path, err)
	}
	return c, err
}

// Paths are the files that were installed into and not out of since.
func (k Kept) Paths() []string {
	var paths []string
	found, _ := filepath.Glob(filepath.Join(globQuote(string(k)), "*.json"))
	for _, name := range found {
		var was kept
		if text, err := os.ReadFile(name); err == nil && json.Unmarshal(text, &was) == nil && was.Path != "" {
			paths = append(paths, was.Path)
		}
	}
	slices.Sort(paths)
	return paths
}

// keep writes down what a file was, before it is changed. Of one that is as an earlier
// installation left it that is what it was before that.
func (k Kept) keep(c Change) error {
	was, before, known := k.read(c.Path)
	now := kept{Path: c.Path, Existed: c.Exists, After: sum(c.After), MadeDir: was.MadeDir}
	if known && was.After == sum(c.Before) {
		now.Existed = was.Existed
	} else {
		var err error
		if before, err = Uninstall(c.Before); err != nil {
			return err
		}
		if onlyOurs(c.Before, before) {
			now.Existed = was.Existed
		}
	}
	if now.MadeDir == "" {
		now.MadeDir = missing(filepath.Dir(c.Path))
	}
	now.Before = sum(before)
	if err := os.MkdirAll(string(k), 0o700); err != nil {
		return err
	}
	text, err := json.MarshalIndent(now, "", "  ")
	if err != nil {
		return err
	}
	// The text first: without it what the JSON says is not believed.
	if err := replace(k.name(c.Path, ".before"), before); err != nil {
		return err
	}
	return replace(k.name(c.Path, ".json"), append(text, '\n'))
}

// read is what is known of a file, and the text it had. A text that is not the one that
// was written down, as after a kill, is not known.
func (k Kept) read(path string) (was kept, before []byte, known bool) {
	text, err := os.ReadFile(k.name(path, ".json"))
	if err != nil || json.Unmarshal(text, &was) != nil {
		return kept{}, nil, false
	}
	before, err = os.ReadFile(k.name(path, ".before"))
	return was, before, err == nil && was.Path == path && sum(before) == was.Before
}

func (k Kept) forget(path string) error {
	err := errors.Join(unlessGone(os.Remove(k.name(path, ".json"))), unlessGone(os.Remove(k.name(path, ".before"))))
	os.Remove(string(k)) // when it was the last
	return err
}

// name is that of what is kept of a file: never made of the path itself.
func (k Kept) name(path, suffix string) string {
	return filepath.Join(string(k), sum([]byte(path))[:16]+suffix)
}

// replace writes a file whole or not at all.
func replace(path string, text []byte) error {
	c, err := current(path)
	if err == nil {
		c.After = text
		err = c.apply()
	}
	return err
}

func sum(text []byte) string {
	h := sha256.Sum256(text)
	return hex.EncodeToString(h[:])
}

func unlessGone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// missing is the highest folder of a path that is not there, "" where all are.
func missing(dir string) string {
	top := ""
	for {
		if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
			return top
		}
		top = dir
		if above := filepath.Dir(dir); above != dir {
			dir = above
			continue
		}
		return top
	}
}

// removeDirs removes a folder and those above it, up to top, while they are empty.
func removeDirs(dir, top string) {
	for dir == top || strings.HasPrefix(dir, top+string(filepath.Separator)) {
		if os.Remove(dir) != nil {
			return
		}
		dir = filepath.Dir(dir)
	}
}
