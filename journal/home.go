package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/actiongraph/actiongraph/errcode"
	"github.com/actiongraph/actiongraph/internal/replace"
)

// HomeVersion is the format of a home that this program knows, which <home>/version says. A
// home without that file is of format 1: sessions' files, a store, positions. From 2 on there
// may be tombstones and packed sessions, which a program of format 1 takes for sessions that
// are gone. Hooks do not look at it: they append lines, and each line says its own version.
const HomeVersion = 2

const versionName = "version"

// ErrNewerHome is of a home that a later version of this program has changed: this one would
// misread what is in it, and writes nothing there.
var ErrNewerHome = errcode.New(errcode.HomeNewer, "a newer version of actiongraph has used this home: use that version "+
	"(ag-sessiond version says which one this is), or give --home or set AG_HOME to another folder")

// CheckHome refuses a home of a later format: the error then wraps ErrNewerHome. One that is
// not there is none.
func CheckHome(home string) error {
	_, err := homeVersion(home)
	return err
}

// Adopt marks a home of an earlier format, which this program is now free to change. One that
// cannot be written keeps the format that it has: whoever writes there what is new in a later one
// fails by himself, and the next who opens it tries again.
func (j *Journal) Adopt() {
	if version, err := homeVersion(j.home); err == nil && version < HomeVersion {
		_ = j.mark()
	}
}

// homeVersion reads the format of a home.
func homeVersion(home string) (int, error) {
	path := filepath.Join(home, versionName)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 1, nil
	}
	if info, statErr := os.Stat(home); statErr != nil || !info.IsDir() {
		return 1, nil // no home at all, as whoever opens it says
	}
	if err != nil {
		return 0, fmt.Errorf("journal: %w", err)
	}
	version, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || version < 1 {
		return 0, fmt.Errorf("journal: %s holds %.20q, and is to hold the number of the home's format: write %d into it, if no newer version has used this home", path, text, HomeVersion)
	}
	if version > HomeVersion {
		return version, fmt.Errorf("journal: %s is of format %d, this program knows %d: %w", home, version, HomeVersion, ErrNewerHome)
	}
	return version, nil
}

// mark writes the format down.
func (j *Journal) mark() error {
	return replace.File(filepath.Join(j.home, versionName), versionName+".*.tmp", replace.Text(fmt.Appendln(nil, HomeVersion)), nil)
}

// Knows reports whether the journal has a session's file, or was told to forget the session.
func (j *Journal) Knows(session string) bool {
	_, err := j.Stat(session)
	return err == nil || j.Forgotten(session)
}

// SealsDir is the directory of the seals (package seal), below a home.
func SealsDir(home string) string { return filepath.Join(home, "seals") }

// SealSuffix ends the name of a session's file in SealsDir, which goes with the session.
const SealSuffix = ".seal"
