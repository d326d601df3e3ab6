package forget

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/schema"
)

// dirs returns the folders that sessions ran in, without those in which others did, or
// below which: what names these (names) is not theirs to take along. Nor is a folder that holds
// the home.
func (s *search) dirs(ctx context.Context, sessions []Session, others []journal.File) ([]string, error) {
	var dirs []string
	for _, one := range sessions {
		dirs = append(dirs, one.Dirs...)
	}
	slices.Sort(dirs)
	dirs = slices.DeleteFunc(slices.Compact(dirs), func(dir string) bool {
		return len(strings.Trim(dir, `/\.`)) < 2 || holds(dir, s.journal.Home())
	})
	for _, file := range others {
		if len(dirs) == 0 {
			break
		}
		if err := ctx.Err(); err != nil {
			return []string{}, err
		}
		if err := s.without(file, &dirs); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return []string{}, fmt.Errorf("session %s: %w", file.Session, err)
		}
	}
	return append([]string{}, dirs...), nil
}

// without takes out of dirs those that a session names as where it ran.
func (s *search) without(file journal.File, dirs *[]string) error {
	for line, err := range s.journal.Records(file.Session) {
		if len(*dirs) == 0 {
			return nil
		}
		if err != nil {
			return err
		}
		if !bytes.Contains(line, []byte(`"working_directory":"`)) || file.Session == nobody && s.nobodysGo() && s.nobodys.has(line) {
			continue
		}
		its := quoted(schema.FieldString(line, "working_directory"))
		*dirs = slices.DeleteFunc(*dirs, func(dir string) bool { return names(its, quoted(dir)) })
	}
	return nil
}

// holds reports whether path is dir or below it.
func holds(dir, path string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}
