package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/actiongraph/actiongraph/schema"
)

// Lift takes a session's tombstone away: what is appended of it from now on is recorded again.
// What was forgotten does not come back by that. It reports whether there was one.
func (j *Journal) Lift(session string) (lifted bool, err error) {
	err = os.Remove(j.tombstonePath(j.TombstoneName(session)))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err == nil && canSyncDir {
		err = syncPath(ForgottenDir(j.home))
	}
	return err == nil, wrap(err)
}

// AllForgotten returns what Forgotten says of the tombstones that there are now: for those who ask for
// many sessions, the folder is read once.
func (j *Journal) AllForgotten() (forgotten func(session string) bool, err error) {
	entries, err := readDir(ForgottenDir(j.home))
	names := make(map[string]bool, len(entries))
	for _, e := range entries {
		names[e.Name()] = true
	}
	return func(session string) bool { return len(names) > 0 && names[j.TombstoneName(session)] }, wrap(err)
}

// Positions lists the files of positions (schema.PositionsID), which Files leaves out, by
// their ids.
func (j *Journal) Positions() ([]string, error) {
	entries, err := readDir(j.dir())
	var ids []string
	for _, e := range entries {
		if id, ok := strings.CutSuffix(e.Name(), Suffix); ok && schema.IsPositionsID(id) {
			ids = append(ids, id)
		}
	}
	return ids, wrap(err)
}

// DiscardPositions removes a file of positions: what it was about is read anew. It refuses any
// other file; that there is none is no error.
func (j *Journal) DiscardPositions(id string) error {
	if !schema.IsPositionsID(id) {
		return fmt.Errorf("journal: %q names no positions", id)
	}
	path, err := j.path(id)
	if err != nil {
		return err
	}
	return wrap(removeFile(path))
}
